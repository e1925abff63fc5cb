"""The control loop on a simulated robot, healthy and broken."""

import dataclasses
import json
import re

import numpy as np
import pytest

from wildrobot_gym.deploy import __main__ as commands
from wildrobot_gym.deploy.log import PHASES, load_log, replay
from wildrobot_gym.deploy.loop import ControlLoop, LoopSettings
from wildrobot_gym.deploy.safety import Safety, SafetyLimits
from wildrobot_gym.deploy.timing import timing
from wildrobot_gym.errors import ConfigError, RunError
from wildrobot_gym.experiments.rehearse.plain_robot import PlainRobot
from wildrobot_gym.experiments.rehearse.simulated import SimulatedClock, SimulatedRobot

WALK = np.array([0.5, 0.0, 0.0])
SHORT = LoopSettings(seconds=2.0, settle_seconds=0.4, stop_seconds=0.3)


@pytest.fixture
def plain(wildrobot, controller):
    """The robot on the floor, in its home pose."""
    plain = PlainRobot(wildrobot.xml_path, controller.description)
    plain.place()
    return plain


def make_loop(controller, plain, robot=None, clock=None, settings=SHORT):
    robot = robot or SimulatedRobot(plain)
    return ControlLoop(controller, robot, settings, clock or SimulatedClock(robot))


def test_from_a_squat_to_a_walk_and_to_a_stop(controller, plain):
    bend = np.array([0, 0.3, 0, 0.6, -0.3, -0.3, 0, 0.6, -0.3])
    squat = controller.description.of_joints("home") + bend
    plain.place(squat)
    loop = make_loop(controller, plain)
    assert loop.run(lambda _: WALK) == "done"
    log = loop.log.arrays()
    phases = [PHASES[i] for i in log["phase"]]
    assert list(dict.fromkeys(phases)) == ["soft start", "settle", "policy", "stop"]
    assert [phases.count(name) for name in PHASES[1:]] == [20, 100, 15]
    start = log["phase"] == 0
    speeds = np.abs(np.diff(log["targets"][start], axis=0)) / 0.02
    assert speeds.max() == pytest.approx(SHORT.start_speed, rel=0.02)
    np.testing.assert_allclose(
        log["targets"][log["phase"] == 1][0], controller.description.of_joints("home"), atol=1e-6
    )
    assert plain.data.xpos[plain.base, 0] > 0.4  # it walked
    stop = log["phase"] == 3
    np.testing.assert_allclose(log["targets"][stop], log["joint_pos"][stop])
    assert (
        np.isnan(log["action"][stop]).all()
        and not np.isnan(log["action"][phases.index("policy")]).any()
    )


class Broken:
    """A robot with a fault from some time on."""

    def __init__(self, plain, fault, after):
        self.plain, self._fault, self._after = plain, fault, after
        self._robot = SimulatedRobot(plain)
        self._last = None

    def read(self):
        sensors = self._robot.read()
        broken = self.plain.data.time > self._after
        self._last = self._last if broken and self._fault == "stale" else sensors
        if broken and self._fault == "nan":
            return dataclasses.replace(sensors, gyro=np.full(3, np.nan))
        if broken and self._fault == "outside":
            return dataclasses.replace(sensors, joint_pos=sensors.joint_pos + 3.0)
        if broken and self._fault == "quaternion":
            return dataclasses.replace(sensors, quat=np.zeros(4))
        return self._last

    def write(self, targets):
        if self.plain.data.time > self._after and self._fault == "interrupt":
            self._after = np.inf
            raise KeyboardInterrupt
        self._robot.write(targets)

    def advance(self, steps):
        if self.plain.data.time > self._after and self._fault == "push":
            self.plain.data.xfrc_applied[self.plain.base, 1] = 40.0  # N, ten times its weight
        self._robot.advance(steps)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("stale", r"sensors are 1\d\d ms old"),
        ("nan", "sensors are not finite"),
        ("outside", r"\w+ is [\d.]+ rad outside of its limits"),
        ("quaternion", "no unit quaternion"),
        ("push", r"tilt 0.8\d rad|moves at"),
        ("interrupt", "interrupted"),
    ],
)
def test_a_fault_ends_in_a_damped_stop(controller, plain, fault, reason):
    robot = Broken(plain, fault, after=1.0)
    loop = make_loop(controller, plain, robot)
    ended = loop.run(lambda _: WALK)
    assert re.search(reason, ended), ended
    assert loop.log.reason == ended
    log = loop.log.arrays()
    stop = log["phase"] == PHASES.index("stop")
    assert 0 < (log["phase"] == PHASES.index("policy")).sum() < 100 and stop.sum() == 15
    if fault in ("stale", "nan", "quaternion"):  # joints unknown: the last targets hold
        held = log["targets"][~stop][-1]
        np.testing.assert_allclose(log["targets"][stop], np.tile(held, (15, 1)))
    if fault in ("push", "interrupt"):
        np.testing.assert_allclose(log["targets"][stop], log["joint_pos"][stop])


