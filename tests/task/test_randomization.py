"""What episodes draw, and what each drawn value does to a physical quantity."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wildrobot_gym.config import build, to_dict
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.fields import model_fields
from wildrobot_gym.physics.native import NativePhysics
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import DisturbanceConfig, EnvConfig
from wildrobot_gym.task.randomization.catalog import TERMS, randomization_table
from wildrobot_gym.task.randomization.kinds import KINDS
from wildrobot_gym.task.randomization.world import World
from wildrobot_gym.task.walk import WalkTask

G = 9.81
KEY = jax.random.PRNGKey(1)


def world(robot: RobotModel, disturbances: Any = None, **ranges: Any) -> World:
    fixed = {name: (x, x) if np.isscalar(x) else x for name, x in ranges.items()}
    return World(robot, fixed, build(DisturbanceConfig, disturbances), 0.02)


def begun(
    robot: RobotModel, control_dt: float = 0.02, **ranges: Any
) -> tuple[NativePhysics, Any, Drive]:
    """One robot in the home pose with these fixed draws, what was drawn, and what holds it."""
    start = world(robot, **ranges).start(KEY, jnp.asarray(robot.home_joint_pos))
    physics = NativePhysics(robot, 1, control_dt, num_threads=1)
    fields = {name: np.asarray(value)[None] for name, value in start["fields"].items()}
    physics.reset(np.arange(1), robot.home_qpos[None], np.zeros((1, robot.model.nv)), fields)
    return physics, start["draws"], Drive(robot.home_joint_pos[None], fields=fields)


def first_torques(robot: RobotModel, error: float, **ranges: Any) -> tuple[np.ndarray, Any]:
    """Torques of the first physics step, at rest, with this error of every joint."""
    physics, draws, drive = begun(robot, 0.002, **ranges)
    drive = drive.replace(targets=drive.targets + error)
    return physics.step(drive).actuator_forces[0], draws


def test_a_fraction_of_the_episodes_draws_nothing(wildrobot: RobotModel) -> None:
    ranges = {"link_mass": (0.8, 1.2), "servo_kp": (0.8, 1.2), "floor_friction": (0.4, 0.6)}
    ranges |= {"action_delay": (0.01, 0.04), "imu_drift": (-0.1, 0.1), "stuck_switch": (1.0, 1.0)}
    home = jnp.asarray(wildrobot.home_joint_pos)
    keys = jax.random.split(KEY, 400)
    whole, part = (
        jax.vmap(lambda key, w=w: w.start(key, home)["draws"])(keys)
        for w in (
            World(wildrobot, ranges, DisturbanceConfig(), 0.02),
            World(wildrobot, ranges, DisturbanceConfig(), 0.02, 0.7),
        )
    )
    drawn = np.asarray(part["action_delay"]) > 0
    assert abs(drawn.mean() - 0.7) < 0.08
    own = {"link_mass": 1.0, "servo_kp": 1.0, "floor_friction": 1.0}
    for name, values in part.items():
        np.testing.assert_array_equal(values[drawn], whole[name][drawn])
        np.testing.assert_allclose(values[~drawn], own.get(name, 0.0))


@pytest.mark.parametrize(
    ("ranges", "kilograms"),
    [({"link_mass": 1.2}, 1.2 * 3.374), ({"payload": 0.5}, 3.874), ({}, 3.374)],
)
def test_mass_is_what_the_floor_carries(ranges: Any, kilograms: float) -> None:
    wildrobot = RobotModel.load("wildrobot")
    physics, _, drive = begun(wildrobot, **ranges)
    for _ in range(150):
        state = physics.step(drive)
    assert state.pad_forces.sum() == pytest.approx(kilograms * G, rel=2e-3)


def test_the_center_of_mass_moves_by_the_trunks_part(robot: RobotModel) -> None:
    """The trunk is waist and torso: 1.2808 of 3.374 kg."""
    physics, draws, _ = begun(robot, com_offset=(-0.015, 0.015))
    usual, *_ = begun(robot)
    com, before = (p.batch.bind("subtree_com") for p in (physics, usual))
    for p in (physics, usual):
        p.batch.forward()
    moved = com[0, 0] - before[0, 0]
    np.testing.assert_allclose(moved, np.asarray(draws["com_offset"]) * 1.2808 / 3.374, rtol=1e-4)


def test_friction_brakes_a_sliding_robot() -> None:
    """Of a robot that slides on flat soles, friction takes mu * g * t of the speed."""
    wildrobot = RobotModel.load("wildrobot")
    lost = {}
    for friction in (0.1, 0.3):
        physics, _, drive = begun(wildrobot, floor_friction=friction)
        com = physics.batch.bind("subtree_com")
        for _ in range(50):  # the robot comes to rest on the floor
            physics.step(drive)
        physics.qvel[:, 0] += 1.0
        places = []
        for _ in range(5):
            physics.step(drive)
            places.append(com[0, 0, 0])
        speeds = np.diff(places) / 0.02
        lost[friction] = (speeds[0] - speeds[-1]) / 0.06
    assert lost[0.1] == pytest.approx(0.1 * G, rel=0.1)
    assert lost[0.3] == pytest.approx(0.3 * G, rel=0.1)


def test_gains_and_limits_of_servos_change_the_torque(robot: RobotModel) -> None:
    """kp 21.1 N*m/rad, limit 4 N*m."""
    torque, draws = first_torques(robot, 0.05, servo_kp=(0.8, 1.2))
    np.testing.assert_allclose(torque, 21.1 * 0.05 * draws["servo_kp"], rtol=1e-5)
    assert np.ptp(draws["servo_kp"]) > 0.05  # each joint has its own
    # waist_yaw and others come to their limits of position: the error is what is left of 0.5
    error = np.clip(robot.home_joint_pos + 0.5, *robot.joint_range.T) - robot.home_joint_pos
    torque, draws = first_torques(robot, 0.5, servo_force_limit=(0.7, 0.9), supply_voltage=0.5)
    limit = 4.0 * 0.5 * np.asarray(draws["servo_force_limit"])
    np.testing.assert_allclose(torque, np.minimum(21.1 * error, limit), rtol=1e-4)


def test_a_servo_at_its_drawn_limit_counts_as_saturated(wildrobot: RobotModel) -> None:
    w = world(wildrobot, supply_voltage=0.8)
    draws = w.start(KEY, jnp.zeros(9))["draws"]
    np.testing.assert_allclose(w.force_limit(draws), 3.2, rtol=1e-6)
    np.testing.assert_array_equal(world(wildrobot).force_limit({}), np.float32(4.0))


def test_damping_gain_brakes_a_turning_joint(wildrobot: RobotModel) -> None:
    physics, draws, drive = begun(wildrobot, 0.002, servo_kv=(0.5, 1.5))
    physics.qvel[:, 6:] = 1.0
    torque = physics.step(drive).actuator_forces[0]
    np.testing.assert_allclose(torque, -0.5 * draws["servo_kv"], rtol=1e-5)


def test_joints_have_their_own_armature_friction_and_damping(wildrobot: RobotModel) -> None:
    names = {"armature": 0.024992, "frictionloss": 0.022275, "damping": 0.08516}
    terms = ("joint_armature", "joint_friction", "joint_damping")
    physics, draws, _ = begun(wildrobot, **dict.fromkeys(terms, (0.5, 2.0)))
    model = physics.batch.get_model(0)
    for term, (name, nominal) in zip(terms, names.items(), strict=True):
        got = getattr(model, f"dof_{name}")
        np.testing.assert_allclose(got[6:], nominal * np.asarray(draws[term]), rtol=1e-5)
        np.testing.assert_array_equal(got[:6], 0.0)


def test_inertia_of_every_link(wildrobot: RobotModel) -> None:
    physics, *_ = begun(wildrobot, link_mass=1.2, link_inertia=0.5)
    np.testing.assert_allclose(
        physics.batch.get_model(0).body_inertia, 0.6 * wildrobot.model.body_inertia, rtol=1e-6
    )


def test_encoders_off_zero_turn_the_joints(wildrobot: RobotModel) -> None:
    """The servo believes to be at its target, while the joint is off by the encoder's zero."""
    w = world(wildrobot, joint_zero=(-0.03, 0.03))
    start = w.start(KEY, jnp.zeros(9))
    drive = w.drive(start["draws"], start["world"], jnp.full(9, 0.2))
    np.testing.assert_allclose(drive.targets, 0.2 + start["draws"]["joint_zero"])


