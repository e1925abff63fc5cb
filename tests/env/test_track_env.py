"""WildRobotTrack-v0: what a robot that follows clips sees, is paid and how its episodes end."""

from __future__ import annotations

import dataclasses

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import wildrobot_gym  # noqa: F401  registers the environment
from wildrobot_gym.env.clips import clip_frames
from wildrobot_gym.env.track_env import WildRobotTrackVectorEnv
from wildrobot_gym.errors import ConfigError, MotionError
from wildrobot_gym.motion.clip_files import save_clips
from wildrobot_gym.motion.gait.build import walk_clip
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import numpy_yaw

FRAMES = 301  # of a walk clip: 6 s at 50 Hz and the first


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> str:
    robot = RobotModel.load("wildrobot")
    path = tmp_path_factory.mktemp("track") / "walks.npz"
    return str(save_clips(path, [walk_clip(robot, 0.2), walk_clip(robot, 0.4)]))


@pytest.fixture(scope="module")
def env(reference: str) -> WildRobotTrackVectorEnv:
    return WildRobotTrackVectorEnv(
        2, None, autoreset_mode="disabled", num_threads=1, reference=reference
    )


def still(env: WildRobotTrackVectorEnv) -> np.ndarray:
    return np.zeros(env.action_space.shape, np.float32)


def test_the_single_environment(reference: str) -> None:
    check_env(gym.make("WildRobotTrack-v0", reference=reference).unwrapped, skip_render_check=True)


def test_frames_of_all_clips(env: WildRobotTrackVectorEnv) -> None:
    clips = env.task.clips
    np.testing.assert_array_equal(np.unique(clips.last), [FRAMES - 1, 2 * FRAMES - 1])
    assert clips.qpos.shape == (2 * FRAMES, 16) and clips.target.shape == (2 * FRAMES, 9)
    np.testing.assert_allclose(
        np.asarray(clips.command)[[0, FRAMES]], [[0.2, 0, 0], [0.4, 0, 0]], atol=1e-6
    )


def test_begin_at_stands_in_the_frame_and_shows_what_comes(env: WildRobotTrackVectorEnv) -> None:
    obs = env.begin_at([50, FRAMES + 50])
    joints, n = np.asarray(env.task.clips.qpos)[:, 7:], 9
    np.testing.assert_allclose(env.physics_state.joint_pos, joints[[50, FRAMES + 50]], atol=1e-5)
    ahead = 3 * n + 12  # where the first of the horizon begins
    np.testing.assert_allclose(obs[0, ahead : ahead + n], joints[51] - joints[50], atol=1e-5)
    np.testing.assert_allclose(obs[:, -2:], [[0, 1], [0, 1]], atol=1e-3)  # no heading is missing
    assert env.single_observation_space.shape == obs.shape[1:] == (3 * n + 12 + 3 * (n + 7) + 2,)


def test_slow_walks_follow_their_own_targets_for_a_second(env: WildRobotTrackVectorEnv) -> None:
    """A robot given a clip's feed-forward targets and nothing else stays near it.

    The terms sum to the reward.
    """
    env.begin_at([20, FRAMES + 20])
    paid = []
    for _ in range(50):
        _, reward, terminated, _, infos = env.step(still(env))
        paid.append(reward)
        terms = sum(value for name, value in infos.items() if name.startswith("reward_"))
        np.testing.assert_allclose(terms, reward, rtol=1e-4, atol=1e-6)
        assert not terminated.any()
    assert infos["joint_error"].max() < 0.15
    assert np.mean(paid) > 0.06  # perfect tracking pays 0.26


def test_the_mirror_image_of_a_clip_is_followed_as_the_clip_is(
    wildrobot: RobotModel, tmp_path
) -> None:
    """The declared reflection turns one robot's observations into the other's, as long as no
    contact differs in its rounding.
    """
    walk = walk_clip(wildrobot, 0.4)
    reference = str(save_clips(tmp_path / "pair.npz", [walk, walk.mirrored(wildrobot)]))
    env = WildRobotTrackVectorEnv(
        2, None, autoreset_mode="disabled", num_threads=1, reference=reference
    )
    obs = env.begin_at([10, FRAMES + 10])
    ids, signs = np.array(env.mirror["obs_ids"]), np.array(env.mirror["obs_signs"])
    assert sorted(ids) == list(range(obs.shape[1]))
    np.testing.assert_allclose(obs[1], signs * obs[0, ids], atol=1e-5)
    action = np.linspace(-0.3, 0.3, 9, dtype=np.float32)
    image = np.array(env.mirror["action_signs"]) * action[np.array(env.mirror["action_ids"])]
    obs, reward, *_ = env.step(np.stack([action, image]).astype(np.float32))
    np.testing.assert_allclose(obs[1], signs * obs[0, ids], atol=0.02)
    assert reward[0] == pytest.approx(reward[1], abs=0.002)