class Hurt(SimulatedRobot):
    """A robot that fails in its first control steps of the stop, each time in another way."""

    def __init__(self, plain, faults):
        super().__init__(plain)
        self.faults, self.stopping = dict(faults), False

    def _call(self, name):
        if self.stopping and self.faults.get(name):
            error = self.faults[name].pop(0)
            if error is not None:
                raise error

    def read(self):
        self._call("read")
        return super().read()

    def write(self, targets):
        self._call("write")
        super().write(targets)


@pytest.mark.parametrize(
    ("faults", "raised"),
    [
        ({"read": [KeyboardInterrupt()], "write": [KeyboardInterrupt()] * 4}, None),
        ({"read": [OSError("bus"), OSError("bus")]}, OSError),
        ({"write": [KeyboardInterrupt(), OSError("bus"), OSError("bus")]}, OSError),
    ],
)
def test_nothing_cuts_the_damped_stop_short(controller, plain, faults, raised):
    robot = Hurt(plain, {name: list(errors) for name, errors in faults.items()})
    loop = make_loop(controller, plain, robot)

    def interrupted(_):
        robot.stopping = True
        raise KeyboardInterrupt

    if raised is None:
        assert loop.run(interrupted) == "interrupted"
    else:
        with pytest.raises(raised, match="bus"):
            loop.run(interrupted)
    assert not any(robot.faults.values()) and loop.log.reason == "interrupted"
    log = loop.log.arrays()
    stop = log["phase"] == PHASES.index("stop")
    lost = sum(isinstance(error, OSError) for error in faults.get("write", []))
    assert stop.sum() == 15 - lost
    np.testing.assert_allclose(log["targets"][stop][-10:], log["joint_pos"][stop][-10:])


def test_a_signal_during_the_stop_of_a_finished_run_is_raised_after_it(controller, plain):
    robot = Hurt(plain, {"write": [KeyboardInterrupt()]})
    loop = make_loop(controller, plain, robot, settings=dataclasses.replace(SHORT, seconds=0.02))

    def last(_):
        robot.stopping = True
        robot.faults["write"].insert(0, None)  # the policy's own step
        return WALK

    with pytest.raises(KeyboardInterrupt):
        loop.run(last)
    assert loop.log.reason == "done"
    assert (loop.log.arrays()["phase"] == PHASES.index("stop")).sum() == 15


def test_a_command_that_is_not_finite_never_reaches_the_servos(controller, plain):
    loop = make_loop(controller, plain)
    assert loop.run(lambda _: np.array([np.nan, 0.0, 0.0])) == "targets are not finite"
    assert np.isfinite(loop.log.arrays()["targets"]).all()


class Sluggish(SimulatedClock):
    """Time passes while the computer does something else."""

    def __init__(self, robot, pause, times):
        super().__init__(robot)
        self._pause, self._times = pause, times

    def sleep_until(self, when):
        super().sleep_until(when)
        if self.now() > 1.0 and self._times > 0:
            self._times -= 1
            super().sleep_until(when + self._pause)


