"""The suites: their definitions, what is drawn for them, and a short one on real physics."""

import json
from contextlib import closing
from dataclasses import replace

import mujoco
import numpy as np
import pytest
from synthetic import DT

from wildrobot_gym.config import build
from wildrobot_gym.errors import ConfigError, RobotError
from wildrobot_gym.evaluation.metrics import first_step
from wildrobot_gym.evaluation.suites.benchmark import SuiteBenchmark, row_settings
from wildrobot_gym.evaluation.suites.catalog import STAND, SUITES, chosen_suites
from wildrobot_gym.evaluation.suites.definition import Bar, Course, Row, Suite, Unsettled
from wildrobot_gym.evaluation.suites.results import RowResult, SuiteResult
from wildrobot_gym.evaluation.suites.scripts import commands_of, drawn_command
from wildrobot_gym.evaluation.suites.starts import staggered_pose, unsettled_starts
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import EnvConfig, SensorConfig

START = Unsettled(tilt=0.07, rate=0.35, stagger=0.04)
TINY = Suite(
    "tiny",
    "3.2 s",
    "starts",
    (
        Row("standing", (0.0, 0.0, 0.0), 3.2, START),
        Row("course", Course(interval_s=(0.5, 1.0), last_s=0.6), 3.2, START),
    ),
    (Bar("survived", low=1.0), Bar("displacement", high=0.05, of="p95", rows=("standing",))),
)


def still(obs):
    return np.zeros((len(obs), 9), np.float32)


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_every_suite_has_settings_that_the_environment_takes(suite):
    names = [row.name for row in suite.rows]
    assert len(set(names)) == len(names) > 0
    for row in suite.rows:
        build(EnvConfig, row_settings({}, row))
    assert (
        suite.strength is None
        or suite.draw in suite.rows[0].env.get("randomization", {})
        or all(row.strength for row in suite.rows)
    )
    for bar in suite.bars:
        assert set(bar.rows) <= set(names)
        assert bar.low is not None or bar.high is not None


def test_sensors_have_errors_in_the_channels_of_the_policy():
    own = {"channels": ["gyro", "gravity", "action"], "sensors": {"gyro": {"scale": 0.5}}}
    row = Row("x", (0.4, 0.0, 0.0), sensors={"gyro": {"noise": 0.1}, "joint_vel": {"noise": 0.2}})
    config = build(EnvConfig, row_settings({"observation": own}, row)).observation
    assert config.channels == ("gyro", "gravity", "action")
    assert config.sensors == {"gyro": SensorConfig(scale=0.5, noise=0.1)}
    config = build(EnvConfig, row_settings({}, row)).observation
    assert config.channels == EnvConfig().observation.channels
    assert config.sensors == {"joint_vel": SensorConfig(noise=0.2)}


def test_a_suite_is_chosen_by_name():
    assert [suite.name for suite in chosen_suites("all")] == list(SUITES)
    assert chosen_suites("stand") == (STAND,)
    with pytest.raises(ConfigError, match=r"suite 'stnd'\. Did you mean 'stand'"):
        chosen_suites("stnd")


def test_a_course_has_commands_of_its_intervals_and_ends_straight_ahead():
    course = Course()
    row = Row("course", course, 60.0)
    commands = commands_of(row, 8, 3000, DT, np.random.default_rng(3))
    assert commands.shape == (3000, 8, 3)
    again = commands_of(row, 8, 3000, DT, np.random.default_rng(3))
    np.testing.assert_array_equal(commands, again)
    assert (commands[2800:, :, 1:] == 0).all() and (commands[2800:, :, 0] > 0).all()
    assert (commands[2800:] == commands[2800]).all()
    for part, (low, high) in enumerate((course.vx, course.vy, course.yaw_rate)):
        assert low <= commands[..., part].min() and commands[..., part].max() <= high
    for env in range(8):
        times = np.array([entry[0] for entry in drawn_command(commands[:, env], DT)])
        # Two stops in a row are one of up to 8 s; the one before the last may be cut short.
        assert np.diff(times)[:-1].min() >= 2.0 - 1e-9
    stopped = (commands == 0).all(axis=2).mean()
    assert 0.1 < stopped < 0.4
    assert 0.25 < (commands[:2800, :, 2] != 0).mean() < 0.5  # half of what is no stop


@pytest.mark.parametrize("name", ["wildrobot_8dof", "sprout"])
def test_the_staggered_pose_moves_the_feet_and_nothing_else(name):
    robot = RobotModel.load(name)
    data = mujoco.MjData(robot.model)

    def feet(qpos):
        data.qpos[:] = qpos
        mujoco.mj_kinematics(robot.model, data)
        frames = [data.site(foot) for foot in robot.foot_names]
        return np.array([f.xpos for f in frames]), np.array(
            [f.xmat.reshape(3, 3)[2] for f in frames]
        )

    home, level = feet(robot.home_qpos)
    pose = staggered_pose(robot, 1, 0.04)
    moved, tilted = feet(pose)
    np.testing.assert_allclose(moved - home, [[-0.02, 0, 0], [0.02, 0, 0]], atol=1e-3)
    np.testing.assert_allclose(tilted, level, atol=0.02)
    np.testing.assert_array_equal(pose[:7], robot.home_qpos[:7])
    with pytest.raises(RobotError, match=r"cannot stand with its feet 1\.5 m staggered"):
        staggered_pose(robot, 0, 1.5)