def effective(
    w: World, start: Any, targets: np.ndarray, ticks: int = 10
) -> tuple[np.ndarray, list[Any]]:
    """The first joint's target in each physics step of a sequence."""
    task: Any = None
    state, seen, drives = start["world"], [], []
    for i, target in enumerate(targets):
        row = jnp.full(9, target)
        drive = w.drive(start["draws"], state, row)
        late = np.arange(ticks) < int(drive.switch)
        seen += list(np.where(late, drive.before[0], drive.targets[0]))
        drives.append(drive)
        task = _Task(KEY, jnp.int32(i), start["draws"], state)
        state = w.advance(task, row)
    return np.array(seen), drives


@dataclasses.dataclass
class _Task:
    key: Any
    step_count: Any
    draws: Any
    world: Any


@pytest.mark.parametrize("ticks", [0, 4, 10, 13, 20, 30])
def test_a_delay_moves_targets_by_its_time(wildrobot: RobotModel, ticks: int) -> None:
    """Delays of 0, 8, 20, 26, 40 and 60 ms, in physics steps of 2 ms."""
    w = world(wildrobot, action_delay=0.002 * ticks)
    start = w.start(KEY, jnp.full(9, -1.0))
    targets = np.arange(7.0)
    seen, _ = effective(w, start, targets)
    want = np.concatenate([np.full(ticks, -1.0), np.repeat(targets, 10)])[:70]
    np.testing.assert_array_equal(seen, want)


