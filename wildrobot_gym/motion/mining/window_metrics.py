"""The metrics by which the gates judge a window of a performance."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float, Int

from wildrobot_gym.motion.tracking.performance import Performance
from wildrobot_gym.robot import SATURATION_FRACTION, RobotModel
from wildrobot_gym.task.contact import LOADED_FRACTION, SLIP_SPEED, foot_loads

# Fraction of the weight. A frame whose feet carry less counts as unloaded.
UNLOADED_FRACTION = 0.60

Metrics = dict[str, Float[np.ndarray, " window"]]


@dataclass(frozen=True)
class Signals:
    """The signals of a performance, one entry for each frame.

    Attributes:
        load: Load on the feet, as a fraction of the weight.
        harness: Force of the harness, as a fraction of the weight.
        harness_saturated: Whether the harness is at its cap.
        pitch: Pitch of the base, in rad.
        roll: Roll of the base, in rad.
        loaded: (time, foot) whether the foot carries load.
        sliding: (time, foot) whether it carries load and slides.
        saturated: Fraction of the servos at their force limit.
    """

    load: Float[np.ndarray, " time"]
    harness: Float[np.ndarray, " time"]
    harness_saturated: Bool[np.ndarray, " time"]
    pitch: Float[np.ndarray, " time"]
    roll: Float[np.ndarray, " time"]
    loaded: Bool[np.ndarray, "time foot"]
    sliding: Bool[np.ndarray, "time foot"]
    saturated: Float[np.ndarray, " time"]

    def __len__(self) -> int:
        return len(self.load)


def read_signals(robot: RobotModel, performance: Performance) -> Signals:
    """Compute the signals of a performance.

    The harness counts as (force + torque / leg length) / (m g). A torque on the base topples the
    robot just as that force at hip height would. Adding the two is the worst case.
    """
    force, speed = foot_loads(performance.pad_forces, performance.pad_speed, robot.pad_ids_of_foot)
    loaded = force > LOADED_FRACTION * robot.weight
    push, couple = (
        np.linalg.norm(performance.harness[:, part], axis=-1) for part in (slice(3), slice(3, 6))
    )
    w, x, y, z = performance.qpos[:, 3:7].T
    return Signals(
        load=force.sum(axis=-1) / robot.weight,
        harness=(push + couple / robot.leg_length) / robot.weight,
        harness_saturated=performance.harness_saturated,
        pitch=np.arcsin(np.clip(2 * (w * y - z * x), -1.0, 1.0)),
        roll=np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)),
        loaded=loaded,
        sliding=loaded & (speed > SLIP_SPEED),
        saturated=(np.abs(performance.torque) >= SATURATION_FRACTION * robot.force_limit).mean(
            axis=-1
        ),
    )


def joined(signals: list[Signals]) -> Signals:
    """Join several signals one after the other, for metrics over all of them."""
    return Signals(
        **{f.name: np.concatenate([getattr(s, f.name) for s in signals]) for f in fields(Signals)}
    )


def window_metrics(signals: Signals, starts: Int[np.ndarray, " window"], length: int) -> Metrics:
    """Compute the metrics of windows. Fractions are 0 to 1, angles are in degrees.

    `slip` is the fraction of loaded foot frames that slide. `saturation` is the fraction of servo
    frames at the limit. `alternation` is the fraction of frames with exactly one foot loaded.

    Args:
        signals: The signals of a performance.
        starts: First frames of the windows.
        length: Length of a window, in frames.

    Returns:
        One array (window,) for each metric, by name.
    """
    frames = starts[:, None] + np.arange(length)
    load, harness = signals.load[frames], signals.harness[frames]
    loaded, sliding = signals.loaded[frames], signals.sliding[frames]
    low_load, high_load = np.percentile(load, [10, 95], axis=1)
    harness_p90, harness_p95 = np.percentile(harness, [90, 95], axis=1)
    return {
        "load_mean": load.mean(axis=1),
        "load_p10": low_load,
        "load_p95": high_load,
        "harness_mean": harness.mean(axis=1),
        "harness_p90": harness_p90,
        "harness_p95": harness_p95,
        "harness_saturated": signals.harness_saturated[frames].mean(axis=1),
        "unloaded": (load < UNLOADED_FRACTION).mean(axis=1),
        "pitch_p95": np.rad2deg(np.percentile(np.abs(signals.pitch[frames]), 95, axis=1)),
        "roll_p95": np.rad2deg(np.percentile(np.abs(signals.roll[frames]), 95, axis=1)),
        "slip": sliding.sum(axis=(1, 2)) / np.maximum(loaded.sum(axis=(1, 2)), 1),
        "saturation": signals.saturated[frames].mean(axis=1),
        "alternation": (loaded.sum(axis=2) == 1).mean(axis=1),
    }
