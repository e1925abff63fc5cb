"""Schedules of PPO's learning rate and clip range, and the ramp of the style weight."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stable_baselines3.common import utils as sb3

from amp_sbx.common.errors import ConfigError

Schedule = Callable[[float], float]

_PREFIX = "lin_"
_ZOO_SCHEDULE = "rl_zoo3.utils.SimpleLinearSchedule"  # by name, as rl_zoo3 is optional
_ALLOWED = "a number, 'lin_3e-4' (linear to 0) or 'lin_3e-4_1e-5_0.8' (to 1e-5 in 0.8 of the run)"


@dataclass(frozen=True)
class LinearSchedule:
    """A linear schedule; by default rl-zoo's `lin_`, which ends at 0 with `learn()`.

    Attributes:
        initial: value at the start.
        final: value at the end.
        end_fraction: fraction of `learn()` after which `final` is reached.

    Raises:
        ConfigError: a value is negative or not finite, or all are 0.

    Example:
        >>> model = AMPPPO("MlpPolicy", env, learning_rate=LinearSchedule(3e-4))
    """

    initial: float
    final: float = 0.0
    end_fraction: float = 1.0

    def __post_init__(self) -> None:
        values = (float(self.initial), float(self.final))  # NumPy's numbers, too
        fraction = float(self.end_fraction)
        if not (all(0 <= v < math.inf for v in values) and any(values)):
            raise ConfigError(
                f"A linear schedule goes from {values[0]:g} to {values[1]:g}; allowed: finite "
                "numbers, 0 or more, of which one is above 0."
            )
        if not 0 < fraction < math.inf:
            raise ConfigError(
                f"A linear schedule's end_fraction is {fraction:g}; allowed: a number above 0."
            )

    def __call__(self, progress_remaining: float) -> float:
        before_end = (progress_remaining - (1.0 - self.end_fraction)) / self.end_fraction
        # Not below 0: the last rollout can end late.
        return self.final + (self.initial - self.final) * max(before_end, 0.0)

    def __str__(self) -> str:
        values = [float(v) for v in (self.initial, self.final, self.end_fraction)]
        if values[1:] == [0.0, 1.0]:
            values = values[:1]
        return _PREFIX + "_".join(map(repr, values))


def linear_schedule(initial: float | str) -> LinearSchedule:
    """A `LinearSchedule` to 0 from a number or its text.

    Raises:
        ConfigError: no positive, finite number.
    """
    try:
        value = float(initial)
    except (TypeError, ValueError):
        raise ConfigError(
            f"linear_schedule: {initial!r} is not a number; give e.g. 3e-4."
        ) from None
    if not 0.0 < value < math.inf:
        raise ConfigError(
            f"linear_schedule: the initial value is {value}; it must be positive and finite."
        )
    return LinearSchedule(value)


def parse_schedule(value: float | int | str | Schedule, name: str = "schedule") -> float | Schedule:
    """Read a schedule as rl-zoo's files write it.

    Args:
        value: a number, its text, "lin_3e-4" (linear to 0), "lin_3e-4_1e-5_0.8" (linear to 1e-5 in
            0.8 of the run), or a function of the remaining progress. Schedule objects of
            Stable-Baselines3 and rl_zoo3 become what they stand for.
        name: name of the setting in messages.

    Returns:
        A number, a `LinearSchedule` or the function.

    Raises:
        ConfigError: any other text or type.
    """
    if isinstance(value, str):
        text = value.strip()
        try:
            if not text.startswith(_PREFIX):
                return float(text)
            numbers = [float(part) for part in text.removeprefix(_PREFIX).split("_")]
        except ValueError:
            numbers = []
        if not 1 <= len(numbers) <= 3:
            raise ConfigError(
                f"{name} is {value!r}; allowed: {_ALLOWED}, or a function of the remaining "
                "progress (1 to 0)."
            )
        return LinearSchedule(*numbers)
    if isinstance(value, bool) or not (isinstance(value, (int, float)) or callable(value)):
        raise ConfigError(f"{name} is {value!r}; allowed: {_ALLOWED}, or a function.")
    return float(value) if isinstance(value, (int, float)) else _of_other_library(value)


def schedule_to_json(value: Any, name: str) -> float | str | None:
    """A schedule as a file holds it: a number, a text that `parse_schedule` reads, or None.

    Raises:
        ConfigError: a function that is neither constant nor linear by its class.
    """
    if value is None:
        return None
    schedule = parse_schedule(value, name)
    if isinstance(schedule, float):
        return schedule
    if isinstance(schedule, LinearSchedule):
        return str(schedule)
    raise ConfigError(
        f"{name} is a Python function, which a file cannot hold. Before saving, set {name} of the "
        f"model to {_ALLOWED}, or to a LinearSchedule."
    )


def _of_other_library(schedule: Schedule) -> float | Schedule:
    """The number or `LinearSchedule` that another library's object stands for."""
    if isinstance(schedule, sb3.FloatSchedule):
        return _of_other_library(schedule.value_schedule)
    if isinstance(schedule, sb3.ConstantSchedule):
        return float(schedule.val)
    if isinstance(schedule, sb3.LinearSchedule):
        return LinearSchedule(schedule.start, schedule.end, schedule.end_fraction)
    kind = type(schedule)
    if f"{kind.__module__}.{kind.__qualname__}" == _ZOO_SCHEDULE:
        return LinearSchedule(schedule.initial_value)  # type: ignore[attr-defined]
    return schedule


def ramp(
    num_timesteps: float, initial: float, ramp_start: float, ramp_end: float, final: float
) -> float:
    """`initial` before `ramp_start`, `final` after `ramp_end`, linear in between.

    All times are environment steps. With `ramp_start == ramp_end`, it is a step.
    """
    if num_timesteps >= ramp_end:
        return final
    if num_timesteps <= ramp_start:
        return initial
    return initial + (final - initial) * (num_timesteps - ramp_start) / (ramp_end - ramp_start)
