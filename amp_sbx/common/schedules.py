"""Schedules: PPO's learning rate and clip range over a run, and the ramp of the AMP weight over environment steps."""

from collections.abc import Callable
from dataclasses import dataclass

from amp_sbx.common.errors import ConfigError

Schedule = Callable[[float], float]


@dataclass(frozen=True)
class LinearSchedule:
    """`initial * progress_remaining`: from `initial` at the start of `learn()` to 0 at its end (rl-zoo's `lin_`)."""

    initial: float

    def __call__(self, progress_remaining: float) -> float:
        return self.initial * max(progress_remaining, 0.0)  # the last rollout may go beyond the end

    def __str__(self) -> str:
        return f"lin_{float(self.initial)!r}"  # of NumPy's numbers, too


def linear_schedule(initial: float | str) -> LinearSchedule:
    """A `LinearSchedule`; accepts a number or its text. Raises `ConfigError` when it is not a positive number."""
    try:
        value = float(initial)
    except (TypeError, ValueError):
        raise ConfigError(
            f"linear_schedule: {initial!r} is not a number; give e.g. 3e-4."
        ) from None
    if not 0.0 < value < float("inf"):
        raise ConfigError(
            f"linear_schedule: the initial value is {value}; it must be a positive, finite number."
        )
    return LinearSchedule(value)


def parse_schedule(value: float | int | str | Schedule, name: str = "schedule") -> float | Schedule:
    """A number or callable unchanged; `'lin_3e-4'` as a `LinearSchedule`; `'3e-4'` as a number.

    Raises:
        ConfigError: for any other text or type, naming the setting.
    """
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("lin_"):
            return linear_schedule(text[len("lin_") :])
        try:
            return float(text)
        except ValueError:
            raise ConfigError(
                f"{name} is {value!r}; allowed are a number, 'lin_<number>' (linear to 0) or a callable "
                "of the remaining progress (1 to 0)."
            ) from None
    if isinstance(value, bool) or not (isinstance(value, (int, float)) or callable(value)):
        raise ConfigError(
            f"{name} is {value!r}; allowed are a number, 'lin_<number>' or a callable."
        )
    return float(value) if isinstance(value, (int, float)) else value


def ramp(
    num_timesteps: float, initial: float, ramp_start: float, ramp_end: float, final: float
) -> float:
    """`initial` before `ramp_start`, `final` from `ramp_end` on, linear between (all in environment steps).

    With `ramp_start == ramp_end` it is a step.
    """
    if num_timesteps >= ramp_end:
        return final
    if num_timesteps <= ramp_start:
        return initial
    return initial + (final - initial) * (num_timesteps - ramp_start) / (ramp_end - ramp_start)
