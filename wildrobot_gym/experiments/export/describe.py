"""`policy.json` of a policy: written here, read by `wildrobot_gym.deploy`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import mujoco
import numpy as np

from amp_sbx.algorithm.plain_actor import PlainActor
from wildrobot_gym.config import build, to_dict
from wildrobot_gym.deploy.description import FORMAT, FORMAT_VERSION
from wildrobot_gym.env.registration import ENV_ID
from wildrobot_gym.evaluation.benchmark import evaluation_settings
from wildrobot_gym.experiments.about_policy import summarize
from wildrobot_gym.files import file_digest
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.channels import OBSERVATION_CHANNELS
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.task.control import ServoControl
from wildrobot_gym.task.observations import CLIP
from wildrobot_gym.training.policy import LoadedPolicy
from wildrobot_gym.training.versions import versions


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
    settings = evaluation_settings(policy.env_kwargs)
    config: EnvConfig = build(EnvConfig, settings, "env_kwargs")
    robot = RobotModel.load(config.robot)
    observed = config.observation
    channels = describe_channels(robot, config)
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
            "pads": describe_pads(robot),
        },
        "control_dt": config.control_dt,
        "joints": joints,
        "observation": {
            "dim": observed.history.frames * sum(len(c["columns"]) for c in channels),
            "formula": "a frame is clip(concatenate(factor * value of each channel), -clip, clip);"
            " the observation is the frames of the history, the oldest first",
            "clip": CLIP,
            "channels": channels,
            "history": to_dict(observed.history),
            "switch_force": observed.switch_force,
            "clock_hz": observed.clock_hz,
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
        "acceleration": ranges.acceleration and list(ranges.acceleration),
        "heading": {"gain": ranges.heading_gain, "limit": ranges.heading_limit},
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


def describe_channels(robot: RobotModel, config: EnvConfig) -> list[dict[str, Any]]:
    """Each channel of a frame of the observation, with its columns and its factor."""
    chosen = [OBSERVATION_CHANNELS[name] for name in config.observation.channels]
    sensors = config.observation.sensors
    factors = [(sensors[c.name].scale if c.name in sensors else None) or c.scale for c in chosen]
    return [
        {
            "name": c.name,
            "meaning": c.meaning,
            "columns": list(c.kind.columns(robot)),
            "unit": c.unit,
            "frame": c.frame,
            "factor": factor,
        }
        for c, factor in zip(chosen, factors, strict=True)
    ]


def describe_pads(robot: RobotModel) -> list[dict[str, Any]]:
    """Each pad with its foot, and its place from the last joint of that leg, m.

    The place is in the frame of the base, in the home pose: joints are where they are in any MJCF
    of the robot, whatever the frames of its bodies.
    """
    model, data = robot.model, mujoco.MjData(robot.model)
    data.qpos[:] = robot.home_qpos
    mujoco.mj_forward(model, data)
    places = data.sensordata[robot.sensor_slices["pad_pos_w"]]
    to_base = data.xmat[model.jnt_bodyid[0]].reshape(3, 3).T
    pads = []
    for foot, ids in zip(robot.foot_names, robot.pad_ids_of_foot, strict=True):
        ankle = data.xanchor[model.joint(robot.leg_joint_names(foot)[-1]).id]
        for i in ids[ids < len(robot.pad_names)]:  # a foot may have fewer than another
            place = (to_base @ (places[i] - ankle)).round(5).tolist()
            pads.append({"name": robot.pad_names[i], "foot": foot, "place": place})
    return sorted(pads, key=lambda pad: robot.pad_names.index(pad["name"]))


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
