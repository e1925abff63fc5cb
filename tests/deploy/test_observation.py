"""The NumPy side computes what the environment computes."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from state_makers import make_state, quat

from wildrobot_gym.deploy.commands import Approach, HeadingHold
from wildrobot_gym.deploy.description import HeadingSpec
from wildrobot_gym.deploy.observation import Observer, gravity_in_base, tilt_of, to_heading
from wildrobot_gym.deploy.robot_io import Sensors
from wildrobot_gym.errors import ConfigError, RunError
from wildrobot_gym.rotations import rotate_inverse
from wildrobot_gym.task.config import ActionConfig
from wildrobot_gym.task.control import ServoControl
from wildrobot_gym.task.observations import observe

COUNT = 300


@pytest.fixture(scope="module")
def states(wildrobot):
    """Random states of any heading, tilted by up to 1.2 rad, some of them out of the clip."""
    rng = np.random.default_rng(0)
    qpos = np.tile(wildrobot.home_qpos, (COUNT, 1))
    roll, pitch = rng.uniform(-1.2, 1.2, (2, COUNT))
    yaw = rng.uniform(-np.pi, np.pi, COUNT)
    qpos[:, 3:7] = [quat(*angles) for angles in zip(roll, pitch, yaw, strict=True)]
    qpos[:, 7:] += rng.normal(0, 0.3, (COUNT, 9))
    qvel = rng.normal(0, 3.0, (COUNT, 15))
    qvel[::7, 6:] *= 50
    qpos, qvel = (jnp.asarray(x, jnp.float32) for x in (qpos, qvel))
    return dataclasses.replace(make_state(wildrobot), qpos=qpos, qvel=qvel)


def test_observations_are_the_environments(states, plain_controller, wildrobot):
    rng = np.random.default_rng(1)
    commands = rng.uniform(-1, 1, (COUNT, 3)).astype(np.float32)
    filtered = rng.uniform(-1, 1, (COUNT, 9)).astype(np.float32)
    home = jnp.asarray(wildrobot.home_joint_pos, jnp.float32)
    wanted = np.asarray(observe(home, states, jnp.asarray(commands), jnp.asarray(filtered)))
    lin_vel = np.asarray(rotate_inverse(states.qpos[:, 3:7], states.qvel[:, :3]))
    see = Observer(plain_controller.description)
    qpos, qvel = np.asarray(states.qpos), np.asarray(states.qvel)
    for i in range(COUNT):
        sensors = Sensors(
            0.0,
            joint_pos=qpos[i, 7:],
            joint_vel=qvel[i, 6:],
            quat=qpos[i, 3:7],
            gyro=qvel[i, 3:6],
            lin_vel=lin_vel[i],
        )
        np.testing.assert_allclose(see(sensors, commands[i], filtered[i]), wanted[i], atol=1e-5)
    assert (np.abs(wanted) == 10).any()


def test_actions_become_the_environments_targets(plain_controller, wildrobot):
    control = ServoControl(wildrobot, ActionConfig())
    actions = np.random.default_rng(2).uniform(-1.5, 1.5, (20, 9)).astype(np.float32)

    def apply(before, action):
        filtered = control.filtered(before, action)
        return filtered, control.targets(control.home, filtered)

    apply, before = jax.jit(apply), np.zeros(9, np.float32)
    plain_controller._network = lambda _: action[None]
    for action in actions:
        before, wanted = (np.asarray(x) for x in apply(before, action))
        targets = plain_controller.step(still(), np.zeros(3)).targets
        np.testing.assert_allclose(targets, wanted, atol=1e-6)


def test_a_turned_base_by_hand():
    pitched = quat(pitch=0.3)  # looks down by 0.3 rad
    np.testing.assert_allclose(
        gravity_in_base(pitched), [np.sin(0.3), 0.0, -np.cos(0.3)], atol=1e-9
    )
    assert tilt_of(pitched) == pytest.approx(0.3)
    # Its own forward axis points forward and down, whatever its heading is.
    for yaw in (0.0, 2.0):
        forward = to_heading(quat(pitch=0.3, yaw=yaw), np.array([1.0, 0.0, 0.0]))
        np.testing.assert_allclose(forward, [np.cos(0.3), 0.0, -np.sin(0.3)], atol=1e-9)


def still(**changes):
    """A robot that stands in its home pose."""
    home = np.array([0.0, 0.25, 0.0, 0.5, -0.25, -0.25, 0.0, 0.5, -0.25])
    upright = {"quat": np.array([1.0, 0, 0, 0]), "gyro": np.zeros(3), "lin_vel": np.zeros(3)}
    return Sensors(0.0, home, np.zeros(9), **{**upright, **changes})


def test_a_policy_that_needs_a_velocity_says_so(plain_controller):
    with pytest.raises(RunError, match=r"root_lin_vel.*state estimator"):
        plain_controller.step(still(lin_vel=None), np.zeros(3))


def test_a_course_is_held_by_hand():
    hold = HeadingHold(HeadingSpec(gain=2.0, limit=0.3), 0.02)
    walk, stand = np.array([0.4, 0.0, 0.5]), np.zeros(3)
    assert hold(walk, 3.1)[2] == 0.5  # it holds where the robot looks
    # The heading turned by 0.5 rad/s * 0.02 s, over pi; the robot did not.
    assert hold(walk, 3.1)[2] == pytest.approx(0.5 + 2.0 * 0.01)
    assert hold(walk, -3.13)[2] == pytest.approx(0.5 + 2.0 * (3.12 + 3.13 - 2 * np.pi))
    # A robot that was turned away is not turned back further than the limit reaches.
    assert hold(walk, 1.0)[2] == pytest.approx(0.8)
    assert hold(walk, 1.0)[2] == pytest.approx(0.8)
    assert hold(np.array([0.4, 0.0, 0.0]), 1.14)[2] == pytest.approx(2.0 * 0.01)
    assert hold(stand, 0.2) is not None and not hold(stand, 0.2).any()
    assert hold(np.array([0.4, 0.0, 0.0]), 0.2)[2] == 0.0  # from where it stood
    hold.reset()
    assert hold(walk, -1.0)[2] == 0.5
    assert HeadingHold(HeadingSpec(), 0.02)(walk, 1.0) is walk


def test_a_command_is_approached_from_standing():
    approach, walk = Approach((0.5, 0.25, 1.0), 0.02), np.array([0.015, -0.1, 0.0])
    np.testing.assert_array_equal(approach(walk), 0.0)
    np.testing.assert_allclose(approach(walk), [0.01, -0.005, 0.0])
    np.testing.assert_allclose(approach(walk), [0.015, -0.01, 0.0])
    np.testing.assert_allclose(approach(np.zeros(3)), [0.005, -0.005, 0.0])
    approach.reset()
    np.testing.assert_array_equal(approach(walk), 0.0)
    assert Approach(None, 0.02)(walk) is walk


def test_an_unknown_channel_is_refused(controller):
    strange = dataclasses.replace(controller.description.channels[0], name="camera")
    description = dataclasses.replace(controller.description, channels=(strange,))
    with pytest.raises(ConfigError, match=r"observes 'camera', which no sensor.*Allowed: joint"):
        Observer(description)
