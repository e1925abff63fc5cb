"""The numbers that define the walk benchmark. This module is quick to import."""

from __future__ import annotations

import math
from collections.abc import Sequence

from wildrobot_gym.errors import ConfigError

PROTOCOL = "walk-1"
SUITES_PROTOCOL = "walk-2"  # suites, of which version 1 is `FLAT`
FLAT, ALL = "flat", "all"  # names of suites
COMMANDS = (0.2, 0.4, 0.6, 0.8, 1.0)  # m/s forward
EPISODES = 64  # for each command
DURATION_S = 10.0
SEED = 20261
MAX_COMPARED = 8  # runs side by side, each in a different color


def check_protocol(
    commands: Sequence[float], episodes: int, num_steps: int | None = None, seed: int = SEED
) -> None:
    """Raise ConfigError for settings that no benchmark can run with.

    Args:
        commands: Forward speeds, in m/s.
        episodes: Episodes for each command.
        num_steps: Control steps of an episode; None for those of 10 s.
        seed: Random seed of the episodes.
    """
    names = {f"{command:g}" for command in commands}
    if not names or len(names) < len(commands) or not all(map(math.isfinite, commands)):
        raise ConfigError(
            f"commands are {list(commands)}; allowed: one or more finite speeds in m/s, each once."
        )
    for name, value, low in (("episodes", episodes, 1), ("steps", num_steps, 1), ("seed", seed, 0)):
        if value is not None and value < low:
            raise ConfigError(f"{name} is {value}; allowed: a whole number, {low} or more.")