def test_jitter_never_brings_an_old_target_back(wildrobot: RobotModel) -> None:
    w = world(wildrobot, action_delay=0.02, action_delay_jitter=0.018)
    start = w.start(KEY, jnp.full(9, -1.0))
    seen, drives = effective(w, start, np.arange(20.0))
    assert (np.diff(seen) >= 0).all()
    assert len({int(d.switch) for d in drives}) > 5
    age = (np.arange(200) / 10 - seen) * 0.02  # s since the target was sent
    assert age[50:].max() < 0.02 + 0.018 + 0.02
    assert age[50:].min() >= 0.002


def test_a_term_draws_the_same_whatever_else_is_drawn(wildrobot: RobotModel) -> None:
    one = world(wildrobot, servo_kp=(0.8, 1.2)).start(KEY, jnp.zeros(9))["draws"]
    many = world(wildrobot, payload=(0, 1), backlash=(0, 0.01), servo_kp=(0.8, 1.2))
    draws = many.start(KEY, jnp.zeros(9))["draws"]
    np.testing.assert_array_equal(one["servo_kp"], draws["servo_kp"])
    assert float(draws["payload"]) != float(draws["backlash"][0] / 0.01)


def test_draws_fill_their_ranges(wildrobot: RobotModel) -> None:
    w = world(wildrobot, link_mass=(0.8, 1.2), imu_tilt=(-0.05, 0.05), stuck_switch=(0.25, 0.25))
    start = jax.jit(jax.vmap(lambda key: w.start(key, jnp.zeros(9))))
    draws = start(jax.random.split(KEY, 2000))["draws"]
    assert draws["link_mass"].min() < 0.805 < 1.195 < draws["link_mass"].max()
    assert abs(float(draws["link_mass"].mean()) - 1.0) < 0.01
    assert draws["imu_tilt"].shape == (2000, 2)
    stuck = np.asarray(draws["stuck_switch"])
    assert set(np.unique(stuck)) == {-1.0, 0.0, 1.0}
    assert (np.abs(stuck).sum(axis=1) <= 1).all()
    assert np.abs(stuck).sum() / 2000 == pytest.approx(0.25, abs=0.04)  # 4 standard errors


def test_the_mirror_image_of_a_draw_is_the_mirrored_robots(robot: RobotModel) -> None:
    """Reflecting twice gives a draw back; angles have the joints' signs, factors have none."""
    for kind in KINDS.values():
        ids, signs = (np.array(x) for x in kind.image(robot))
        value = np.arange(1.0, len(ids) + 1)
        once = signs * value[ids]
        np.testing.assert_array_equal(signs * once[ids], value)
    assert KINDS["tilt"].image(robot) == (range(2), (-1.0, 1.0))
    assert set(KINDS["joint"].image(robot)[1]) == {1.0}
    assert KINDS["joint angle"].image(robot)[1] == list(robot.joint_mirror_signs)


def test_the_critic_sees_what_was_drawn(wildrobot: RobotModel) -> None:
    config = build(
        EnvConfig,
        {
            "randomization": {"payload": [0.0, 0.5], "joint_zero": [-0.04, 0.04]},
            "disturbances": {"push": {}},
            "privileged": ["draw_payload", "draw_joint_zero", "disturbance_push"],
        },
    )
    task = WalkTask(wildrobot, config)
    assert task.critic_dim == task.obs_dim + 1 + 9 + 3
    drawn = task.world.channels()
    assert drawn["draw_payload"].scale == 2.0
    assert drawn["draw_joint_zero"].scale == 25.0
    ids, signs = task.mirror()["critic_ids"], task.mirror()["critic_signs"]
    assert len(ids) == task.critic_dim
    assert signs[-3:] == [1.0, -1.0, 1.0]
    assert task.sharing_key() != WalkTask(wildrobot, EnvConfig()).sharing_key()


