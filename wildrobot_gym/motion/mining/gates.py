"""Tier 0+: the gates of the data-first plan, which every window of reference motion has to pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.motion.mining.window_metrics import Metrics

_AT_LEAST = ("load_mean", "load_p10")
_AT_MOST = (
    "harness_p90",
    "harness_p95",
    "harness_saturated",
    "unloaded",
    "pitch_p95",
    "roll_p95",
    "slip",
    "saturation",
)
_TINY = 1e-9
GATE_NAMES = (*_AT_LEAST, *_AT_MOST)

# Quality score (data-first plan): what is better than it need be counts more when reference motion is sampled.
_GOOD_LOAD, _GOOD_SLIP, _GOOD_TILT, _NEAR_HARNESS = 0.95, 0.05, 15.0, 0.8


@dataclass(frozen=True)
class Gates:
    """Bounds on `window_metrics`, and the windows they are applied to.

    Shares are 0 to 1 (of the weight, of frames, of servos), angles in degrees. The plan gives both 0.25 and 0.10 as the bound
    on harness_p95; the stricter one is the gate, so harness_p90 only bites where harness_p95 is relaxed.

    window, stride, shortest, longest: frames. A performance shorter than a window is one window if it has `shortest`
    frames; valid windows that overlap are joined up to `longest`.
    """

    load_mean: float = 0.85
    load_p10: float = 0.60
    harness_p90: float = 0.15
    harness_p95: float = 0.10
    harness_saturated: float = 0.05
    unloaded: float = 0.10
    pitch_p95: float = 25.0
    roll_p95: float = 25.0
    slip: float = 0.15
    saturation: float = 0.10
    window: int = 50
    stride: int = 10
    shortest: int = 20
    longest: int = 200

    def __post_init__(self) -> None:
        for name in GATE_NAMES:
            if not getattr(self, name) >= 0:
                raise ConfigError(
                    f"gates.{name} is {getattr(self, name)!r}; allowed: zero or more."
                )
        if not (self.stride >= 1 and 2 <= self.shortest <= self.window <= self.longest):
            raise ConfigError(
                f"gates.window {self.window}, stride {self.stride}, shortest {self.shortest}, longest {self.longest};"
                " allowed: stride 1 or more, 2 <= shortest <= window <= longest."
            )

    def windows(self, frames: int) -> tuple[Int[np.ndarray, " window"], int]:
        """First frames of the windows of a performance of `frames` frames, and their length."""
        if frames >= self.window:
            return np.arange(0, frames - self.window + 1, self.stride), self.window
        return np.arange(1 if frames >= self.shortest else 0), frames

    def failed(self, metrics: Metrics) -> dict[str, Bool[np.ndarray, " window"]]:
        """For each gate the windows that do not pass it."""
        too_low = {name: ~(metrics[name] >= getattr(self, name)) for name in _AT_LEAST}
        return too_low | {name: ~(metrics[name] <= getattr(self, name)) for name in _AT_MOST}

    def passed(self, metrics: Metrics) -> Bool[np.ndarray, " window"]:
        """Windows that pass every gate."""
        return ~np.any(list(self.failed(metrics).values()), axis=0)

    def closeness(self, metrics: Metrics) -> Float[np.ndarray, " window"]:
        """1 for windows that pass, else how near the worst gate is: its bound over the metric, or the metric over its bound."""
        low = [metrics[name] / max(getattr(self, name), _TINY) for name in _AT_LEAST]
        high = [getattr(self, name) / np.maximum(metrics[name], _TINY) for name in _AT_MOST]
        return np.clip(np.min([*low, *high], axis=0), 0.0, 1.0)

    def score(self, metrics: Metrics) -> Float[np.ndarray, " window"]:
        """Quality of windows, -1 to 3: well loaded, hardly sliding, upright; less where the harness is near its bound."""
        upright = (metrics["pitch_p95"] <= _GOOD_TILT) & (metrics["roll_p95"] <= _GOOD_TILT)
        good = (
            (metrics["load_mean"] >= _GOOD_LOAD) + 1.0 * (metrics["slip"] <= _GOOD_SLIP) + upright
        )
        return good - (metrics["harness_p95"] >= _NEAR_HARNESS * self.harness_p95)