def test_starts_have_the_size_they_say_in_any_direction(robot):
    qpos, qvel, drawn = unsettled_starts(robot, START, 16, np.random.default_rng(0))
    up = 1 - 2 * (qpos[:, 4] ** 2 + qpos[:, 5] ** 2)
    np.testing.assert_allclose(np.arccos(up), 0.07, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(qvel, axis=1), 0.35)
    assert (qvel[:, [0, 1, 2, 5]] == 0).all()
    assert {"start_heading", "start_tilt_direction", "start_foot_ahead"} <= set(drawn)
    assert set(drawn["start_foot_ahead"]) == {0.0, 1.0}
    again, _, _ = unsettled_starts(robot, START, 16, np.random.default_rng(0))
    np.testing.assert_array_equal(qpos, again)


@pytest.fixture(scope="module")
def benchmark():
    with closing(SuiteBenchmark(episodes=2, seed=5, backend="native")) as bench:
        yield bench


@pytest.fixture(scope="module")
def result(benchmark):
    return benchmark.run(TINY, still)


def test_rows_of_equal_settings_run_as_one_batch(benchmark, result):
    assert [env.num_envs for env in benchmark._envs.values()] == [4]
    assert [row.row.name for row in result.rows] == ["standing", "course"]
    assert benchmark.work(TINY) == 4 * 160


def test_episodes_begin_where_they_were_drawn(benchmark, result):
    """Home pose with staggered feet: a robot that does nothing stands, tilted at first."""
    row = result.rows[0]
    assert row.metrics["survived"].tolist() == [1.0, 1.0]
    assert row.metrics["settling_time"].min() > 0
    assert row.draws["start_heading"].shape == (2,)
    (env,) = benchmark._envs.values()
    qpos, qvel, _ = unsettled_starts(env.robot, START, 4, np.random.default_rng(9))
    env.begin_with(np.zeros((4, 3)), 0, (qpos, qvel))
    np.testing.assert_allclose(env.physics_state.qpos[:, 7:], qpos[:, 7:], atol=1e-6)
    np.testing.assert_allclose(env.physics_state.qvel, qvel, atol=1e-6)


def test_commands_change_in_the_episode(benchmark, result):
    (env,) = benchmark._envs.values()
    assert len(result.rows[1].draws["command"][0]) > 2
    last = np.array([entries[-1][1:] for entries in result.rows[1].draws["command"]])
    again = benchmark.run(TINY, still)
    np.testing.assert_allclose(env.command[2:], last, atol=1e-6)
    for name, values in result.rows[1].metrics.items():
        np.testing.assert_array_equal(values, again.rows[1].metrics[name], err_msg=name)


def test_json_has_rows_bars_and_draws(result):
    data = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert set(data["rows"]) == {"standing", "course"}
    assert len(data["rows"]["standing"]["draws"]["start_heading"]) == 2
    assert data["rows"]["course"]["command"] == "drawn"
    assert data["rows"]["standing"]["survived"] == [1, 1]
    assert data["rows"]["standing"]["metrics"]["survived"]["low"] < 1.0  # Wilson's
    assert [bar["metric"] for bar in data["bars"]] == ["survived", "displacement"]


def test_a_recording_ends_where_no_robot_is_left(benchmark):
    def thrashing(obs):
        return np.where(np.arange(len(obs))[:, None] % 2, 1.0, -1.0) * np.ones((1, 9), np.float32)

    steps = []
    short = benchmark.run(TINY, thrashing, steps.append)
    assert short.rows[0].summary["survived"]["mean"] == 0.0
    assert steps and len(steps) < 160
    assert not short.passed and short.verdicts[1].value is None


@pytest.mark.slow  # each suite has an environment of its own to compile
@pytest.mark.parametrize(
    "suite", [s for s in SUITES.values() if s.rows[0].env], ids=lambda s: s.name
)
def test_what_was_drawn_is_in_the_results(suite):
    row = replace(suite.rows[0], duration_s=0.2)
    with closing(SuiteBenchmark(episodes=2, backend="native")) as bench:
        short = bench.run(replace(suite, rows=(row,), bars=()), still)
    found = short.to_json()["rows"][row.name]
    assert found["survived"] == [1, 1]
    ranges = row.env.get("randomization", {})
    places = {"start_position", "start_heading"} if "terrain" in row.env else set()
    assert set(found["draws"]) == set(ranges) | places
    for name, (low, high) in ranges.items():
        if name != "stuck_switch":  # a probability
            assert low - 1e-6 <= np.min(found["draws"][name]) <= np.max(found["draws"][name])
            assert np.max(found["draws"][name]) <= high + 1e-6


def rows_with(**values):
    rows = tuple(Row(name, (0.4, 0.0, 0.0)) for name in values)
    results = [RowResult(row, {"slip": np.array(values[row.name])}, {}) for row in rows]
    return rows, tuple(results)


def test_the_worst_row_decides_about_a_bar():
    rows, results = rows_with(a=[0.01, 0.03], b=[0.06, 0.08], c=[0.5])
    bars = (Bar("slip", high=0.05, rows=("a", "b")), Bar("slip", low=0.01), Bar("slip", high=0.5))
    result = SuiteResult(Suite("x", "", "", rows, bars), 2, 0, results)
    assert [(v.row, v.met) for v in result.verdicts] == [("b", False), ("a", True), ("c", True)]
    assert result.verdicts[0].value == pytest.approx(0.07)
    assert not result.passed
    missing = SuiteResult(Suite("x", "", "", rows, bars[:1]), 2, 0, results[2:])
    assert missing.verdicts == ()  # none of its rows was run


def test_limits_as_text():
    assert Bar("slip", high=0.05).limits == "≤ 0.05"
    assert Bar("cadence", low=0.9, high=2.2).limits == "0.9 ... 2.2"
    assert first_step(DT) == 100
