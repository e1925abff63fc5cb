"""The third robot: a plain MJCF that robot.yaml alone makes a robot."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from bipeds import ROBOT, mjcf, write
from gymnasium.utils.env_checker import check_env

import wildrobot_gym  # noqa: F401 (registers the environments)
from wildrobot_gym.errors import ConfigError, RobotError, RunError
from wildrobot_gym.evaluation.metrics import SUCCESS_CLEARANCE, success
from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.native import NativePhysics
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.robot.report import lines_of, stand_at_home, warnings_of
from wildrobot_gym.task.config import ActionConfig
from wildrobot_gym.task.control import ServoControl


@pytest.fixture(scope="module")
def sprout() -> RobotModel:
    return RobotModel.load("sprout")


def test_its_model_is_plain(sprout: RobotModel) -> None:
    plain = mujoco.MjModel.from_xml_path(str(sprout.xml_path))
    assert (plain.nsite, plain.nsensor, plain.nkey, plain.ncam) == (0, 0, 0, 0)
    assert not (plain.geom_type == mujoco.mjtGeom.mjGEOM_PLANE).any()
    assert (plain.actuator_biastype == mujoco.mjtBias.mjBIAS_NONE).all()  # motors, no servos
    assert plain.nbody == sprout.model.nbody and plain.nq == sprout.model.nq
    np.testing.assert_allclose(plain.body_mass, sprout.model.body_mass)
    assert "public domain" in sprout.xml_path.read_text()


def test_what_it_is(sprout: RobotModel) -> None:
    assert sprout.num_joints == 20 and 3.0 < sprout.mass < 5.0
    assert sprout.pad_ids_of_foot.shape == (2, 4)
    assert (sprout.model.geom_type[[sprout.model.geom(p).id for p in sprout.pad_names]] == 2).all()
    assert sprout.leg_length == pytest.approx(0.120 + 0.115 + 0.043, abs=1e-3)
    assert 0.45 * sprout.home_qpos[2] == pytest.approx(sprout.lowest_height, abs=1e-4)
    assert sprout.waist_yaw == "waist_turn"
    for leg, side in zip(sprout.legs, "lr", strict=True):
        assert leg.pitch == (f"hip_swing_{side}", f"knee_{side}", f"ankle_nod_{side}")
        assert leg.roll == (f"hip_spread_{side}", f"ankle_tilt_{side}")
        assert leg.yaw == (f"hip_turn_{side}",)
    knee = sprout.model.actuator("knee_l")
    assert (knee.gainprm[0], knee.biasprm[2]) == (30.0, -0.6)
    np.testing.assert_array_equal(knee.forcerange, [-4.0, 4.0])


def test_it_stands_at_home_on_its_own_servos(sprout: RobotModel) -> None:
    stand = stand_at_home(sprout)
    assert stand.stands and stand.tilt < np.radians(2.0) and abs(stand.sunk) < 3e-3
    assert stand.torque_fraction < 0.3
    assert warnings_of(sprout, stand) == []
    assert any("knee_l = knee_r" in line for line in lines_of(sprout, stand))


def test_mirror_map(sprout: RobotModel) -> None:
    ids, signs = sprout.joint_mirror_ids, sprout.joint_mirror_signs
    for i, name in enumerate(sprout.joint_names):
        partner = name[:-1] + {"l": "r", "r": "l"}[name[-1]] if name[-2] == "_" else name
        assert sprout.joint_names[ids[i]] == partner
        assert signs[i] == (-1.0 if partner == name else 1.0)
    data = mujoco.MjData(sprout.model)
    joints = np.random.default_rng(0).uniform(*sprout.joint_range.T)
    feet = []
    for pose in (joints, signs * joints[ids]):
        data.qpos[:] = [0, 0, 0.3, 1, 0, 0, 0, *pose]
        mujoco.mj_kinematics(sprout.model, data)
        feet.append(np.array([data.site(pad).xpos for pad in sprout.pad_names]))
    np.testing.assert_allclose(feet[1], feet[0][sprout.pad_mirror_ids] * [1, -1, 1], atol=1e-6)


def test_gym_makes_it(sprout: RobotModel) -> None:
    env = gym.make("WildRobot-v0", robot="sprout")
    check_env(env.unwrapped, skip_render_check=True)
    obs, _ = env.reset(seed=0)
    assert obs.shape == (3 * 20 + 12,) and env.action_space.shape == (20,)
    for name in ("obs", "action", "amp"):
        ids = np.array(env.unwrapped.mirror[f"{name}_ids"])
        np.testing.assert_array_equal(ids[ids], np.arange(len(ids)))
    assert not np.array_equal(ids, np.arange(len(ids)))
    for _ in range(25):
        obs, reward, terminated, _, info = env.step(np.zeros(20, np.float32))
        assert not terminated and np.isfinite(obs).all() and np.isfinite(reward)
    assert info["reward_base_height"] > 0.9 * 0.02 * 0.3  # its own target height


@pytest.mark.slow
def test_both_engines_move_it_alike(sprout: RobotModel) -> None:
    import jax

    from wildrobot_gym.physics.mjx import MjxEngine

    rng = np.random.default_rng(0)
    targets = sprout.home_joint_pos + rng.uniform(-0.1, 0.1, (10, 20))
    native, mjx = NativePhysics(sprout, 1, num_threads=1), MjxEngine(sprout)
    start = sprout.home_qpos.astype(np.float32)
    here = native.reset(np.arange(1), start[None], np.zeros((1, 26)))
    data, there = jax.jit(mjx.init)(start, np.zeros(26, np.float32))
    step = jax.jit(mjx.step)
    for target in targets.astype(np.float32):
        here = native.step(Drive(target[None]))
        data, there = step(data, Drive(target))
    np.testing.assert_allclose(there.qpos, here.qpos[0], atol=5e-3)
    np.testing.assert_allclose(there.actuator_forces, here.actuator_forces[0], atol=0.15)
    assert float(there.pad_forces.sum()) == pytest.approx(here.pad_forces.sum(), rel=0.2)


def test_a_policy_of_another_robot_is_refused_by_its_joints() -> None:
    from wildrobot_gym.training.policy import load_policy

    with pytest.raises(RunError, match=r"(?s)on 'wildrobot'.*waist_yaw.*'sprout' has.*knee_r"):
        load_policy("walk", "sprout")


def test_an_asymmetric_robot_trains_without_symmetry_only(tmp_path: Path) -> None:
    from wildrobot_gym.training.config import from_mapping
    from wildrobot_gym.training.model import make_model, make_vec_env

    model = mjcf("mesh").replace('pos="0 -0.06 0"', 'pos="0 -0.09 0"')
    folder = write(tmp_path / "biped", model, ROBOT + "symmetry: none\n")
    settings = {
        "env_id": "WildRobot-v0",
        "n_envs": 2,
        "n_steps": 4,
        "batch_size": 8,
        "n_timesteps": 8,
        "env_kwargs": {"robot": str(folder), "backend": "native"},
    }
    for way in ("equivariant", "mean"):
        config = from_mapping({**settings, "symmetric_policy": way})
        env = make_vec_env(config)
        with pytest.raises(RobotError, match=r"'biped' is not symmetric.*symmetric_policy: none"):
            make_model(config, env, None)
        env.close()
    config = from_mapping(settings)
    env = make_vec_env(config)
    assert env.get_attr("mirror", indices=[0]) == [None]
    make_model(config, env, None)
    env.close()


def test_speeds_and_heights_of_the_benchmark_follow_from_the_legs(
    sprout: RobotModel, wildrobot: RobotModel
) -> None:
    assert (wildrobot.size, wildrobot.speed_scale) == (1.0, 1.0)
    speeds = ((0.4, 0.4369), (0.4 * sprout.speed_scale, sprout.leg_length))
    froude = [v**2 / (9.81 * leg) for v, leg in speeds]
    assert froude[0] == pytest.approx(froude[1])
    metrics = {
        name: np.array([value])
        for name, value in (
            ("survived", 1.0),
            ("velocity_error", 0.0),
            ("cadence_left", 1.5),
            ("clearance", 0.011),
            ("slip", 0.0),
        )
    }
    assert success(metrics)[0] == 0.0
    assert success(metrics, SUCCESS_CLEARANCE * sprout.size)[0] == 1.0


def test_action_scales_by_pattern(sprout: RobotModel) -> None:
    scale = {"*": 0.8, "shoulder_*": 0.3, "shoulder_swing_l": 0.4}
    control = ServoControl(sprout, ActionConfig(joint_scale=scale))
    found = dict(zip(sprout.joint_names, control.scale.tolist(), strict=True))
    assert found["knee_l"] == pytest.approx(0.8)
    assert found["shoulder_spread_r"] == pytest.approx(0.3)
    assert found["shoulder_swing_l"] == pytest.approx(0.4)
    with pytest.raises(ConfigError, match=r"Unknown joint in action\.joint_scale 'arm_\*'"):
        ServoControl(sprout, ActionConfig(joint_scale={"arm_*": 0.3}))
