"""Reads `policy.json` and checks that its entries fit each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wildrobot_gym import json_io
from wildrobot_gym.deploy.description import (
    FILE,
    FORMAT,
    FORMATS,
    READABLE,
    ChannelSpec,
    HeadingSpec,
    HistorySpec,
    JointSpec,
    MirrorSpec,
    NetworkSpec,
    PolicyDescription,
)
from wildrobot_gym.errors import ConfigError, RunError


def parse_description(content: Any, where: str = FILE) -> PolicyDescription:
    """A description from the content of `policy.json`.

    Args:
        content: The parsed JSON.
        where: Name of the file, for messages.

    Raises:
        RunError: An entry is missing or does not fit the others.
    """
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise RunError(f"{where} describes no exported policy. Write one with `wildrobot export`.")
    if content.get("format_version") not in READABLE:
        raise RunError(
            f"{where} has format version {content.get('format_version')}; this package reads"
            f" {READABLE[0]} to {READABLE[-1]}. Export the policy again."
        )
    try:
        description = _parse(content)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise RunError(f"{where} is incomplete: {error!r}. Export the policy again.") from error
    if problem := _problem(description):
        raise RunError(f"{where}: {problem} Export the policy again.")
    return description


def load_description(folder: str | Path) -> PolicyDescription:
    """The description in a folder that `wildrobot export` wrote.

    Raises:
        RunError: There is none, or it is damaged.
    """
    path = Path(folder) / FILE
    try:
        content = json_io.read(path)
    except OSError as error:
        raise RunError(
            f"{folder} holds no exported policy ({error}). Write one with `wildrobot export`."
        ) from error
    except ConfigError as error:
        raise RunError(f"{error} Export the policy again.") from error
    return parse_description(content, str(path))


def _parse(content: Mapping[str, Any]) -> PolicyDescription:
    network, observation, action = content["network"], content["observation"], content["action"]
    mirror, rates = network["mirror"], content.get("acceleration")
    if mirror is not None:
        ids = {k: np.array(mirror[k], np.int64) for k in ("obs_ids", "action_ids")}
        signs = {k: np.array(mirror[k], np.float32) for k in ("obs_signs", "action_signs")}
        mirror = MirrorSpec(**ids, **signs)
    return PolicyDescription(
        name=str(content["name"]),
        robot=str(content["robot"]["name"]),
        robot_digest=str(content["robot"]["digest"]),
        control_dt=float(content["control_dt"]),
        joints=tuple(_joint(joint) for joint in content["joints"]),
        channels=tuple(_channel(channel) for channel in observation["channels"]),
        history=HistorySpec(**{k: int(v) for k, v in observation.get("history", {}).items()}),
        clock_hz=float(observation.get("clock_hz", 1.0)),
        clip=float(observation["clip"]),
        action_filter=float(action["filter"]),
        command_ranges={
            name: (float(low), float(high)) for name, (low, high) in content["commands"].items()
        },
        acceleration=None if rates is None else tuple(float(rate) for rate in rates),
        heading=HeadingSpec(**{k: float(v) for k, v in content.get("heading", {}).items()}),
        network=NetworkSpec(
            file=Path(network["file"]).name,
            format=str(network["format"]),
            sha256=str(network["sha256"]),
            layers=tuple(int(width) for width in network["layers"]),
            activation=str(network["activation"]),
            mirror=mirror,
            low=float(action["low"]),
            high=float(action["high"]),
        ),
        content=content,
    )


def _channel(channel: Mapping[str, Any]) -> ChannelSpec:
    texts = {k: str(v) for k, v in channel.items() if k not in ("columns", "factor")}
    columns = tuple(str(column) for column in channel["columns"])
    return ChannelSpec(columns=columns, factor=float(channel["factor"]), **texts)


def _joint(joint: Mapping[str, Any]) -> JointSpec:
    name, numbers = str(joint["name"]), {k: float(v) for k, v in joint.items() if k != "name"}
    return JointSpec(name, **numbers)


def _problem(d: PolicyDescription) -> str | None:
    """What does not fit, as a sentence."""
    if d.network.format not in FORMATS:
        return f"network.format is {d.network.format!r}; allowed: {', '.join(FORMATS)}."
    if not d.joints or d.network.layers[-1:] != (len(d.joints),):
        return f"the network has layers {list(d.network.layers)} for {len(d.joints)} joints."
    if len(set(d.joint_names)) < len(d.joints):
        return f"a joint is listed twice: {', '.join(d.joint_names)}."
    of_joints = (v for j in d.joints for v in vars(j).values() if v != j.name)
    numbers = [d.control_dt, d.clip, d.heading.gain, d.heading.limit, d.clock_hz, *of_joints]
    if not np.isfinite(numbers).all() or not (0 < d.control_dt <= 1 and 0 < d.action_filter <= 1):
        return "a number is not finite, or the control period or the filter is out of range."
    if (rates := d.acceleration) is not None and not (len(rates) == 3 and min(rates) > 0):
        return f"acceleration is {list(rates)}; allowed: three numbers above 0, or null."
    if min(d.history.frames, d.history.stride) < 1:
        return f"the history has {d.history.frames} frames, {d.history.stride} steps apart."
    m = d.network.mirror
    widths = {"obs": d.obs_dim, "action": len(d.joints)}
    for space, width in widths.items() if m is not None else ():
        ids, signs = getattr(m, f"{space}_ids"), getattr(m, f"{space}_signs")
        if sorted(ids) != list(range(width)) or len(signs) != width:
            return f"network.mirror is no reflection of {width} {space} columns."
    return None