# --- disturbances ---


def advanced(w: World, steps: int) -> list[Any]:
    """The state of each step of an episode without actions."""
    start = w.start(KEY, jnp.zeros(9))
    step = jax.jit(lambda state, i: w.advance(_Task(KEY, i, start["draws"], state), jnp.zeros(9)))
    states = [start["world"]]
    for i in range(steps):
        states.append(step(states[-1], jnp.int32(i)))
    return states


def test_pushes_come_after_their_interval_in_drawn_directions(wildrobot: RobotModel) -> None:
    w = world(wildrobot, {"push": {"interval_s": [0.1, 0.1], "velocity": [0.3, 0.3]}})
    velocity = np.array([s["push"]["velocity"] for s in advanced(w, 20)])
    speed = np.linalg.norm(velocity, axis=1)
    np.testing.assert_allclose(
        speed, np.where(np.arange(21) % 5 == 0, 0.3, 0.0)[:21] * (np.arange(21) > 0), atol=1e-6
    )
    angles = np.arctan2(velocity[5::5, 1], velocity[5::5, 0])
    assert np.ptp(angles) > 0.3
    np.testing.assert_array_equal(velocity[:, 2], 0.0)


def test_a_force_lasts_its_time(wildrobot: RobotModel) -> None:
    config = {"force": {"interval_s": [0.2, 0.2], "duration_s": [0.06, 0.06], "force": [2, 2]}}
    w = world(wildrobot, config)
    force = np.array([s["force"]["force"] for s in advanced(w, 30)])
    size = np.linalg.norm(force, axis=1)
    on = (np.arange(31) >= 10) & (np.arange(31) % 10 < 3)
    np.testing.assert_allclose(size, 2.0 * on, atol=1e-6)
    drive = w.drive({}, {"force": {"force": jnp.array([1.0, 2.0, 0.0])}}, jnp.zeros(9))
    np.testing.assert_array_equal(drive.wrench, [1, 2, 0, 0, 0, 0])


def test_a_payload_falls_off_and_the_floor_changes(wildrobot: RobotModel) -> None:
    w = world(
        wildrobot,
        {
            "payload_drop": {"interval_s": [0.1, 0.1], "mass": [0.4, 0.4]},
            "friction_patch": {"interval_s": [0.1, 0.1], "friction": [0.3, 0.5]},
        },
        payload=0.2,
        floor_friction=0.9,
    )
    states = advanced(w, 10)
    start = w.start(KEY, jnp.zeros(9))
    masses = [
        float(w.drive(start["draws"], s, jnp.zeros(9)).fields["mass"].sum()) for s in states[::5]
    ]
    np.testing.assert_allclose(masses, [3.974, 3.574, 3.574], rtol=1e-5)
    frictions = [float(s["friction_patch"]["friction"]) for s in states[::5]]
    assert frictions[0] == pytest.approx(0.9)
    assert 0.3 <= min(frictions[1:]) < max(frictions[1:]) <= 0.5


