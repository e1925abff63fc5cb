"""Foot switches of a plain robot, of any MJCF, are those that the environment shows."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from policies import ENV, random_policy
from state_makers import quat

from amp_sbx.algorithm.plain_actor import plain_actor
from wildrobot_gym.deploy.controller import Controller
from wildrobot_gym.deploy.loop import ControlLoop, LoopSettings
from wildrobot_gym.deploy.observation import READERS, Instant, yaw_of
from wildrobot_gym.deploy.reading import parse_description
from wildrobot_gym.deploy.robot_io import Sensors
from wildrobot_gym.errors import RobotError, RunError
from wildrobot_gym.experiments.export.describe import describe_policy
from wildrobot_gym.experiments.rehearse.disturb import SensorErrors
from wildrobot_gym.experiments.rehearse.plain_robot import ModelMap, PlainRobot
from wildrobot_gym.experiments.rehearse.settings import Disturbances
from wildrobot_gym.experiments.rehearse.simulated import SimulatedClock, SimulatedRobot
from wildrobot_gym.task.channels import OBSERVATION_CHANNELS
from wildrobot_gym.task.commands import known_yaw
from wildrobot_gym.task.sensors import Sensors as TrainingSensors


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    policy = random_policy(tmp_path_factory.mktemp("policy") / "p.zip", **ENV)
    found = describe_policy(policy, plain_actor(policy.model), "p", None, None)
    found["network"] |= {"file": "none", "format": "npz", "sha256": ""}
    return found


@pytest.fixture(scope="module")
def unnamed(wildrobot):
    """The robot's model with touch sensors, and geoms without names."""
    spec = wildrobot.spec()
    for geom in spec.geoms:
        geom.name = ""
    return spec


@pytest.mark.parametrize("named", [True, False])
def test_they_close_as_the_touch_sensors_do(wildrobot, unnamed, controller, content, named):
    """Over a walk of the shipped policy, on pads with the switches' names, and without."""
    description = parse_description(content)
    spec = wildrobot.spec() if named else unnamed
    plain = PlainRobot(wildrobot.xml_path, description, spec=spec)
    plain.place()
    robot, seen, true = SimulatedRobot(plain), [], []
    controller.reset()
    for _ in range(150):
        sensors = robot.read()
        robot.write(controller.step(sensors, np.array([0.5, 0.0, 0.0])).targets)
        robot.advance(plain.substeps)
        seen.append(robot.read().foot_switches)
        true.append(plain.data.sensordata[wildrobot.sensor_slices["pad_forces"]] > 1.0)
    seen, true = np.array(seen), np.array(true)
    assert (true.mean(axis=0) > 0.1).all() and (true.mean(axis=0) < 0.9).all()  # it walks
    assert (seen == true).mean() > (0.999 if named else 0.97)


def test_places_in_the_description_are_those_of_the_pads(content, wildrobot):
    """On a model whose ankles and geoms have other names."""
    spec = wildrobot.spec()
    for geom in spec.geoms:
        geom.name = ""
    ankles = [name for name in wildrobot.joint_names if "ankle" in name]
    for name in ankles:
        spec.joint(name).name = f"their_{name}"
    for part in [*spec.actuators, *spec.keys]:
        spec.delete(part)
    names = ModelMap({name: f"their_{name}" for name in ankles})
    plain = PlainRobot(wildrobot.xml_path, parse_description(content), names, spec)
    switches, data = plain._switches, plain.data
    for i, pad in enumerate(content["robot"]["pads"]):
        body = switches._feet[i]
        place = data.xpos[body] + data.xmat[body].reshape(3, 3) @ switches._places[i]
        np.testing.assert_allclose(place, data.site(pad["name"]).xpos, atol=1e-4)


