"""The walking task as pure functions: action, observation, episode ends, commands, starts."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from state_makers import make_state, quat

from wildrobot_gym.config import build
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import gravity_direction, yaw_of
from wildrobot_gym.task.commands import sample_command
from wildrobot_gym.task.config import CommandConfig, EnvConfig
from wildrobot_gym.task.fitting import fitted
from wildrobot_gym.task.observations import observation_dim, observe
from wildrobot_gym.task.resets import ReferenceStates
from wildrobot_gym.task.terminations import terminated
from wildrobot_gym.task.walk import WalkTask

KEY = jax.random.PRNGKey(0)


def make_task(
    robot: RobotModel, max_episode_steps: int | None = 5, reference: Any = None, **settings: Any
) -> WalkTask:
    return WalkTask(robot, build(EnvConfig, settings), max_episode_steps, reference)


def begin(task: WalkTask, state: Any, key: jax.Array = KEY) -> Any:
    blank = task.blank(key)
    return task.begin(blank, task.draw_start(key), state)


# --- action ---


def test_action_golden(wildrobot: RobotModel) -> None:
    task = make_task(wildrobot)
    before = task.blank(KEY).replace(action=jnp.full(9, -0.5))
    filtered, drive = task.target(before, jnp.full(9, 0.5))
    target = drive.targets
    np.testing.assert_allclose(filtered, 0.7 * 0.5 - 0.3 * 0.5, rtol=1e-6)  # 0.2
    # waist 0.5 rad; hip pitch 1 rad about home 0.25; knee home 0.5; left hip roll stops at its
    # limit 0.1745.
    want = [0.1, 0.45, 0.1745, 0.7, -0.05, -0.05, 0.2, 0.7, -0.05]
    np.testing.assert_allclose(target, want, atol=1e-6)


def test_heights_that_end_every_episode_at_once_are_refused(wildrobot: RobotModel) -> None:
    with pytest.raises(ConfigError, match=r"min_height 0\.5.*0\.4\d+ m up"):
        make_task(wildrobot, termination={"min_height": 0.5})


def test_any_large_number_means_never(wildrobot: RobotModel) -> None:
    task = make_task(wildrobot, 10**10, commands={"resample_interval_s": 1e8})
    now, _ = begin(task, make_state(wildrobot))
    command = now.command
    now, out = jax.jit(task.advance)(now, make_state(wildrobot), jnp.zeros(9))
    np.testing.assert_array_equal(now.command, command)
    assert not bool(out.truncated)


def test_actions_are_clipped_and_targets_stay_in_the_limits(robot: RobotModel) -> None:
    task = make_task(robot, action={"filter": 1.0})
    for value in (-7.0, 7.0):
        filtered, drive = task.target(task.blank(KEY), jnp.full(robot.num_joints, value))
        target = drive.targets
        np.testing.assert_array_equal(filtered, np.sign(value))
        assert (np.asarray(target) >= robot.joint_range[:, 0] - 1e-6).all()
        assert (np.asarray(target) <= robot.joint_range[:, 1] + 1e-6).all()
    _, drive = task.target(task.blank(KEY), jnp.zeros(robot.num_joints))
    target = drive.targets
    np.testing.assert_allclose(target, robot.home_joint_pos, atol=1e-6)


def test_action_scale_of_a_misspelt_joint(robot: RobotModel) -> None:
    with pytest.raises(ConfigError, match=r"'left_hip_rol'.*Did you mean 'left_hip_roll'"):
        make_task(robot, action={"joint_scale": {"left_hip_rol": 0.5}})
    task = make_task(robot, action={"joint_scale": {"left_hip_roll": 0.25}, "filter": 1.0})
    _, drive = task.target(task.blank(KEY), jnp.full(robot.num_joints, -1.0))
    target = drive.targets
    assert target[robot.joint_names.index("left_hip_roll")] == pytest.approx(-0.25)


# --- observation ---


def test_observation_golden(robot: RobotModel) -> None:
    n = robot.num_joints
    state = make_state(
        robot,
        base_quat=quat(yaw=np.pi / 2),
        lin_vel=[0.1, 0.5, 0.2],
        ang_vel=[0.4, 0.8, 1.2],
        joints=robot.home_joint_pos + 0.1,
        joint_vel=np.full(n, 3.0),
    )
    obs = observe(
        jnp.asarray(robot.home_joint_pos, jnp.float32),
        state,
        jnp.array([0.6, 0.1, -0.2]),
        jnp.full(n, 0.7),
    )
    want = [
        *[0.1] * n,
        *[0.3] * n,
        0.5,
        -0.1,
        0.2,
        0.1,
        0.2,
        0.3,
        0,
        0,
        -1,
        0.6,
        0.1,
        -0.2,
        *[0.7] * n,
    ]
    np.testing.assert_allclose(obs, want, atol=1e-6)
    assert observation_dim(robot) == {9: 39, 8: 36}[n] == len(want)


def test_observation_is_clipped(wildrobot: RobotModel) -> None:
    state = make_state(wildrobot, joint_vel=np.full(9, 1e6))
    obs = observe(jnp.zeros(9), state, jnp.zeros(3), jnp.zeros(9))
    assert float(obs.max()) == 10.0


# --- episode ends ---


@pytest.mark.parametrize(
    ("changes", "settings", "want"),
    [
        ({}, {}, False),
        ({"height": 0.1999}, {}, True),
        ({"height": 0.2001}, {}, False),
        ({"height": 0.6999}, {}, False),
        ({"height": 0.7001}, {}, True),
        ({"diverged": True}, {}, True),
        ({"base_quat": quat(pitch=2.0)}, {}, False),
        ({"base_quat": quat(pitch=0.49, yaw=1.0)}, {"max_tilt": 0.5}, False),
        ({"base_quat": quat(roll=-0.51, yaw=1.0)}, {"max_tilt": 0.5}, True),
    ],
)
def test_termination(wildrobot: RobotModel, changes: dict, settings: dict, want: bool) -> None:
    ends = fitted(build(EnvConfig, {"termination": settings}), wildrobot).termination
    assert bool(terminated(make_state(wildrobot, **changes), ends)) is want


def test_the_time_limit_truncates_and_never_terminates(wildrobot: RobotModel) -> None:
    task = make_task(wildrobot, max_episode_steps=3)
    state = make_state(wildrobot)
    now, _ = begin(task, state)
    ends = []
    for _ in range(3):
        now, out = task.advance(now, state, jnp.zeros(9))
        ends.append((bool(out.terminated), bool(out.truncated)))
    assert ends == [(False, False), (False, False), (False, True)]
    # A fall in the last step is a fall.
    now, _ = begin(task, state)
    now = now.replace(step_count=jnp.int32(2))
    _, out = task.advance(now, make_state(wildrobot, height=0.1), jnp.zeros(9))
    assert (bool(out.terminated), bool(out.truncated)) == (True, False)


def test_no_time_limit(wildrobot: RobotModel) -> None:
    task = make_task(wildrobot, max_episode_steps=None)
    now, _ = begin(task, make_state(wildrobot))
    _, out = task.advance(
        now.replace(step_count=jnp.int32(10**6)), make_state(wildrobot), jnp.zeros(9)
    )
    assert not out.truncated


def test_success_is_a_time_out_at_the_commanded_mean_speed(wildrobot: RobotModel) -> None:
    task = make_task(wildrobot, max_episode_steps=4)
    for speeds, want in (((0.2, 0.8, 0.2, 0.8), 1.0), ((0.35, 0.35, 0.35, 0.35), 0.0)):
        now, _ = begin(task, make_state(wildrobot))
        now = now.replace(command=jnp.array([0.5, 0, 0]))
        for speed in speeds:
            now, out = task.advance(now, make_state(wildrobot, lin_vel=[speed, 0, 0]), jnp.zeros(9))
            assert float(out.metrics["velocity_error"]) == pytest.approx(abs(speed - 0.5), abs=1e-6)
            assert float(out.metrics["forward_velocity"]) == pytest.approx(speed, abs=1e-6)
        assert bool(out.truncated)
        assert float(out.metrics["is_success"]) == want


@pytest.mark.parametrize("commands", [(0.9, 0.1), (0.5, 0.5)])
def test_too_slow_for_one_command_does_not_make_up_for_too_fast_for_the_next(
    wildrobot: RobotModel, commands: Any
) -> None:
    task = make_task(wildrobot, max_episode_steps=4, commands={"resample_interval_s": 0.04})
    now, _ = begin(task, make_state(wildrobot))
    for command in commands:
        now = now.replace(command=jnp.array([command, 0, 0]))
        for _ in range(2):  # control steps to the next draw
            now, out = task.advance(now, make_state(wildrobot, lin_vel=[0.5, 0, 0]), jnp.zeros(9))
    assert bool(out.truncated) and bool(out.metrics["is_success"]) == (commands == (0.5, 0.5))


# --- one step ---


def test_terms_sum_to_the_reward_and_jit_equals_no_jit(robot: RobotModel) -> None:
    task = make_task(robot, rewards={"feet_air_time": 1.0})
    state = make_state(
        robot, lin_vel=[0.3, 0.1, 0], actuator_forces=np.linspace(-4, 4, robot.num_joints)
    )
    now, _ = begin(task, state)
    action = jnp.linspace(-1, 1, robot.num_joints)
    next_task, out = task.advance(now, state, action)
    np.testing.assert_allclose(sum(out.terms.values()), out.reward, rtol=1e-6)
    jitted = jax.jit(task.advance)(now, state, action)
    for a, b in zip(jax.tree.leaves(jitted), jax.tree.leaves((next_task, out)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    n = robot.num_joints
    np.testing.assert_array_equal(
        out.obs[-n:], action
    )  # the observation shows the action just applied
    assert int(next_task.step_count) == 1


def test_the_window_ends_in_this_step(wildrobot: RobotModel) -> None:
    task = make_task(
        wildrobot, max_episode_steps=None, features={"history": {"frames": 2, "stride": 2}}
    )
    states = [make_state(wildrobot, height=0.40 + 0.01 * i) for i in range(5)]
    now, seen = begin(task, states[0])
    first = seen.amp_obs
    heights = [first]
    for state in states[1:]:
        now, out = task.advance(now, state, jnp.zeros(9))
        heights.append(out.amp_obs)
    column = 2 * 9 + 6
    got = np.array(heights)[:, [column, 29 + column]]
    np.testing.assert_allclose(
        got, [[0.4, 0.4], [0.4, 0.41], [0.4, 0.42], [0.41, 0.43], [0.42, 0.44]], atol=1e-6
    )


def test_air_time_is_rewarded_at_the_touchdown(wildrobot: RobotModel) -> None:
    task = make_task(
        wildrobot,
        max_episode_steps=None,
        rewards={"feet_air_time": 1.0},
        commands={"vx": (0.5, 0.5), "standing_fraction": 0.0},
    )
    down = make_state(wildrobot)
    up = make_state(
        wildrobot, pad_forces=[0.0, 1.0, 8.0, 8.0]
    )  # the left foot carries less than a tenth of the weight
    now, _ = begin(task, down)
    paid = []
    for state in [up] * 20 + [down] * 2:
        now, out = task.advance(now, state, jnp.zeros(9))
        paid.append(float(out.terms["feet_air_time"]))
    assert paid[:20] == [0.0] * 20
    assert paid[20] == pytest.approx(0.02 * (0.40 - 0.25), abs=1e-6)
    assert paid[21] == 0.0


def test_a_liftoff_is_penalized_by_the_time_on_both_feet_before_it(wildrobot: RobotModel) -> None:
    task = make_task(wildrobot, max_episode_steps=None, rewards={"short_double_support": -1.0})
    down = make_state(wildrobot)
    left_up = make_state(wildrobot, pad_forces=[0.0, 1.0, 8.0, 8.0])
    right_up = make_state(wildrobot, pad_forces=[8.0, 8.0, 0.0, 1.0])
    now, _ = begin(task, down)
    penalties = []
    # The first liftoff is not judged; the second follows 0.04 s on both feet, the third none, the
    # last 0.10 s.
    for state in (
        [left_up] * 3 + [down] * 2 + [right_up] * 3 + [left_up] * 3 + [down] * 5 + [right_up]
    ):
        now, out = task.advance(now, state, jnp.zeros(9))
        penalties.append(float(out.terms["short_double_support"]))
    want = np.zeros(17)
    want[5], want[8] = -0.02 * (1 - 0.04 / 0.08), -0.02
    np.testing.assert_allclose(penalties, want, atol=1e-6)


# --- commands ---


def test_command_ranges_and_standing_fraction() -> None:
    config = CommandConfig(
        vx=(-0.3, 0.9), vy=(-0.2, 0.1), yaw_rate=(0.1, 0.5), standing_fraction=0.25
    )
    draws = np.asarray(jax.vmap(lambda k: sample_command(k, config))(jax.random.split(KEY, 4000)))
    standing = (draws == 0).all(axis=1)
    assert standing.mean() == pytest.approx(0.25, abs=0.03)
    walking = draws[~standing]
    for column, (low, high) in enumerate([config.vx, config.vy, config.yaw_rate]):
        assert walking[:, column].min() >= low
        assert walking[:, column].max() <= high
        assert walking[:, column].mean() == pytest.approx((low + high) / 2, abs=0.03)


def test_commands_are_drawn_again_on_the_interval(wildrobot: RobotModel) -> None:
    task = make_task(
        wildrobot, None, commands={"resample_interval_s": 0.08, "standing_fraction": 0.0}
    )
    now, _ = begin(task, make_state(wildrobot))
    seen = [float(now.command[0])]
    for _ in range(9):
        now, out = task.advance(now, make_state(wildrobot), jnp.zeros(9))
        seen.append(float(now.command[0]))
        assert float(out.obs[27]) == seen[-1]  # what is asked of the next action
    assert [i for i in range(1, 10) if seen[i] != seen[i - 1]] == [4, 8]


def test_held_commands_stay(wildrobot: RobotModel) -> None:
    task = make_task(wildrobot, None, commands={"resample_interval_s": 0.04})
    blank = task.blank(KEY).replace(
        command=jnp.array([0.7, 0.1, 0.2]), command_held=jnp.array(True)
    )
    now, seen = task.begin(blank, task.draw_start(KEY), make_state(wildrobot))
    obs = seen.obs
    np.testing.assert_allclose(obs[27:30], [0.7, 0.1, 0.2])
    for _ in range(5):
        now, _ = task.advance(now, make_state(wildrobot), jnp.zeros(9))
        np.testing.assert_allclose(now.command, [0.7, 0.1, 0.2])


# --- starts ---


def draws(task: WalkTask, n: int = 1000) -> Any:
    return jax.jit(jax.vmap(task.draw_start))(jax.random.split(KEY, n))


def test_start_noise_stays_in_its_ranges(robot: RobotModel) -> None:
    config = {"joint_noise": 0.04, "velocity_noise": 0.2, "tilt_noise": 0.05}
    starts = draws(make_task(robot, reset=config))
    joints = np.asarray(starts.qpos[:, 7:]) - robot.home_joint_pos
    assert np.abs(joints).max() <= 0.04 + 1e-6
    assert (joints.max(axis=0) > 0.035).all()
    assert (joints.min(axis=0) < -0.035).all()
    assert (np.asarray(starts.qpos[:, 7:]) >= robot.joint_range[:, 0] - 1e-6).all()
    np.testing.assert_allclose(
        starts.qpos[:, :3], np.tile(robot.home_qpos[:3], (1000, 1)), atol=1e-6
    )
    planar = np.hypot(*np.asarray(starts.qvel[:, :2]).T)
    assert planar.max() <= 0.2 * np.sqrt(2) + 1e-6
    assert np.abs(starts.qvel[:, 2:]).max() <= 0.2 + 1e-6
    assert np.abs(starts.qvel[:, 2:]).max(axis=0).min() > 0.19
    sine = np.linalg.norm(gravity_direction(starts.qpos[:, 3:7])[:, :2], axis=1)
    assert 0.05 < sine.max() <= np.sin(0.05 * np.sqrt(2)) + 1e-4
    np.testing.assert_allclose(np.linalg.norm(starts.qpos[:, 3:7], axis=1), 1, atol=1e-5)
    assert not starts.from_reference.any()


def test_headings_are_uniform(wildrobot: RobotModel) -> None:
    yaw = np.asarray(yaw_of(draws(make_task(wildrobot)).qpos[:, 3:7]))
    counts, _ = np.histogram(yaw, bins=8, range=(-np.pi, np.pi))
    assert counts.sum() == 1000
    assert counts.min() > 85  # 125 expected, four standard deviations


def test_no_noise_is_home(wildrobot: RobotModel) -> None:
    starts = draws(
        make_task(wildrobot, reset={"joint_noise": 0, "velocity_noise": 0, "tilt_noise": 0}), 10
    )
    np.testing.assert_allclose(
        starts.qpos[:, 7:], np.tile(wildrobot.home_joint_pos, (10, 1)), atol=1e-6
    )
    np.testing.assert_array_equal(starts.qvel, 0)
    leaning = np.array([np.cos(0.1), 0.0, np.sin(0.1), 0.0])
    bent = replace(
        wildrobot,
        home_qpos=np.concatenate([wildrobot.home_qpos[:3], leaning, wildrobot.home_qpos[7:]]),
    )
    starts = draws(
        make_task(bent, reset={"joint_noise": 0, "velocity_noise": 0, "tilt_noise": 0}), 10
    )
    down = np.asarray(gravity_direction(starts.qpos[:, 3:7]))
    np.testing.assert_allclose(down, np.tile([np.sin(0.2), 0, -np.cos(0.2)], (10, 1)), atol=1e-6)


def make_reference(robot: RobotModel, task: WalkTask) -> ReferenceStates:
    """Two frames with different heights, walking forward while facing x."""
    qpos = np.tile(robot.home_qpos, (2, 1))
    qpos[:, 2] = 0.43, 0.44
    qpos[:, 7] = 0.1
    qvel = np.zeros((2, robot.model.nv))
    qvel[:, 0], qvel[:, 6:] = 0.4, 1.0
    past = np.arange(2 * np.prod(task.amp.past_shape)).reshape(2, *task.amp.past_shape)
    command = np.array([[0.4, 0, 0], [0.5, 0, 0]])
    features = -np.arange(1, 1 + 2 * task.amp.past_shape[1]).reshape(2, -1)
    return ReferenceStates(
        *(jnp.asarray(x, jnp.float32) for x in (qpos, qvel, command, features, past, [0.3, 0.7])),
        jnp.arange(2),
    )


def test_reference_starts(robot: RobotModel) -> None:
    reference = make_reference(robot, make_task(robot))
    task = make_task(robot, 5, reference, reset={"reference_fraction": 0.4})
    starts = draws(task)
    fraction = np.asarray(starts.from_reference)
    assert fraction.mean() == pytest.approx(0.4, abs=0.06)
    heights = np.asarray(starts.qpos[:, 2])
    assert set(np.round(heights[fraction], 4)) == {np.float32(0.43), np.float32(0.44)}
    np.testing.assert_allclose(heights[~fraction], robot.home_qpos[2], atol=1e-6)
    # The whole state was turned together: it still walks where it faces, at 0.4 m/s.
    i = int(np.flatnonzero(fraction)[0])
    yaw = float(yaw_of(starts.qpos[i, 3:7]))
    assert abs(yaw) > 0.01
    np.testing.assert_allclose(
        starts.qvel[i, :2], [0.4 * np.cos(yaw), 0.4 * np.sin(yaw)], atol=1e-5
    )
    np.testing.assert_allclose(starts.qvel[i, 6:], 1.0)
    # The episode continues the reference: its command, its past, its pose as the action filter's
    # memory.
    start = jax.tree.map(lambda x: x[i], starts)
    frame = int(heights[i] > 0.435)
    state = make_state(robot, joints=reference.qpos[frame, 7:], height=heights[i])
    now, seen = task.begin(task.blank(KEY), start, state)
    obs, amp_obs = seen.obs, seen.amp_obs
    np.testing.assert_allclose(now.command, reference.command[frame])
    np.testing.assert_allclose(now.start_phase, [0.3, 0.7][frame])
    width = task.amp.past_shape[1]
    np.testing.assert_array_equal(amp_obs[:width], reference.history[frame][0])
    np.testing.assert_array_equal(amp_obs[-width:], reference.features[frame])
    # The first frame is past by the next step; it must not be missing between the reference's
    # frames and the episode's.
    np.testing.assert_array_equal(
        now.history, np.concatenate([reference.history[frame][1:], [amp_obs[-width:]]])
    )
    _, drive = task.target(now, now.action)
    target = drive.targets
    np.testing.assert_allclose(target, reference.qpos[frame, 7:], atol=1e-5)
    np.testing.assert_array_equal(obs[-robot.num_joints :], now.action)


def test_reference_fraction_without_a_reference(wildrobot: RobotModel) -> None:
    with pytest.raises(ConfigError, match=r"reference_fraction is 0\.5.*pass\s+reference="):
        make_task(wildrobot, reset={"reference_fraction": 0.5})


def test_starts_barely_touch_the_floor(wildrobot: RobotModel) -> None:
    """Noise puts a sole up to 16 mm into the floor, no deeper.

    The first steps push it out at walking speeds.
    """
    starts = draws(make_task(wildrobot), 200)
    data = mujoco.MjData(wildrobot.model)
    depths = []
    for qpos in np.asarray(starts.qpos):
        data.qpos[:] = qpos
        mujoco.mj_kinematics(wildrobot.model, data)
        mujoco.mj_collision(wildrobot.model, data)
        depths.append(min([c.dist for c in data.contact], default=0.0))
    assert min(depths) > -0.016


def test_robots_of_other_gains_share_no_compiled_task(wildrobot: RobotModel) -> None:
    """Randomization compiles a robot's nominal gains in."""
    other = copy.deepcopy(wildrobot)
    other.model.actuator_gainprm[:, 0] *= 1.1
    assert make_task(wildrobot).sharing_key() == make_task(copy.deepcopy(wildrobot)).sharing_key()
    assert make_task(wildrobot).sharing_key() != make_task(other).sharing_key()