def test_velocity_terms_are_judged_by_the_clip(wildrobot: RobotModel, tmp_path) -> None:
    """A robot that stands pays for the clip's speed, whatever command the clip is labelled with."""
    commands = np.linspace([0.0, 0.0, 0.0], [0.0, 0.3, 0.6], FRAMES).astype(np.float32)
    walk = dataclasses.replace(walk_clip(wildrobot, 0.4), commands=commands)
    reference = str(save_clips(tmp_path / "walk.npz", [walk]))
    errors = {"lin_vel_error": -1.0, "clip_sideways_error": -1.0, "clip_heading_error": -1.0}
    settings = {"rewards": {**errors, "scale": 1.0}, "reset": {"stagger": False}}
    env = WildRobotTrackVectorEnv(
        1, None, autoreset_mode="disabled", num_threads=1, reference=reference, **settings
    )
    env.begin_at([20])
    *_, infos = env.step(still(env))
    state, clips = env.physics_state, env.task.clips
    aside = abs(state.base_lin_vel_h[0, 1] - np.asarray(clips.base_lin_vel_h)[21, 1])
    assert -infos["reward_clip_sideways_error"][0] == pytest.approx(float(aside), abs=1e-5)
    turned = abs(float(state.yaw[0] - numpy_yaw(np.asarray(clips.qpos)[21:22, 3:7])[0]))
    assert -infos["reward_clip_heading_error"][0] == pytest.approx(turned, abs=1e-5)
    # The observation has the command of the frame.
    command = np.asarray(env._simulation.task_state.command)
    np.testing.assert_allclose(command[0], commands[21], atol=1e-6)
    assert -infos["reward_lin_vel_error"][0] == pytest.approx(infos["velocity_error"][0], abs=1e-5)
    assert infos["velocity_error"][0] < 0.2


def test_feet_and_loads_of_the_clip_are_rewarded(env: WildRobotTrackVectorEnv) -> None:
    load = np.asarray(env.task.clips.load)
    assert load.sum(axis=-1).mean() == pytest.approx(1.0, abs=0.02) and load.min() >= 0.0
    env.begin_at([20, FRAMES + 20])
    feet = np.asarray(env.physics_state.foot_pos_w) - np.asarray(env.physics_state.base_pos_w)[
        :, None
    ] * [1.0, 1.0, 0.0]
    np.testing.assert_allclose(np.asarray(env.task.clips.feet)[20, :, 2], feet[0, :, 2], atol=1e-3)
    *_, infos = env.step(still(env))
    rewards = env.config.rewards
    fraction = (
        np.asarray(env.physics_state.pad_forces)[:, env.robot.pad_ids_of_foot].sum(axis=-1)
        / env.robot.weight
    )
    error = np.linalg.norm(fraction - load[[21, FRAMES + 21]], axis=-1)
    want = (
        rewards.scale
        * rewards.weights["clip_load"]
        * np.exp(-((error / rewards.clip_load_sigma) ** 2))
    )
    np.testing.assert_allclose(infos["reward_clip_load"], want, rtol=1e-4)


def test_the_clips_end_truncates(env: WildRobotTrackVectorEnv) -> None:
    env.begin_at([FRAMES - 3, 2 * FRAMES - 6])
    ends = [env.step(still(env))[3] for _ in range(2)]
    np.testing.assert_array_equal(ends, [[False, False], [True, False]])


def test_who_has_lost_the_clip_is_ended(reference: str) -> None:
    env = WildRobotTrackVectorEnv(
        1,
        None,
        autoreset_mode="disabled",
        num_threads=1,
        reference=reference,
        termination={"max_joint_error": 0.1},
    )
    env.begin_at([0])
    kick = np.ones(env.action_space.shape, np.float32)
    ended = [bool(env.step(kick)[2][0]) for _ in range(10)]
    assert ended[-1] and not ended[0]


def test_random_starts_are_frames_with_a_next_one(reference: str) -> None:
    env = WildRobotTrackVectorEnv(
        256, None, autoreset_mode="disabled", num_threads=1, reference=reference
    )
    env.reset(seed=3)
    frames, last = np.asarray(env._simulation.task_state.frame), np.asarray(env.task.clips.last)
    assert (frames < last[frames]).all()
    assert len(np.unique(frames)) > 100 and frames.max() > FRAMES


def test_pad_forces_that_are_not_known_are_estimated(wildrobot: RobotModel) -> None:
    """A clip without them gets nearly the targets of the same clip with them."""
    clip = walk_clip(wildrobot, 0.3)
    known, estimated = (
        np.asarray(clip_frames(wildrobot, [c], 0.02).target)
        for c in (clip, dataclasses.replace(clip, pad_forces=None))
    )
    assert np.isfinite(estimated).all()
    assert np.median(np.abs(known - estimated)) < 0.01


def test_missing_arguments_are_named(wildrobot: RobotModel, env: WildRobotTrackVectorEnv) -> None:
    with pytest.raises(ConfigError, match="pass reference="):
        WildRobotTrackVectorEnv(1)
    with pytest.raises(MotionError, match="no clip"):
        clip_frames(wildrobot, [], 0.02)
    assert not hasattr(env, "set_commands")  # each clip brings its own command
    with pytest.raises(
        ConfigError, match=r"frames have shape \(1,\); allowed: \(2,\), each 0 to 601"
    ):
        env.begin_at([0])
