"""`policy.json` of a policy: written here, read by `wildrobot_gym.deploy`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from amp_sbx.algorithm.plain_actor import PlainActor
from wildrobot_gym.config import build
from wildrobot_gym.deploy.description import FORMAT, FORMAT_VERSION
from wildrobot_gym.env.registration import ENV_ID
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.evaluation.benchmark import POLICY_SETTINGS
from wildrobot_gym.files import file_digest
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.channels import OBSERVATION
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.task.control import ServoControl
from wildrobot_gym.task.observations import CLIP
from wildrobot_gym.training.policy import LoadedPolicy
from wildrobot_gym.training.versions import versions

PROJECT_LICENSE = "MIT"


def describe_policy(
    policy: LoadedPolicy,
    actor: PlainActor,
    name: str,
    license: str | None,
    results: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The content of `policy.json`, without the network's file.

    Args:
        policy: The policy.
        actor: Its network.
        name: Its name.
        license: License of the policy; None where nobody said.
        results: Content of the JSON file that `wildrobot eval` wrote.
    """
    settings = {k: policy.env_kwargs[k] for k in POLICY_SETTINGS if k in policy.env_kwargs}
    config: EnvConfig = build(EnvConfig, settings, "env_kwargs")
    robot = RobotModel.load(config.robot)
    joints = describe_joints(robot, config)
    ranges = policy.command
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": name,
        "license": license,
        "env_id": ENV_ID,
        "robot": {
            "name": robot.name,
            "digest": robot.digest,
            "mass": robot.mass,
            "home_height": float(robot.home_qpos[2]),
            "feet": {foot: robot.leg_joint_names(foot) for foot in robot.foot_names},
        },
        "control_dt": config.control_dt,
        "joints": joints,
        "observation": {
            "dim": sum(len(list(c.kind.columns(robot))) for c in OBSERVATION),
            "formula": "clip(concatenate(factor * value of each channel), -clip, clip)",
            "clip": CLIP,
            "channels": [
                {
                    "name": c.name,
                    "meaning": c.meaning,
                    "columns": list(c.kind.columns(robot)),
                    "unit": c.unit,
                    "frame": c.frame,
                    "factor": c.scale,
                }
                for c in OBSERVATION
            ],
        },
        "action": {
            "dim": len(joints),
            "low": float(actor.low.min()),
            "high": float(actor.high.max()),
            "filter": config.action.filter,
            "formula": "filtered = filter * action + (1 - filter) * filtered, 0 at the start;"
            " target = clip(home + scale * filtered, low, high)",
        },
        "commands": {n: list(getattr(ranges, n)) for n in ("vx", "vy", "yaw_rate")},
        "network": {
            "layers": [len(bias) for _, bias in actor.layers],
            "activation": actor.activation,
            "mirror": None if actor.mirror is None else asdict(actor.mirror),
            "formula": "clip(f(x)), with f the dense layers"
            if actor.mirror is None
            else "clip((f(x) + image(f(image(x)))) / 2), image(y) = signs * y[ids]",
            "symmetric_policy": policy.model.symmetric_policy,
        },
        "benchmark": summarize(results),
        "source": {
            "sha256": file_digest(policy.path),
            "num_timesteps": int(policy.model.num_timesteps),
        },
        "versions": versions()["packages"],
    }


def describe_joints(robot: RobotModel, config: EnvConfig) -> list[dict[str, Any]]:
    """Each joint with its pose, limits, action scale and servo gains (rad, N*m)."""
    model, control = robot.model, ServoControl(robot, config.action)
    columns = {
        "home": robot.home_joint_pos,
        "scale": np.asarray(control.scale),
        "low": robot.joint_range[:, 0],
        "high": robot.joint_range[:, 1],
        "kp": model.actuator_gainprm[:, 0],
        "kd": -model.actuator_biasprm[:, 2],
        "force_limit": robot.force_limit,
    }
    return [
        {"name": name, **{key: round(float(column[i]), 6) for key, column in columns.items()}}
        for i, name in enumerate(robot.joint_names)
    ]


def summarize(results: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The means of an evaluation, by speed in m/s and metric."""
    if results is None:
        return None
    return {
        "protocol": results["protocol"],
        "episodes_per_command": results["episodes_per_command"],
        "commands": {
            command: {name: metric["mean"] for name, metric in metrics.items()}
            for command, metrics in results["commands"].items()
        },
    }


def read_results(path: Path, policy: LoadedPolicy) -> dict[str, Any]:
    """The JSON file that `wildrobot eval` wrote of a policy.

    Raises:
        ConfigError: The file is no such one, or is of another policy.
    """
    try:
        results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        summarize(results)
        steps = results["policy"]["num_timesteps"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path} holds no results: {error!r}. Write them with `wildrobot eval --json`."
        ) from error
    if steps != policy.model.num_timesteps:
        raise ConfigError(
            f"{path} is of a policy trained for {steps:,} steps; {policy.path} was trained for"
            f" {policy.model.num_timesteps:,}. Evaluate this one."
        )
    return results