@pytest.mark.parametrize(("times", "reason"), [(2, "done"), (9, "4 deadlines missed in a row")])
def test_missed_deadlines(controller, plain, times, reason):
    robot = SimulatedRobot(plain)
    loop = make_loop(controller, plain, robot, Sluggish(robot, 0.024, times))
    assert loop.run(lambda _: np.zeros(3)) == reason
    late = loop.log.arrays()["late"]
    assert late.max() == pytest.approx(0.024, abs=1e-4)
    # Missed steps are not made up for: the next one follows a whole period later.
    assert np.diff(loop.log.arrays()["now"]).min() > 0.0199


def test_a_silent_robot_never_starts(controller, plain):
    robot = SimulatedRobot(plain)
    clock = SimulatedClock(robot)
    robot.read = lambda: None
    settings = dataclasses.replace(SHORT, wait_seconds=0.1)
    with pytest.raises(RunError, match="cannot start: no sensors"):
        make_loop(controller, plain, robot, clock, settings).run(lambda _: WALK)


def test_an_error_of_the_callers_stops_the_robot_first(controller, plain):
    loop = make_loop(controller, plain)

    def broken(seconds):
        if seconds > 0.5:
            raise ZeroDivisionError
        return WALK

    with pytest.raises(ZeroDivisionError):
        loop.run(broken)
    assert (loop.log.arrays()["phase"] == PHASES.index("stop")).sum() == 15


def test_targets_change_no_faster_than_allowed(controller):
    safety = Safety(controller.description, SafetyLimits(max_target_speed=2.0))
    home = controller.description.of_joints("home")
    np.testing.assert_allclose(safety.limited(home + 1.0, home), np.minimum(home + 0.04, 1.5708))
    high = controller.description.of_joints("high")
    np.testing.assert_allclose(safety.limited(high + 0.01, high), high)
    with pytest.raises(ConfigError, match="max_tilt is -1"):
        SafetyLimits(max_tilt=-1.0)


def test_the_default_limits_let_a_walk_through(controller, plain):
    loop = make_loop(controller, plain)
    loop.run(lambda _: np.array([0.8, 0.0, 0.0]))
    log = loop.log.arrays()
    policy = log["phase"] == PHASES.index("policy")
    d = controller.description
    home, scale, low, high = (d.of_joints(name) for name in ("home", "scale", "low", "high"))
    filtered, wanted = np.zeros(9), []
    for action in log["action"][policy]:
        filtered = 0.7 * action + 0.3 * filtered
        wanted.append(np.clip(home + scale * filtered, low, high))
    np.testing.assert_allclose(log["targets"][policy], wanted, atol=1e-5)


def test_a_log_replays_exactly_and_only_with_its_policy(
    controller, plain, folder, tmp_path, capsys
):
    loop = make_loop(controller, plain)
    loop.run(lambda t: WALK * min(t, 1.0))
    path = tmp_path / "run.npz"
    loop.log.save(path)
    about, arrays = load_log(path)
    assert about["policy"] == "walk" and about["reason"] == "done"
    result = replay(controller, path)
    assert result.num_steps == 100 and result.max_error < 1e-5
    assert commands.main(["replay", str(folder), str(path)]) == 0
    assert "100 steps" in capsys.readouterr().out
    times = timing(arrays)
    assert times["late"]["max"] < 0.1 and times["age"]["p50"] == pytest.approx(0.0, abs=0.1)
    # One changed action is found.
    arrays["action"][60] += 0.01
    with path.open("wb") as stream:
        np.savez(stream, about=np.array(json.dumps(about)), **arrays)
    assert commands.main(["replay", str(folder), str(path)]) == 1
    about["sha256"] = "0"
    with path.open("wb") as stream:
        np.savez(stream, about=np.array(json.dumps(about)), **arrays)
    assert commands.main(["replay", str(folder), str(path)]) == 2
    assert "is of the policy" in capsys.readouterr().err
    path.write_bytes(b"nothing")
    assert commands.main(["replay", str(folder), str(path)]) == 2
