"""What a robot does, kept as a clip and read as reference motion, gives the very windows that the
environment gave.
"""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from wildrobot_gym.config import build, to_dict
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import FeatureConfig
from wildrobot_gym.task.features import make_frame_features

STEPS = 40
CONTACTS, ROOT_VELOCITY = ("force", "estimated", "proxy", "none"), ("direction", "clipped", "raw")
VELOCITIES = ("simulation", "finite_difference")


def run(robot: str, features: FeatureConfig) -> tuple[MotionClip, list[np.ndarray], list[Any]]:
    """Two falling and stepping robots; the second's clip and windows, and the states of both."""
    env = WildRobotVectorEnv(
        2,
        None,
        robot=robot,
        features=to_dict(features),
        autoreset_mode=AutoresetMode.DISABLED,
        num_threads=1,
    )
    _, infos = env.reset(seed=3)
    joints = env.robot.num_joints
    windows, states = [infos["amp_obs"][1]], [jax.tree.map(np.array, env.physics_state)]
    for step in range(STEPS):
        action = 0.4 * np.sin(0.5 * step + np.arange(joints) + 2.0 * np.arange(2)[:, None])
        _, _, _, _, infos = env.step(action)
        windows.append(infos["amp_obs"][1])
        states.append(jax.tree.map(np.array, env.physics_state))
    env.close()
    qpos, qvel, forces = (
        np.stack([getattr(s, name)[1] for s in states]) for name in ("qpos", "qvel", "pad_forces")
    )
    clip = MotionClip(
        "replayed",
        env.robot.name,
        50.0,
        env.robot.joint_names,
        qpos[:, :3],
        qpos[:, 3:7],
        qpos[:, 7:],
        forces,
        qvel,
    )
    return clip, windows, states


@pytest.mark.parametrize(
    ("robot", "changes"),
    [
        ("wildrobot", {}),
        (
            "wildrobot_8dof",
            {"contacts": "estimated", "root_velocity": "raw", "velocities": "finite_difference"},
        ),
        (
            "wildrobot",
            {
                "contacts": "proxy",
                "root_velocity": "clipped",
                "history": {"frames": 10, "stride": 3},
            },
        ),
    ],
)
def test_the_environments_windows_are_the_clips(robot: str, changes: dict) -> None:
    features = build(FeatureConfig, changes)
    clip, windows, _ = run(robot, features)
    dataset = ReferenceDataset.from_clips(RobotModel.load(robot), features, [clip])
    np.testing.assert_allclose(
        np.stack(windows)[features.history.num_past :], dataset.windows, atol=2e-4
    )


def test_every_definition_is_the_same_for_both(wildrobot: RobotModel) -> None:
    """Contacts, root velocity and source of velocities in all combinations, as the task puts them
    together.
    """
    clip, _, states = run("wildrobot", FeatureConfig())
    one = [jax.tree.map(lambda x: jnp.asarray(x[1]), state) for state in states]
    batch = jax.tree.map(lambda *x: jnp.stack(x), *one)
    widths = {}
    for contacts, how, source in itertools.product(CONTACTS, ROOT_VELOCITY, VELOCITIES):
        config = FeatureConfig(contacts=contacts, root_velocity=how, velocities=source)
        features = make_frame_features(wildrobot, config)
        later = jax.tree.map(lambda x: x[1:], batch)
        rows = jnp.concatenate([features(one[0])[None], features(later, batch.qpos[:-1])])
        widths[contacts] = rows.shape[1]
        reference = ReferenceDataset.from_clips(wildrobot, config, [clip])
        np.testing.assert_allclose(rows, reference.features, atol=2e-4, err_msg=str(config))
    assert widths == {"force": 29, "estimated": 29, "proxy": 29, "none": 25}


def test_velocities_differ_by_their_source(wildrobot: RobotModel) -> None:
    """Or the test above would prove nothing: a step's mean velocity is not the velocity at its
    end.
    """
    clip, *_ = run("wildrobot", FeatureConfig())
    rows = [
        ReferenceDataset.from_clips(
            wildrobot, FeatureConfig(("joint_vel",), velocities=source), [clip]
        ).features
        for source in VELOCITIES
    ]
    np.testing.assert_array_equal(rows[0][0], rows[1][0])
    assert np.abs(rows[0] - rows[1])[1:].max() > 0.1
    moved = np.diff(clip.joint_pos, axis=0) / 0.02
    np.testing.assert_allclose(rows[1][1:], moved, atol=1e-3)
