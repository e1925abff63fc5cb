"""Every reward term by hand; the terms are the reward."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
import pytest
from state_makers import mirror_image, quat, step_fields

from wildrobot_gym.config import build, to_dict
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import RewardConfig
from wildrobot_gym.task.reward_terms import reward_terms
from wildrobot_gym.task.rewards import TERMS, RewardInputs

ZERO = RewardConfig(target_height=0.45, weights=dict.fromkeys(TERMS, 0.0))


def inputs(robot: RobotModel, **changes) -> RewardInputs:
    return RewardInputs(**step_fields(robot, **changes))


GOLDEN = [
    ("tracking_lin_vel", {"lin_vel": [0.5, 0.3, 0], "command": [0.5, 0, 0]}, 1.0),
    ("tracking_lin_vel", {"lin_vel": [0.25, 0.3, 0], "command": [0.5, 0, 0]}, np.exp(-1)),
    # It faces +y and moves along +y: forward.
    (
        "tracking_lin_vel",
        {"lin_vel": [0, 0.5, 0], "base_quat": quat(yaw=np.pi / 2), "command": [0.5, 0, 0]},
        1.0,
    ),
    ("lin_vel_error", {"lin_vel": [0.2, 9, 0], "command": [0.5, 0, 0]}, 0.3),
    (
        "lin_vel_error",
        {"lin_vel": [0, 0.6, 0], "base_quat": quat(yaw=np.pi / 2), "command": [0.5, 0, 0]},
        0.1,
    ),
    ("tracking_lateral", {"lin_vel": [9, 0.25, 0]}, np.exp(-1)),
    ("tracking_lateral", {"lin_vel": [0, 0.25, 0], "command": [0, 0.25, 0]}, 1.0),
    ("tracking_yaw", {"ang_vel": [9, 9, 0.5]}, np.exp(-1)),
    ("tracking_yaw", {"ang_vel": [0, 0, 0.5], "command": [0, 0, 0.5]}, 1.0),
    ("tracking_mean", {"command": [0.5, 0.1, -0.2]}, 1.0),
    (
        "tracking_mean",
        {"mean_error": [0.12, 0.06, -0.3]},
        np.exp(-1 - 1 - 4),
    ),
    ("base_height", {"height": 0.45}, 1.0),
    ("base_height", {"height": 0.40}, np.exp(-1)),
    ("orientation", {}, 1.0),
    ("orientation", {"base_quat": quat(pitch=0.3, yaw=1.0)}, np.exp(-((np.sin(0.3) / 0.3) ** 2))),
    ("orientation", {"base_quat": quat(roll=-0.3)}, np.exp(-((np.sin(0.3) / 0.3) ** 2))),
    ("alive", {}, 1.0),
    ("action_rate", {"action": [0.1] * 9, "previous_action": [-0.1] * 9}, 9 * 0.04),
    ("torque_penalty", {"actuator_forces": [1, -2, 0, 0, 0, 0, 0, 0, 3]}, 14.0),
    ("saturation", {"actuator_forces": [4, -4, 3.93, 3.91, -3.91, 0, 0, 0, 0]}, 3.0),
    # 8 of 32 N on each pad, and one pad that carries nothing but flies fast.
    (
        "slip",
        {"pad_vel_w": [[0.3, 0.4, 5], [0, 0, 0], [0, 0.1, 0], [0, 0, 0]]},
        0.25 * 0.5 + 0.25 * 0.1,
    ),
    (
        "slip",
        {"pad_forces": [0, 0, 64, 0], "pad_vel_w": [[9, 0, 0], [0, 0, 0], [0.2, 0, 0], [0, 0, 0]]},
        0.2,
    ),
    ("flight", {"foot_loaded": np.array([False, True])}, 0.0),
    ("flight", {"foot_loaded": np.array([False, False])}, 1.0),
    ("lateral_error", {"mean_error": [0.5, -0.3, 0]}, 0.3),
    ("yaw_error", {"mean_error": [0, 0, 0.3]}, 0.3),
    ("standing_steps", {"foot_loaded": np.array([False, True])}, 1.0),
    (
        "standing_steps",
        {"foot_loaded": np.array([False, False]), "command": [0.2, 0, 0]},
        0.0,
    ),
    ("standing_motion", {"joint_vel": [1, -2, 0, 0, 0, 0, 0, 0, 0.5]}, 3.5),
    ("standing_motion", {"joint_vel": [1] * 9, "command": [0, 0, 0.1]}, 0.0),
    ("standing_tilt", {"base_quat": quat(pitch=-0.3, yaw=1.0)}, np.sin(0.3)),
    ("standing_tilt", {"base_quat": quat(pitch=-0.3), "command": [0, 0.1, 0]}, 0.0),
    ("feet_air_time", {"touchdown_air_time": [0.35, 0.0], "command": [0.5, 0, 0]}, 0.1),
    ("feet_air_time", {"touchdown_air_time": [0.05, 3.0], "command": [0.5, 0, 0]}, -0.2 + 0.25),
    ("feet_air_time", {"touchdown_air_time": [0.35, 0.35]}, 0.0),  # standing is commanded
    ("short_double_support", {}, 0.0),  # no foot lifts
    ("short_double_support", {"liftoff_double_support": 0.0}, 1.0),
    ("short_double_support", {"liftoff_double_support": 0.06}, 0.25),
    ("short_double_support", {"liftoff_double_support": 0.5}, 0.0),
    # A quarter cycle after the first foot landed, the second is due in the air.
    ("contact_schedule", {"phase": 3.25, "command": [0.2, 0, 0]}, 1.0),
    ("contact_schedule", {"phase": 3.05, "command": [0.2, 0, 0]}, 0.0),
    (
        "contact_schedule",
        {"phase": 3.25, "command": [0, 0.1, 0], "foot_loaded": np.array([False, True])},
        2.0,
    ),
    ("contact_schedule", {"phase": 3.25}, 0.0),  # standing is commanded
]


def test_the_slip_of_a_commanded_turn_is_free(wildrobot: RobotModel) -> None:
    """Pads at 0.05 and 0.02 m/s, with a quarter of the weight each; 0.06 m * 0.5 rad/s are free."""
    pads = [[0.03, 0.04, 0], [0, 0, 0], [0.02, 0, 0], [0, 0, 0]]
    x = inputs(wildrobot, pad_vel_w=pads, command=[0, 0, -0.5])
    config = RewardConfig(target_height=0.45, slip_turn_radius=0.06)
    np.testing.assert_allclose(TERMS["slip"].function(x, config), 0.25 * 0.02, rtol=1e-5)


@pytest.mark.parametrize(("name", "changes", "want"), GOLDEN)
def test_terms_golden(wildrobot: RobotModel, name: str, changes: dict, want: float) -> None:
    x = inputs(wildrobot, **changes)
    np.testing.assert_allclose(
        TERMS[name].function(x, RewardConfig(target_height=0.45)), want, rtol=1e-5, atol=1e-6
    )
    weighted = reward_terms(
        x, RewardConfig(target_height=0.45, weights=ZERO.weights | {name: -2.0})
    )
    assert list(weighted) == [name]
    np.testing.assert_allclose(weighted[name], 0.02 * -2.0 * want, rtol=1e-5, atol=1e-7)


def test_every_term_has_a_golden_value_and_a_weight() -> None:
    assert {name for name, *_ in GOLDEN} == set(TERMS)
    assert list(RewardConfig(target_height=0.45).weights) == list(TERMS)


def test_a_weight_of_zero_removes_its_term(wildrobot: RobotModel) -> None:
    x = inputs(wildrobot)
    assert reward_terms(x, ZERO) == {}
    assert set(reward_terms(x, RewardConfig(target_height=0.45))) == set(TERMS) - {
        "feet_air_time",
        "lateral_error",
        "lin_vel_error",
        "standing_motion",
        "standing_steps",
        "standing_tilt",
        "yaw_error",
        "short_double_support",
        "tracking_mean",
        "contact_schedule",
    }


@pytest.mark.parametrize(("alive", "total"), [(2.0, 0.1), (4.0, 0.5)])
def test_a_floor_makes_up_for_what_is_below(
    wildrobot: RobotModel, alive: float, total: float
) -> None:
    """`alive` minus 1.5 (standing_motion), at least 0.5 in each step, times 0.2."""
    weights = ZERO.weights | {"alive": alive, "standing_motion": -1.0}
    config = RewardConfig(target_height=0.45, weights=weights, scale=0.2, floor=0.5)
    terms = reward_terms(inputs(wildrobot, joint_vel=[1, -0.5, 0, 0, 0, 0, 0, 0, 0]), config)
    assert set(terms) == {"alive", "standing_motion", "floor"}
    assert sum(terms.values()) == pytest.approx(total)


def test_the_mirror_image_has_the_same_reward(robot: RobotModel) -> None:
    rng = np.random.default_rng(0)
    n, signs, ids = robot.num_joints, robot.joint_mirror_signs, robot.joint_mirror_ids
    config = RewardConfig(target_height=0.45, weights=dict.fromkeys(TERMS, 1.0))
    for _ in range(5):
        base = quat(*rng.normal(0, 0.3, 3))
        lin, ang, cmd = rng.normal(size=(3, 3))
        joints, joint_vel, action, previous, torque = rng.normal(0, 2, (5, n))
        pad_vel, force, air = rng.normal(size=(4, 3)), rng.uniform(0, 20, 4), rng.uniform(0, 0.5, 2)
        parts = {
            "base_quat": base, "lin_vel": lin, "ang_vel": ang, "joints": joints,
            "joint_vel": joint_vel,
            "actuator_forces": torque, "pad_vel_w": pad_vel, "pad_forces": force,
        }  # fmt: skip
        x = inputs(
            robot,
            **parts,
            command=cmd,
            action=action,
            previous_action=previous,
            touchdown_air_time=air,
        )
        mirrored = inputs(
            robot,
            **mirror_image(robot, **parts),
            command=cmd * [1, -1, -1],
            action=signs * action[ids],
            previous_action=signs * previous[ids],
            touchdown_air_time=air[::-1],
        )
        here, there = reward_terms(x, config), reward_terms(mirrored, config)
        for name in TERMS:
            np.testing.assert_allclose(there[name], here[name], rtol=1e-4, atol=1e-6, err_msg=name)


def test_jit_equals_no_jit(wildrobot: RobotModel) -> None:
    x = inputs(
        wildrobot, lin_vel=[0.3, 0.1, 0], actuator_forces=np.arange(9.0) / 2, command=[0.4, 0, 0.1]
    )
    here = reward_terms(x, RewardConfig(target_height=0.45))
    there = jax.jit(lambda i: reward_terms(i, RewardConfig(target_height=0.45)))(x)
    for name, value in here.items():
        np.testing.assert_allclose(there[name], value, rtol=1e-6, atol=1e-8)


# --- a user's own term ---

OWN = '''
def speed_bonus(x, config):
    """Forward velocity, m/s."""
    return x.state.base_lin_vel_h[..., 0]


def alive(x, config):
    return 0.0


def whole_state(x, config):
    return x.state.qpos


limit = 3.0
'''


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "own_terms.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    yield "own_terms"
    sys.modules.pop("own_terms", None)


def test_a_users_term_is_added_to_the_others(wildrobot: RobotModel, own_module: str) -> None:
    values = {"alive": 7.0, "own_terms:speed_bonus": "2e0", "yaw_sigma": 1.0}
    config = build(RewardConfig, {"target_height": 0.45, **values}, "rewards")
    assert build(RewardConfig, to_dict(config), "rewards") == config
    assert to_dict(config)["own_terms:speed_bonus"] == 2.0
    terms = reward_terms(inputs(wildrobot, lin_vel=[0.5, 0, 0]), config)
    assert float(terms["speed_bonus"]) == pytest.approx(0.02 * 2.0 * 0.5)
    assert float(terms["alive"]) == pytest.approx(0.02 * 7.0)
    off = RewardConfig(target_height=0.45, weights={"own_terms:speed_bonus": 0.0})
    assert "speed_bonus" not in reward_terms(inputs(wildrobot), off)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("own_terms:speed_bonuss", "in own_terms 'speed_bonuss'.*Did you mean 'speed_bonus'"),
        ("own_terms:limit", "in own_terms 'limit'"),
        ("own_terms:alive", "has the name of a built-in term"),
        ("own_terms:", "form my_module:my_term"),
        ("no_such_module:term", "cannot be imported.*PYTHONPATH"),
        ("alife", "Did you mean 'alive'.*form my_module:my_term"),
    ],
)
def test_a_term_that_cannot_be_found_is_named(own_module: str, key: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(RewardConfig, {key: 1.0}, "rewards").terms()


def test_settings_that_are_read_import_nothing(own_module: str) -> None:
    """A file of someone else may name any module."""
    config = build(RewardConfig, {"own_terms:speed_bonus": 1.0}, "rewards")
    assert own_module not in sys.modules
    assert "speed_bonus" in config.terms() and own_module in sys.modules


def test_two_terms_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two terms named 'bonus'"):
        RewardConfig(target_height=0.45, weights={"one:bonus": 1.0, "other:bonus": 0.0})


def test_a_term_gives_one_number(wildrobot: RobotModel, own_module: str) -> None:
    config = build(RewardConfig, {"target_height": 0.45, "own_terms:whole_state": 1.0}, "rewards")
    with pytest.raises(ConfigError, match=r"'whole_state' must give one number.*\(16,\)"):
        reward_terms(inputs(wildrobot), config)
