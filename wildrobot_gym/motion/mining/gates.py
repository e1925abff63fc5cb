"""The quality gates that every window of mined reference motion has to pass."""

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

# Quality score: windows that are better than they have to be are sampled more often.
_GOOD_LOAD, _GOOD_SLIP, _GOOD_TILT, _NEAR_HARNESS = 0.95, 0.05, 15.0, 0.8


@dataclass(frozen=True)
class Gates:
    """Bounds on the metrics of a window, and the windows to which they are applied.

    Fractions are 0 to 1 and angles are in degrees. With the defaults `harness_p90` never decides,
    since `harness_p95` is stricter. Windows that overlap and pass are joined.

    Attributes:
        load_mean: Minimum mean load, as a fraction of the weight.
        load_p10: Minimum 10th percentile of the load, as a fraction of the weight.
        harness_p90: Maximum 90th percentile of the harness force, as a fraction of the weight.
        harness_p95: Maximum 95th percentile of the harness force, as a fraction of the weight.
        harness_saturated: Maximum fraction of frames with the harness at its cap.
        unloaded: Maximum fraction of frames whose feet carry too little.
        pitch_p95: Maximum 95th percentile of the pitch.
        roll_p95: Maximum 95th percentile of the roll.
        slip: Maximum fraction of loaded foot frames that slide.
        saturation: Maximum fraction of servo frames at the force limit.
        window: Length of a window, in frames.
        stride: Frames between the starts of two windows.
        shortest: Shortest performance that counts as one window, in frames.
        longest: Longest segment, in frames.

    Raises:
        ConfigError: A value is out of range.
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
                f"gates.window {self.window}, stride {self.stride}, shortest {self.shortest},"
                f" longest {self.longest};"
                " allowed: stride 1 or more, 2 <= shortest <= window <= longest."
            )

    def windows(self, frames: int) -> tuple[Int[np.ndarray, " window"], int]:
        """Return the first frames of the windows of a performance of `frames` frames, and their
        length.
        """
        if frames >= self.window:
            return np.arange(0, frames - self.window + 1, self.stride), self.window
        return np.arange(1 if frames >= self.shortest else 0), frames

    def failed(self, metrics: Metrics) -> dict[str, Bool[np.ndarray, " window"]]:
        """Return the windows that fail each gate."""
        too_low = {name: ~(metrics[name] >= getattr(self, name)) for name in _AT_LEAST}
        return too_low | {name: ~(metrics[name] <= getattr(self, name)) for name in _AT_MOST}

    def passed(self, metrics: Metrics) -> Bool[np.ndarray, " window"]:
        """Return the windows that pass every gate."""
        return ~np.any(list(self.failed(metrics).values()), axis=0)

    def closeness(self, metrics: Metrics) -> Float[np.ndarray, " window"]:
        """Return 1 for windows that pass, else the worst ratio between a metric and its bound, 0 to
        1.
        """
        low = [metrics[name] / max(getattr(self, name), _TINY) for name in _AT_LEAST]
        high = [getattr(self, name) / np.maximum(metrics[name], _TINY) for name in _AT_MOST]
        return np.clip(np.min([*low, *high], axis=0), 0.0, 1.0)

    def score(self, metrics: Metrics) -> Float[np.ndarray, " window"]:
        """Return the quality of windows, -1 to 3.

        A window gains a point each for good load, little slip and small tilt. It loses one if the
        harness is near its bound.
        """
        upright = (metrics["pitch_p95"] <= _GOOD_TILT) & (metrics["roll_p95"] <= _GOOD_TILT)
        good = (
            (metrics["load_mean"] >= _GOOD_LOAD) + 1.0 * (metrics["slip"] <= _GOOD_SLIP) + upright
        )
        return good - (metrics["harness_p95"] >= _NEAR_HARNESS * self.harness_p95)
