"""Exported policies in plain MuJoCo, on the robot's own MJCF and on someone else's."""

import dataclasses
import json
import time

import mujoco
import numpy as np
import pytest

from wildrobot_gym import PhysicsError, RobotError
from wildrobot_gym.cli.main import main
from wildrobot_gym.deploy.log import load_log
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.experiments.rehearse.disturb import Delay, with_noise
from wildrobot_gym.experiments.rehearse.keys import (
    DOWN,
    LEFT,
    PAGE_DOWN,
    PAGE_UP,
    SPACE,
    UP,
    KeyCommands,
)
from wildrobot_gym.experiments.rehearse.run import Stage
from wildrobot_gym.experiments.rehearse.settings import Disturbances, RehearseSettings
from wildrobot_gym.experiments.rehearse.walk import run_benchmark
from wildrobot_gym.paths import POLICIES

WALK = {"command": 0.5, "seconds": 2.0}


def stage(folder, disturbances=None, **settings):
    return Stage(folder, RehearseSettings(**settings), disturbances or Disturbances())


@pytest.fixture(scope="session")
def foreign(wildrobot, tmp_path_factory):
    """Someone else's MJCF: other names, motors, no floor, no sensors, and a base within a frame."""
    spec = mujoco.MjSpec.from_file(str(wildrobot.xml_path))
    for part in [*spec.sensors, *spec.keys, *spec.actuators]:
        spec.delete(part)
    spec.delete(spec.geom("floor"))
    for joint in spec.joints:
        if joint.type == mujoco.mjtJoint.mjJNT_HINGE:
            joint.name = f"{joint.name}_joint"
    for joint in spec.joints[1:]:
        if "knee" in joint.name:  # some have a motor, some nothing
            spec.add_actuator(name=joint.name, target=joint.name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
    spec.body("waist").pos = [0.3, 0.0, 1.4]
    spec.option.timestep = 0.001
    path = tmp_path_factory.mktemp("foreign") / "theirs.xml"
    spec.compile()
    path.write_text(spec.to_xml())
    return path


def renamed(robot):
    return tuple(f"{name}={name}_joint" for name in robot.joint_names)


def test_the_benchmark_agrees_with_the_environments(folder):
    """Three episodes in plain MuJoCo against the 64 of `wildrobot eval`."""
    result = run_benchmark(stage(folder), [0.6], 3)
    found = result.by_command[0.6]
    wanted = json.loads((POLICIES / "walk" / "results.json").read_text())["commands"]["0.6"]
    assert found["survived"]["mean"] == found["success"]["mean"] == 1.0
    for name, tolerance in (
        ("forward_velocity", 0.01),
        ("cadence", 0.05),
        ("clearance", 0.003),
        ("step_length", 0.01),
        ("support_single", 0.03),
        ("cost_of_transport", 0.05),
        ("smoothness_angular_velocity", 0.08),
        ("slip", 0.04),
    ):
        assert found[name]["mean"] == pytest.approx(wanted[name]["mean"], abs=tolerance), name


def test_a_foreign_model_walks_alike(folder, foreign, wildrobot):
    theirs = stage(folder, xml=foreign, rename=renamed(wildrobot), **WALK)
    assert theirs.plain.substeps == 20 and not theirs.plain.servo.any()
    assert "no position servo" in theirs.differences()[0]
    ours = stage(folder, **WALK)
    assert ours.plain.servo.all() and ours.differences() == []
    speeds = [one.run().forward_velocity for one in (ours, theirs)]
    assert speeds[0] == pytest.approx(speeds[1], abs=0.03) and speeds[0] > 0.3
    result = run_benchmark(theirs, [0.5], 1)
    assert result.overall["success"]["mean"] == 1.0


def test_another_base_measures_there(folder):
    settings = {"base": "torso"}
    torso, waist = stage(folder, **settings), stage(folder)
    for one in (torso, waist):
        one.plain.place(velocity=np.array([0, 0, 0, 0, 0, 0, 1.0, *np.zeros(8)]))
    # The waist's axis points down, so that 1 rad/s turns the torso to the right.
    np.testing.assert_allclose(torso.plain.sensors().gyro, [0, 0, -1.0], atol=1e-9)
    np.testing.assert_allclose(waist.plain.sensors().gyro, 0, atol=1e-9)


def test_what_does_not_fit_is_said(folder, foreign, wildrobot, tmp_path):
    with pytest.raises(RobotError, match=r"no joint waist_yaw.*it has.*waist_yaw_joint.*--rename"):
        stage(folder, xml=foreign)
    with pytest.raises(RobotError, match="Unknown body 'wasit'"):
        stage(folder, base="wasit")
    with pytest.raises(RobotError, match="Unknown joint of the policy 'knee'"):
        stage(folder, rename=("knee=l_knee",))
    with pytest.raises(ConfigError, match="policy_name=model_name"):
        RehearseSettings(rename=("knee",))
    spec = mujoco.MjSpec.from_file(str(wildrobot.xml_path))
    spec.option.timestep = 0.003
    (tmp_path / "slow.xml").write_text(spec.to_xml())
    with pytest.raises(RobotError, match=r"no whole multiple.*0.003"):
        stage(folder, xml=tmp_path / "slow.xml")
    (tmp_path / "broken.xml").write_text("<mujoco><nonsense/></mujoco>")
    with pytest.raises(RobotError, match="cannot compile"):
        stage(folder, xml=tmp_path / "broken.xml")


def test_delays_are_whole_physics_steps():
    delay = Delay(4.0, 0.002)
    assert [delay.through(i) for i in range(6)] == [0, 0, 0, 1, 2, 3]
    assert [Delay(0.0, 0.002).through(i) for i in range(3)] == [0, 1, 2]


def test_late_sensors_are_that_old(folder):
    log = stage(folder, Disturbances(sensor_delay=6.0), **WALK).run().log.arrays()
    np.testing.assert_allclose(log["age"][1:], 0.006, atol=1e-6)


def test_lost_measurements_are_repeated(folder):
    log = stage(folder, Disturbances(lost=0.2), **WALK).run().log.arrays()
    assert 0.1 < (log["age"] > 0.01).mean() < 0.3


def test_noise_has_the_size_that_was_asked_for(folder):
    one = stage(folder)
    one.plain.place()
    true, rng = one.plain.sensors(), np.random.default_rng(0)
    noise = Disturbances(joint_noise=0.01, tilt_noise=0.02, gyro_noise=0.1, velocity_noise=0.2)
    many = [with_noise(true, noise, rng) for _ in range(2000)]
    assert np.std([s.joint_pos - true.joint_pos for s in many]) == pytest.approx(0.01, rel=0.05)
    assert np.std([2 * s.quat[1:] for s in many]) == pytest.approx(0.02, rel=0.05)
    assert np.std([s.gyro for s in many]) == pytest.approx(0.1, rel=0.05)
    assert np.std([s.lin_vel for s in many]) == pytest.approx(0.2, rel=0.05)
    assert (many[0].joint_vel == true.joint_vel).all()
    for wrong in ({"lost": 1.0}, {"gyro_noise": -1.0}, {"sensor_delay": float("inf")}):
        with pytest.raises(ConfigError, match="allowed"):
            Disturbances(**wrong)


def test_keys_change_the_command_as_far_as_it_was_trained(controller):
    keys = KeyCommands(controller.description, np.array([0.8, 0.0, 0.0]))
    for code, wanted in ((UP, 0.9), (UP, 0.9), (DOWN, 0.8), (999, 0.8)):
        keys.on_key(code)
        assert keys.command[0] == pytest.approx(wanted)
    for code in (LEFT, PAGE_UP):  # it was not trained to turn or to go sideways
        keys.on_key(code)
    assert not keys.command[1:].any()
    ranges = {"vx": (-0.2, 0.9), "vy": (-0.1, 0.1), "yaw_rate": (-0.5, 0.5)}
    able = dataclasses.replace(controller.description, command_ranges=ranges)
    turning = KeyCommands(able, np.zeros(3))
    for code in (DOWN, DOWN, DOWN, PAGE_UP, PAGE_DOWN, PAGE_DOWN, LEFT, LEFT):
        turning.on_key(code)
    np.testing.assert_allclose(turning.command, [-0.2, -0.05, 0.2])
    keys.on_key(SPACE)
    assert not keys.command.any()


def test_the_command_runs_logs_and_measures(folder, tmp_path, capsys):
    log, results = tmp_path / "run.npz", tmp_path / "results.json"
    short = ["rehearse", str(folder), "--seconds", "1"]
    assert main([*short, "--log", str(log)]) == 0
    assert "mean forward velocity" in capsys.readouterr().out
    assert load_log(log)[0]["reason"] == "done"
    # Sensors that are older than the limit: it stops at once.
    assert main([*short, "--sensor-delay", "90", "--lost", "0.6"]) == 1
    assert "ms old" in capsys.readouterr().out
    bench = ["--benchmark", "--commands", "0.4", "--episodes", "1", "--json", str(results)]
    assert main([*short, *bench, "--joint-noise", "0.005"]) == 0
    written = json.loads(results.read_text())
    assert written["protocol"] == "walk-1" and written["model"] == "wildrobot.xml"
    assert written["disturbances"]["joint_noise"] == 0.005
    assert written["commands"]["0.4"]["survived"]["mean"] == 1.0
    assert main(["rehearse", str(tmp_path)]) == 2
    assert main([*short, "--serve", "70000"]) == 2
    assert "Cannot listen" in capsys.readouterr().err


def test_a_window_takes_keys_and_ends_the_run_when_it_closes(folder, monkeypatch):
    import mujoco.viewer

    class Window:
        """MuJoCo's window with a user who asks for more speed and then closes it."""

        def __init__(self, model, data, key_callback):
            self.data, self.press = data, key_callback

        def is_running(self):
            return self.data.time < 1.2

        def sync(self):
            if self.press and self.data.time > 1.1:
                self.press(UP)
                self.press = None

        def close(self):
            self.data = None

    monkeypatch.setattr("wildrobot_gym.env.render.has_screen", lambda: True)
    monkeypatch.setattr(mujoco.viewer, "launch_passive", Window)
    began = time.perf_counter()
    rehearsal = stage(folder, command=0.3).run(window=True)
    assert rehearsal.reason == "interrupted"
    commands = rehearsal.log.arrays()["command"][:, 0]
    assert commands.max() == pytest.approx(0.4) and 0.3 in commands.round(3)
    assert time.perf_counter() - began > 3.0  # s: 1.2 s of real time, and the stop of 2 s


def test_a_window_needs_a_screen(folder, monkeypatch):
    monkeypatch.setattr("wildrobot_gym.env.render.has_screen", lambda: False)
    with pytest.raises(PhysicsError, match="screen"):
        stage(folder).run(window=True)
