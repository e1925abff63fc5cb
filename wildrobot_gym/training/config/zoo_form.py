"""rl-zoo's files: the settings of many environments, by environment id, or under `default`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wildrobot_gym.env.registration import TRACK_ENV_ID
from wildrobot_gym.errors import ConfigError, unknown_name

DEFAULT = "default"
_HEADING = re.compile(rf"{DEFAULT}|atari|.+-v\d+")
# What rl_zoo3 does with a file's settings before the algorithm sees the rest.
ZOO_KEYS = (
    "callback", "env_wrapper", "frame_stack", "monitor_kwargs", "normalize", "sde_sample_freq",
    "use_sde", "vec_env_wrapper",
)  # fmt: skip


def is_zoo_form(values: Mapping[Any, Any]) -> bool:
    """Whether a file's settings stand under headings such as "WildRobot-v0" or "default"."""
    return any(_HEADING.fullmatch(str(key)) for key in values)


def section(values: Mapping[str, Any], env_id: str | None, path: Path) -> dict[str, Any]:
    """One environment's settings from a file of many, with its `env_id`.

    Args:
        values: The file's sections by environment id.
        env_id: The environment. Without a section of its own it gets `default`. None takes the
            only section.
        path: The file, for messages.

    Raises:
        ConfigError: There is no such section, or more than one and none was chosen.
    """
    ids = [key for key in values if key != DEFAULT]
    if env_id is None:
        if len(ids) != 1:
            raise ConfigError(
                f"{path} has settings for {', '.join(values)}. Choose the environment, for example"
                " --env WildRobot-v0."
            )
        env_id = ids[0]
    if env_id not in values and DEFAULT not in values:
        raise ConfigError(unknown_name(f"environment in {path}", env_id, values))
    inner = values.get(env_id, values.get(DEFAULT))
    if not isinstance(inner, Mapping):
        found = "nothing" if inner is None else repr(inner)[:60]
        raise ConfigError(
            f"{path}: {env_id} must hold a mapping of settings, such as `n_timesteps: 1e6`; it"
            f" holds {found}."
        )
    return _reference_in_amp({"env_id": env_id, **inner}, path)


def of_one_run(values: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """A section as the settings of a run of `wildrobot train`.

    Raises:
        ConfigError: It asks for something that only rl_zoo3 does.
    """
    for key in ZOO_KEYS:
        if values.get(key):
            raise ConfigError(
                f"{path}: {key} is {values[key]!r}, which only rl_zoo3 does. Train with"
                " `wildrobot zoo train`, or leave it out."
            )
    run = {key: value for key, value in values.items() if key not in ZOO_KEYS}
    if run["env_id"] == TRACK_ENV_ID:
        run.setdefault("eval", {"every": 0})  # it has no walk benchmark
    return run


def _reference_in_amp(values: dict[str, Any], path: Path) -> dict[str, Any]:
    """`reference: walk` can stand beside `amp`, as the argument does; runs have it inside."""
    if "reference" not in values:
        return values
    reference, amp = values.pop("reference"), values.get("amp") or {}
    if reference is None:
        return values
    if not isinstance(amp, Mapping) or amp.get("reference", reference) != reference:
        raise ConfigError(f"{path}: reference is {reference!r}, and amp is {amp!r}. Name one.")
    return values | {"amp": {**amp, "reference": reference}}