def test_an_old_description_without_places_is_refused(content, wildrobot):
    old = content | {"robot": content["robot"] | {"pads": content["robot"]["pads"][1:]}}
    with pytest.raises(RobotError, match=r"where the switches left_toe are.*Export"):
        PlainRobot(wildrobot.xml_path, parse_description(old))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"foot_switches": None}, "observes foot_switches, but the sensors have none.*left_toe"),
        ({"foot_switches": np.zeros(2)}, "have 2 foot_switches, but the policy 'p' observes 4"),
        ({"joint_pos": np.zeros(8)}, "8 joints, but the policy 'p' is for the robot 'wildrobot'"),
    ],
)
def test_a_robot_without_what_the_policy_observes_never_moves(wildrobot, content, changes, message):
    description = parse_description(content)
    plain = PlainRobot(wildrobot.xml_path, description)
    robot, written = SimulatedRobot(plain), []
    lacking = dataclasses.replace(plain.sensors(), **changes)
    robot.read, robot.write = lambda: lacking, written.append
    loop = ControlLoop(Controller(description, None), robot, LoopSettings(), SimulatedClock(robot))
    with pytest.raises(RunError, match=message):
        loop.run(lambda _: np.zeros(3))
    assert not written


def test_what_is_wrong_in_a_rehearsal_is_what_is_wrong_in_training(wildrobot, content):
    """One robot's errors, by the rehearsal's sensors and by those of the environment."""
    worse = Disturbances(joint_zero=0.05, imu_tilt=0.1, imu_drift=0.03, stuck_switches=2)
    errors = SensorErrors.drawn(worse, 9, 4, np.random.default_rng(3))
    assert (errors.stuck_switch != 0).sum() == 2
    for name, most in (("joint_zero", 0.05), ("imu_tilt", 0.1), ("imu_drift", 0.03)):
        assert 0 < np.abs(getattr(errors, name)).max() <= most
    rng = np.random.default_rng(4)
    true = Sensors(
        time=7.0,
        joint_pos=wildrobot.home_joint_pos + rng.normal(0, 0.1, 9),
        joint_vel=rng.normal(0, 1.0, 9),
        quat=quat(roll=0.2, pitch=-0.1, yaw=2.0),
        gyro=rng.normal(0, 1.0, 3),
        foot_switches=np.array([1.0, 0.0, 1.0, 0.0]),
    )
    names = ("joint_pos", "joint_vel", "gyro", "gravity", "foot_switches")
    home = wildrobot.home_joint_pos
    frames = [
        np.concatenate([READERS[n](Instant(s, home, np.zeros(3), home, 0.0)) for n in names])
        for s in (true, errors.applied(true))
    ]
    draws = {k: jnp.asarray(v, jnp.float32) for k, v in vars(errors).items()}
    ranges = dict.fromkeys(draws, (-1.0, 1.0))
    chosen = [OBSERVATION_CHANNELS[name] for name in names]
    trained = TrainingSensors(wildrobot, chosen, {}, ranges, 0.02)
    key = jax.random.PRNGKey(0)
    _, wanted = trained.begin(key, jnp.asarray(frames[0], jnp.float32), draws)
    np.testing.assert_allclose(frames[1], wanted, atol=1e-5)
    assert np.abs(frames[1] - frames[0]).max() > 0.05
    drifted = yaw_of(errors.applied(true).quat) - yaw_of(
        dataclasses.replace(errors, imu_drift=np.zeros(3)).applied(true).quat
    )
    by_imu = known_yaw(jnp.float32(0.0), draws, jnp.float32(7.0))
    assert drifted == pytest.approx(float(by_imu), abs=1e-5)


def test_a_joint_with_another_zero_stands_elsewhere(wildrobot, content):
    """The controller's target and its reading are off by the same angle."""
    plain = PlainRobot(wildrobot.xml_path, parse_description(content))
    plain.place()
    robot = SimulatedRobot(plain, Disturbances(joint_zero=0.03), seed=1)
    home = parse_description(content).of_joints("home")
    robot.write(home)
    robot.advance(50)
    actual, read = plain.sensors().joint_pos, robot.read().joint_pos
    np.testing.assert_allclose(actual - read, robot._errors.joint_zero, atol=1e-9)
    assert np.abs(actual - home - robot._errors.joint_zero).max() < 0.03  # the servos carry weight
