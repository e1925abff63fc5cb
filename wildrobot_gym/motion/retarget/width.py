"""The width of the robot's stance: from its own hips and sway, since a human's feet nearly meet."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from wildrobot_gym.motion.retarget.balance import balanced_path
from wildrobot_gym.motion.retarget.footpath import Foot
from wildrobot_gym.motion.retarget.steps import Stance

_WIDENING = 0.4  # fraction of the sway by which the feet stand wider than the hips, as in gait.plan


def stand_wide(
    stances: list[list[Stance]],
    feet: list[Foot],
    time: Float[np.ndarray, " time"],
    way: Float[np.ndarray, "time 2"],
    fraction: Float[np.ndarray, "time foot"],
    omega: float,
) -> list[list[Stance]]:
    """Move each foot's stances sideways by the same distance, so that their mean suits this robot.

    Args:
        stances: Stances of each foot.
        feet: The robot's feet.
        time: (time,) in seconds.
        way: (time, 2) path of the hips without the sway of each step, in m.
        fraction: (time, foot) fraction of the load on each foot.
        omega: Natural frequency of the pendulum, in rad/s.
    """
    hip_y = np.array([foot.hip_y for foot in feet])
    out = np.sign(hip_y) * _widening(hip_y, feet, time, fraction, omega)
    moved = []
    for foot, wanted in zip(stances, hip_y + out, strict=True):
        shift = wanted - np.mean([_aside(stance, time, way) for stance in foot]) if foot else 0.0
        moved.append([stance.moved_left(float(shift)) for stance in foot])
    return moved


def _widening(
    hip_y: Float[np.ndarray, " foot"],
    feet: list[Foot],
    time: Float[np.ndarray, " time"],
    fraction: Float[np.ndarray, "time foot"],
    omega: float,
) -> float:
    """Return how much wider each foot stands than its hip, in m. Wider feet cause more sway."""
    sides = np.stack([fraction @ np.sign(hip_y)] * 2, axis=-1)
    sway = np.abs(
        balanced_path(
            sides, np.zeros_like(sides), fraction.sum(axis=1), 1.0 / (time[1] - time[0]), omega
        )
    ).max()
    width = _WIDENING * min(float(sway), 1.0)
    arm = np.mean(
        np.abs(hip_y) - np.abs([foot.inner for foot in feet])
    )  # from the midline to the load of a foot
    return float(width * arm / (1.0 - width))


def _aside(
    stance: Stance, time: Float[np.ndarray, " time"], way: Float[np.ndarray, "time 2"]
) -> float:
    """Return how far a stance is to the left of the hips' path, in m."""
    middle = np.clip(0.5 * (stance.flat + stance.rise), time[0], time[-1])
    x, y, yaw = stance.place
    dx, dy = x - np.interp(middle, time, way[:, 0]), y - np.interp(middle, time, way[:, 1])
    return float(np.cos(yaw) * dy - np.sin(yaw) * dx)
