"""How finished environments of a batch restart: Gymnasium's autoreset modes and partial resets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from wildrobot_gym.errors import ConfigError, unknown_name


def autoreset_mode(mode: AutoresetMode | str) -> AutoresetMode:
    """The mode itself, or the one with this name in any spelling, such as `same_step` or
    `SameStep`.

    Raises:
        ConfigError: there is no such mode.
    """
    if isinstance(mode, AutoresetMode):
        return mode
    plain = str(mode).lower().replace("_", "")
    for candidate in AutoresetMode:
        if plain in (candidate.name.lower().replace("_", ""), candidate.value.lower()):
            return candidate
    raise ConfigError(unknown_name("autoreset_mode", str(mode), [m.name for m in AutoresetMode]))


def reset_mask(options: Mapping[str, Any] | None, num_envs: int) -> np.ndarray:
    """Which environments `reset(options=...)` restarts, (num_envs,) bool; all without a mask.

    Raises:
        ConfigError: the mask is no bool array of that shape, or names no environment.
    """
    mask = (options or {}).get("reset_mask")
    if mask is None:
        return np.ones(num_envs, bool)
    mask = np.asarray(mask)
    if mask.shape != (num_envs,) or mask.dtype != bool:
        raise ConfigError(
            f"reset_mask must be a bool array of shape ({num_envs},), got {mask.dtype}"
            f" {mask.shape}."
        )
    if not mask.any():
        raise ConfigError("reset_mask names no environment: at least one entry must be True.")
    return mask


def final_infos(done: np.ndarray, obs: np.ndarray, infos: Mapping[str, Any]) -> dict[str, Any]:
    """Gymnasium's entries for SAME_STEP: what finished environments showed before their reset.

    Args:
        done: (num_envs,) finished environments.
        obs: (num_envs, obs) observations before the reset.
        infos: The step's infos. Their arrays are entered as they are, not copied.
    """
    final_obs = np.full(len(done), None, dtype=object)
    for i in np.flatnonzero(done):
        final_obs[i] = obs[i].copy()
    final_info: dict[str, Any] = {}
    for name, value in infos.items():
        final_info[name] = value
        final_info[f"_{name}"] = done
    return {
        "final_obs": final_obs,
        "_final_obs": done,
        "final_info": final_info,
        "_final_info": done,
    }