# --- configs ---


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"link_mas": [1, 1]}, "Unknown randomization term 'link_mas'. Did you mean 'link_mass'?"),
        ({"link_mass": [-0.2, 1.2]}, r"randomization.link_mass is \(-0.2, 1.2\).*0.01 or more"),
        ({"payload": [-0.1, 0.1]}, "randomization.payload.*0 or more kg"),
        ({"servo_kp": [1.2, 0.8]}, "low <= high"),
        ({"servo_kp": [1.2]}, r"\[low, high\]"),
        ({"servo_kp": 1.2}, "randomization.servo_kp must be a list"),
        ({"action_delay": [0, 0.08]}, "randomization.action_delay.*0 to 0.06 s"),
        ({"action_delay": [0, 0.05], "action_delay_jitter": [0, 0.02]}, "up to 0.06 s"),
        ({"observation_delay": [0, 0.5]}, "randomization.observation_delay.*0 to 0.2 s"),
        ({"stuck_switch": [0, 2]}, "0 to 1"),
        ({"a:my_term": [0, 1], "b:my_term": [0, 1]}, "two terms named 'my_term'"),
        ({"a:payload": [0, 1]}, "built-in term's name"),
    ],
)
def test_wrong_ranges_are_named(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(EnvConfig, {"randomization": settings})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"push": {"speed": [0, 1]}}, "Unknown key in disturbances.push 'speed'"),
        ({"push": {"velocity": [-1, 1]}}, "disturbances.push.velocity.*zero or more"),
        ({"push": {"interval_s": [0, 1]}}, "disturbances.push.interval_s.*above 0 s"),
        ({"pushes": {}}, "Did you mean 'push'?"),
        ({"friction_patch": {"friction": [1, 0.5]}}, "low <= high"),
    ],
)
def test_wrong_disturbances_are_named(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(EnvConfig, {"disturbances": settings})


def test_a_channel_of_what_is_not_drawn_is_unknown() -> None:
    with pytest.raises(ConfigError, match="Unknown channel in privileged 'draw_payload'"):
        build(EnvConfig, {"privileged": ["draw_payload"]})


def test_the_config_goes_to_yaml_and_back() -> None:
    config = build(
        EnvConfig,
        {
            "randomization": {"link_mass": [0.8, 1.2]},
            "disturbances": {"push": {"velocity": [0, 1]}},
        },
    )
    plain = to_dict(config)
    assert plain["randomization"] == {"link_mass": [0.8, 1.2]}
    assert plain["disturbances"]["force"] is None
    assert build(EnvConfig, plain) == config


def test_the_guide_has_the_tables() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "randomization.md").read_text()
    assert randomization_table() in guide
    fields = model_fields(RobotModel.load("wildrobot"))
    rows = [f"| `{n}` | {f.meaning} | {np.shape(f.nominal)} |" for n, f in fields.items()]
    assert "\n".join(rows) in guide


def test_every_built_in_term_says_what_it_does() -> None:
    assert all(term.meaning and term.unit for term in TERMS.values())
    assert len(TERMS) == 20


# --- terms of one's own ---

OWN = '''
from wildrobot_gym.task.randomization import random_term

@random_term("joint", above=0.1)
def weak_knees(value, model):
    """Gain of each servo."""
    return {"kp": model["kp"] * value}

def heavier(value, model):
    return {"mass": model["mass"] + value}

def wrong(value, model):
    return {"mas": value}

def wide(value, model):
    return {"mass": value}

number = 3
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_randomization.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "own_randomization"
    sys.modules.pop("own_randomization", None)


def test_a_term_of_ones_own(wildrobot: RobotModel, own: str) -> None:
    ranges = {f"{own}:weak_knees": (0.5, 0.9), f"{own}:heavier": (0.1, 0.1)}
    w = World(wildrobot, ranges, DisturbanceConfig(), 0.02)
    start = w.start(KEY, jnp.zeros(9))
    np.testing.assert_allclose(
        start["fields"]["kp"], 21.1 * start["draws"]["weak_knees"], rtol=1e-6
    )
    np.testing.assert_allclose(start["fields"]["mass"].sum(), 3.374 + 10 * 0.1, rtol=1e-5)
    assert w.channels()["draw_weak_knees"].name == "draw_weak_knees"
    config = EnvConfig(randomization=ranges, privileged=("draw_weak_knees",))
    assert WalkTask(wildrobot, config).sharing_key() is None


@pytest.mark.parametrize(
    ("term", "bounds", "message"),
    [
        ("none", (0, 1), "has no function 'none'"),
        ("number", (0, 1), "found int"),
        ("wrong", (0, 1), "Unknown model field 'mas'. Did you mean 'mass'?"),
        ("wide", (0, 1), r"gives 'mass' the shape \(\)"),
        ("heavier", (-0.2, 0.1), "makes the model's 'mass' -0.115"),
    ],
)
def test_wrong_terms_of_ones_own(
    wildrobot: RobotModel, own: str, term: str, bounds: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        World(wildrobot, {f"{own}:{term}": bounds}, DisturbanceConfig(), 0.02)


def test_a_module_that_is_not_there(wildrobot: RobotModel) -> None:
    with pytest.raises(ConfigError, match=r"cannot be imported.*PYTHONPATH"):
        World(wildrobot, {"no_such_module:term": (0, 1)}, DisturbanceConfig(), 0.02)


def test_a_range_beyond_the_bounds_of_ones_own_term_is_named(
    wildrobot: RobotModel, own: str
) -> None:
    with pytest.raises(ConfigError, match=r"weak_knees.*0\.1 or more"):
        World(wildrobot, {"own_randomization:weak_knees": (0.0, 1.0)}, DisturbanceConfig(), 0.02)
