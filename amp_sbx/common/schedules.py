"""Schedules of PPO's learning rate and clip range, and the ramp of the style weight."""

from collections.abc import Callable
from dataclasses import dataclass

from amp_sbx.common.errors import ConfigError

Schedule = Callable[[float], float]


@dataclass(frozen=True)
class LinearSchedule:
    """A schedule from `initial` at the start of `learn()` to 0 at its end (rl-zoo's `lin_`).

    Attributes:
        initial: value at the start.

    Example:
        >>> model = AMPPPO("MlpPolicy", env, learning_rate=LinearSchedule(3e-4))
    """

    initial: float

    def __call__(self, progress_remaining: float) -> float:
        return self.initial * max(progress_remaining, 0.0)  # the last rollout can end late

    def __str__(self) -> str:
        return f"lin_{float(self.initial)!r}"  # float() for NumPy's numbers


def linear_schedule(initial: float | str) -> LinearSchedule:
    """A `LinearSchedule` from a number or its text.

    Raises:
        ConfigError: no positive, finite number.
    """
    try:
        value = float(initial)
    except (TypeError, ValueError):
        raise ConfigError(
            f"linear_schedule: {initial!r} is not a number; give e.g. 3e-4."
        ) from None
    if not 0.0 < value < float("inf"):
        raise ConfigError(
            f"linear_schedule: the initial value is {value}; it must be positive and finite."
        )
    return LinearSchedule(value)


def parse_schedule(value: float | int | str | Schedule, name: str = "schedule") -> float | Schedule:
    """Read a schedule as rl-zoo's files write it.

    Args:
        value: a number, its text, "lin_3e-4" (linear to 0), or a function of the remaining
            progress.
        name: name of the setting in messages.

    Returns:
        A number, a `LinearSchedule` or the function.

    Raises:
        ConfigError: any other text or type.
    """
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("lin_"):
            return linear_schedule(text[len("lin_") :])
        try:
            return float(text)
        except ValueError:
            raise ConfigError(
                f"{name} is {value!r}; allowed: a number, 'lin_<number>' (linear to 0), or a "
                "function of the remaining progress (1 to 0)."
            ) from None
    if isinstance(value, bool) or not (isinstance(value, (int, float)) or callable(value)):
        raise ConfigError(f"{name} is {value!r}; allowed: a number, 'lin_<number>', or a function.")
    return float(value) if isinstance(value, (int, float)) else value


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
