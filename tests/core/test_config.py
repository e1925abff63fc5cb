"""Configs: checked at construction, built from plain mappings, written back as plain mappings."""

from __future__ import annotations

import json

import pytest
import yaml

from wildrobot_gym import errors
from wildrobot_gym.config import build, to_dict
from wildrobot_gym.task.config import (
    ActionConfig,
    CommandConfig,
    EnvConfig,
    FeatureConfig,
    HistoryConfig,
    ResetConfig,
    RewardConfig,
    TerminationConfig,
)

CHANGED = {
    "robot": "wildrobot_8dof",
    "control_dt": 0.01,
    "features": {
        "channels": ["joint_pos", "root_lin_vel"],
        "root_velocity": "raw",
        "contacts": "none",
        "history": {"frames": 3, "stride": 1},
    },
    "action": {"scale": 0.8, "joint_scale": {"left_hip_roll": 0.4}, "filter": 1.0},
    "commands": {"vx": [-0.2, 0.6], "standing_fraction": 0},
    "termination": {"max_tilt": 0.7},
    "rewards": {"alive": 0, "slip": "1e-3"},
}


def test_defaults_are_the_designs() -> None:
    config = EnvConfig()
    assert config.control_dt == 0.02
    assert (config.action.scale, dict(config.action.joint_scale), config.action.filter) == (
        1.0,
        {"waist_yaw": 0.5},
        0.7,
    )
    assert (
        config.termination.min_height,
        config.termination.max_height,
        config.termination.max_tilt,
    ) == (None, None, None)
    assert (config.commands.vx, config.commands.vy, config.commands.yaw_rate) == (
        (0.0, 1.0),
        (0.0, 0.0),
        (0.0, 0.0),
    )
    rewards = config.rewards
    weights = tuple(
        rewards.weights[name]
        for name in ("tracking_lin_vel", "base_height", "action_rate", "torque_penalty")
    )
    assert weights == (5.0, 0.3, -0.01, -0.001)
    assert config.features.velocity_frame == "heading"


def test_build_and_to_dict_are_inverse() -> None:
    config = build(EnvConfig, CHANGED)
    plain = to_dict(config)
    assert build(EnvConfig, plain) == config
    assert build(EnvConfig, yaml.safe_load(yaml.safe_dump(plain))) == config
    assert build(EnvConfig, json.loads(json.dumps(plain))) == config
    assert config.rewards.weights["slip"] == 0.001
    assert config.commands.vx == (-0.2, 0.6)
    assert config.features.history.num_past == 2
    assert build(EnvConfig, None) == EnvConfig() == build(EnvConfig, {})
    assert build(EnvConfig, config) is config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"robott": "x"}, r"'robott'.*Did you mean 'robot'"),
        (
            {"rewards": {"tracking_lin_val": 1}},
            r"key in rewards 'tracking_lin_val'.*Did you mean 'tracking_lin_vel'",
        ),
        (
            {"features": {"history": {"frame": 2}}},
            r"features\.history 'frame'.*Did you mean 'frames'",
        ),
        (
            {"features": {"root_velocity": "directions"}},
            "root_velocity 'directions'.*Did you mean 'direction'",
        ),
        ({"features": {"root_velocity": 5}}, "root_velocity '5'.*Allowed: clipped, direction, raw"),
        (
            {"features": {"velocities": "estimated"}},
            "velocities 'estimated'.*Allowed: finite_difference, simulation",
        ),
        (
            {"features": {"contact_min_confidence": 1.5}},
            "contact_min_confidence is 1.5; allowed: 0 to 1",
        ),
        ({"features": {"contacts": None}}, "contacts 'None'.*Allowed"),
        ({"features": {"channels": ["joint_pose"]}}, "'joint_pose'.*Did you mean 'joint_pos'"),
        ({"features": {"channels": "joint_pos"}}, "features.channels must be a list"),
        ({"features": {"channels": ["joint_pos", "joint_pos"]}}, "features.channels"),
        ({"features": {"channels": []}}, "features.channels"),
        ({"features": {"history": 4}}, "features.history must be a mapping"),
        ({"features": {"history": {"frames": 2.5}}}, "features.history.frames must be int"),
        ({"robot": 3}, "robot must be str"),
        ({"reset": {"stagger": 1}}, "reset.stagger must be bool"),
        ({"control_dt": "fast"}, "control_dt must be a number"),
        ({"control_dt": True}, "control_dt must be a number"),
        ({"control_dt": float("inf")}, "control_dt must be finite"),
        ({"rewards": {"alive": ".nan"}}, "alive must be a number"),
        ({"rewards": {"alive": float("nan")}}, "rewards.alive must be finite"),
        ({"commands": {"vx": 1.0}}, "commands.vx must be a list"),
        ({"commands": {"vx": [1.0, 0.0]}}, "commands.vx.*low <= high"),
        ({"commands": {"vx": [0.0, 0.5, 1.0]}}, "commands.vx"),
        ({"action": {"joint_scale": [1]}}, "action.joint_scale must be a mapping"),
    ],
)
def test_wrong_values_name_the_key_and_what_is_allowed(values: dict, message: str) -> None:
    with pytest.raises(errors.ConfigError, match=message):
        build(EnvConfig, values)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: HistoryConfig(frames=0), "history.frames"),
        (lambda: HistoryConfig(stride=0), "history.stride"),
        (lambda: FeatureConfig(contact_scale=0.0), "features.contact_scale"),
        (lambda: FeatureConfig(proxy_speed=-1.0), "features.proxy_speed"),
        (lambda: ActionConfig(scale=0.0), "action scale"),
        (lambda: ActionConfig(joint_scale={"waist_yaw": 0.0}), "action waist_yaw"),
        (lambda: ActionConfig(filter=0.0), "action.filter"),
        (lambda: ActionConfig(filter=1.1), "action.filter"),
        (lambda: CommandConfig(standing_fraction=1.5), "commands.standing_fraction"),
        (lambda: CommandConfig(resample_interval_s=0.0), "commands.resample_interval_s"),
        (lambda: CommandConfig(yaw_rate=(0.1, 0.0)), "commands.yaw_rate"),
        (lambda: ResetConfig(joint_noise=-0.1), "reset.joint_noise"),
        (lambda: ResetConfig(reference_fraction=2.0), "reset.reference_fraction"),
        (lambda: TerminationConfig(min_height=0.7, max_height=0.7), "termination heights"),
        (lambda: TerminationConfig(max_tilt=0.0), "termination.max_tilt"),
        (lambda: TerminationConfig(max_tilt=60.0), "termination.max_tilt"),  # degrees
        (lambda: RewardConfig(tracking_sigma=0.0), "rewards.tracking_sigma"),
        (lambda: RewardConfig(scale=0.0), "rewards.scale"),
        (lambda: EnvConfig(control_dt=0.0), "control_dt"),
    ],
)
def test_ranges(make, name: str) -> None:
    with pytest.raises(errors.ConfigError, match=rf"{name}.*allowed"):
        make()


def test_history_remembers_what_its_window_needs() -> None:
    assert HistoryConfig(8, 2).num_past == 14
    assert HistoryConfig(1, 25).num_past == 0


def test_every_error_has_the_one_base() -> None:
    kinds = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, Exception)]
    assert len(kinds) > 5
    assert all(issubclass(kind, errors.WildRobotError) for kind in kinds)


def test_unknown_name_without_a_near_one() -> None:
    assert errors.unknown_name("thing", "zzz", ("a", "b")) == "Unknown thing 'zzz'. Allowed: a, b."