def test_the_clock_starts_at_the_phase_of_the_reference(wildrobot: RobotModel) -> None:
    """Of two frames at 0.3 and 0.7 cycles, the second stands in the list three times."""
    settings: dict[str, Any] = {
        "observation": {"channels": ["clock"], "clock_hz": 1.25},
        "reset": {"reference_fraction": 1.0},
    }
    reference = make_reference(wildrobot, make_task(wildrobot))
    reference = reference.replace(often=jnp.array([0, 1, 1, 1]))
    task = make_task(wildrobot, 5, reference, **settings)
    starts = draws(task)
    phases = np.round(np.asarray(starts.phase), 2)
    assert (phases == np.float32(0.7)).mean() == pytest.approx(0.75, abs=0.06)
    i = int(np.flatnonzero(phases == np.float32(0.3))[0])
    start = jax.tree.map(lambda x: x[i], starts)
    state = make_state(wildrobot)
    now, seen = task.begin(task.blank(KEY), start, state)
    angles = 2 * np.pi * np.array([0.3, 0.3 + 1.25 * 0.02])
    np.testing.assert_allclose(seen.obs, [np.sin(angles[0]), np.cos(angles[0])], atol=1e-5)
    _, output = task.advance(now, state, jnp.zeros(wildrobot.num_joints))
    np.testing.assert_allclose(output.obs, [np.sin(angles[1]), np.cos(angles[1])], atol=1e-5)
