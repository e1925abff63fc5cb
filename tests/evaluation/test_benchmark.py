"""The walk benchmark on real physics: shapes, fixed commands, reproducibility, and pictures."""

import json
from contextlib import closing
from dataclasses import replace

import imageio.v2 as imageio
import numpy as np
import pytest
from synthetic import walking

from wildrobot_gym.config import build
from wildrobot_gym.errors import ConfigError, RunError
from wildrobot_gym.evaluation import benchmark as protocol
from wildrobot_gym.evaluation import video
from wildrobot_gym.evaluation.benchmark import WalkBenchmark, evaluation_settings, make_env
from wildrobot_gym.evaluation.metrics import measured_steps
from wildrobot_gym.evaluation.plots import gait as plots
from wildrobot_gym.task.config import (
    ObservationConfig,
    ObservationHistoryConfig,
    SensorConfig,
    TerminationConfig,
)

COMMANDS, EPISODES = (0.2, 0.6), 2


@pytest.fixture(scope="module")
def benchmark():
    bench = WalkBenchmark(commands=COMMANDS, episodes=EPISODES, num_steps=160)
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def seen():
    return []


@pytest.fixture(scope="module")
def result(benchmark, seen):
    def policy(obs):
        seen.append(obs[:, 27].copy())
        return np.zeros((len(obs), 9), np.float32)

    return benchmark.run(policy)


def test_commands_are_fixed_for_every_environment(result, seen):
    np.testing.assert_allclose(np.array(seen), np.tile([0.2, 0.2, 0.6, 0.6], (160, 1)), rtol=1e-6)


def test_the_home_pose_stands_without_success(result):
    overall = result.to_json()["overall"]
    assert overall["survived"]["mean"] == 1.0
    assert overall["success"]["mean"] == 0.0
    assert overall["support_double"]["mean"] == 1.0
    assert result.to_json()["commands"]["0.6"]["velocity_error"]["mean"] == pytest.approx(
        0.6, abs=0.02
    )


def test_json_has_the_structure_of_the_benchmark(result):
    data = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert data["protocol"] == "walk-1"
    assert list(data["commands"]) == ["0.2", "0.6"]
    assert set(data["commands"]["0.2"]["success"]) >= {"mean", "low", "high"}


def test_equal_seeds_give_equal_metrics(benchmark, result):
    again = benchmark.run(lambda obs: np.zeros((len(obs), 9), np.float32))
    for name, values in result.metrics.items():
        np.testing.assert_array_equal(values, again.metrics[name], err_msg=name)


def test_only_settings_that_define_the_policy_are_used():
    kwargs = {
        "robot": "wildrobot_8dof",
        "commands": {"vx": [0, 2]},
        "reference": "x",
        "rewards": {"alive": 9.0},
    }
    assert evaluation_settings(kwargs | {"termination": {"max_tilt": 0.8}}) == {
        "robot": "wildrobot_8dof"
    }
    assert (
        evaluation_settings({"termination": TerminationConfig(min_height=0.1)}) == {}
    )  # a fall is a fall for all


def test_a_policy_keeps_its_observation_with_exact_sensors_and_its_course():
    given = {
        "observation": {
            "channels": ["gyro", "gravity"],
            "history": {"frames": 3},
            "sensors": {"gyro": {"noise": 0.1, "scale": 0.5}, "gravity": {"delay_s": 0.01}},
        },
        "commands": {"vx": [0, 2], "heading_gain": 1.5, "ramp_fraction": 0.5},
        "privileged": ["root_height"],
    }
    found = evaluation_settings(given)
    assert found["commands"] == {"heading_gain": 1.5} and set(found) == {"observation", "commands"}
    observation = build(ObservationConfig, found["observation"])
    assert observation == ObservationConfig(
        channels=("gyro", "gravity"),
        history=ObservationHistoryConfig(frames=3),
        sensors={"gyro": SensorConfig(scale=0.5)},
    )
    assert evaluation_settings({"observation": observation}) == {
        "observation": found["observation"]
    }


def test_a_tall_robot_keeps_its_own_heights(robot, monkeypatch):
    """With the default heights, every episode would end at once."""
    tall = {"min_height": 0.5, "max_height": 1.2}
    high = replace(robot, home_qpos=robot.home_qpos + np.eye(len(robot.home_qpos))[2])
    monkeypatch.setattr(protocol.RobotModel, "load", lambda name: high)
    assert evaluation_settings({"termination": {"max_tilt": 0.8, **tall}}) == {"termination": tall}


@pytest.mark.parametrize(
    "bad",
    [
        {"commands": ()},
        {"commands": (float("nan"),)},
        {"commands": (0.4, 0.4)},
        {"episodes": 0},
        {"num_steps": 0},
        {"seed": -1},
    ],
)
def test_wrong_settings_are_refused(bad):
    with pytest.raises(ConfigError, match="allowed"):
        WalkBenchmark(**bad)


def test_the_protocol_counts_in_seconds_at_any_control_period(robot):
    recording = walking(robot)
    assert measured_steps(recording, 0.02)[:, 0].sum() == 400  # of ten seconds two are to get going
    assert measured_steps(recording, 0.01)[:, 0].sum() == 300
    with closing(make_env({"control_dt": 0.04}, 1)) as env:
        assert env.task.max_episode_steps == 250


def test_gait_plot(result, tmp_path):
    path = plots.gait_plot(
        tmp_path / "gait.png", result.recording, result.robot, 0.2, result.control_dt
    )
    assert imageio.imread(path).shape[0] > 300


def test_learning_curves(tmp_path):
    table = tmp_path / "progress.csv"
    table.write_text(
        "time/total_timesteps,amp/reward_mean,eval/success\n100,0.1,\n200,0.2,0.5\n,9,9\n"
    )
    assert plots.learning_curves(tmp_path / "curves.png", table).stat().st_size > 1000
    curves = plots.read_curves(table)  # the last row does not know its steps
    assert {name: points.tolist() for name, points in curves.items()} == {
        "amp/reward_mean": [[100.0, 0.1], [200.0, 0.2]],
        "eval/success": [[200.0, 0.5]],
    }
    table.write_text("time/total_timesteps,amp/reward_mean\n100,much\n")
    with pytest.raises(RunError, match="could not convert"):
        plots.read_curves(table)
    table.write_text("time/total_timesteps\n100\n")
    with pytest.raises(RunError, match="no metrics"):
        plots.learning_curves(tmp_path / "curves.png", table)
    with pytest.raises(RunError, match="Cannot read"):
        plots.learning_curves(tmp_path / "curves.png", tmp_path / "none.csv")


@pytest.mark.filterwarnings("ignore:os.fork")
def test_the_video_is_h264_and_odd_sizes_are_cut(tmp_path):
    frames = [np.full((49, 65, 3), value, np.uint8) for value in range(0, 250, 25)]
    path = video.write_video(tmp_path / "new" / "walk.mp4", frames, fps=50)
    with imageio.get_reader(path) as reader:
        about = reader.get_meta_data()
        assert (about["codec"], about["fps"], about["size"]) == ("h264", 50, (64, 48))
        assert about["pix_fmt"].startswith("yuv420p")
    with pytest.raises(RunError, match="no frames"):
        video.write_video(tmp_path / "none.mp4", [], fps=50)


def test_filmstrip():
    frames = [np.full((10, 20, 3), value, np.uint8) for value in range(100)]
    strip = video.filmstrip(frames, count=4, crop=0.5)
    assert strip.shape == (10, 40, 3)
    assert strip[0, ::10, 0].tolist() == [0, 33, 66, 99]
