"""Where and how the robot's feet are planted: in fixed spots, rolled over heel and toes like the
human's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.motion.gait.feet import Sole, rolled
from wildrobot_gym.motion.retarget.scaled import ScaledHuman
from wildrobot_gym.motion.retarget.settings import RetargetSettings

# A human's sole bends at the ball and a robot's does not. Its heel rises by this fraction.
_RISE_SHARE = 0.65
_FLAT = 0.065  # rad; a sole that is pitched less counts as flat
_STRIKE_RATE, RISE_RATE = (
    2.0,
    2.4,
)  # rates at touchdown and lift-off, as multiples of the mean (shape.TUNED: 1.7 to 2.5).
_SHORTEST_ROLL = 0.04  # s; from touchdown to flat, and from flat to lift-off.
_LATEST_FLAT = 0.3  # of a stance; latest time at which the sole lies flat


@dataclass(frozen=True)
class Stance:
    """One planted foot; times in seconds, lengths in m, angles in rad.

    Attributes:
        down: Touchdown; -inf if not known.
        flat: Time from which the sole is flat.
        rise: Time until which the sole is flat.
        up: Lift-off; inf if not known.
        place: (x, y, yaw) of the flat foot frame.
        strike: Pitch at touchdown, at most 0.
        lift: Pitch at lift-off, at least 0.
    """

    down: float
    flat: float
    rise: float
    up: float
    place: tuple[float, float, float]
    strike: float
    lift: float

    def moved_left(self, distance: float) -> Stance:
        """Return the same stance `distance` m to the left."""
        x, y, yaw = self.place
        return replace(self, place=(x - distance * np.sin(yaw), y + distance * np.cos(yaw), yaw))

    @property
    def known(self) -> bool:
        """Whether both touchdown and lift-off are known."""
        return bool(np.isfinite(self.up - self.down))

    def holds(self, time: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        """Return whether the foot is planted at these times."""
        return (time >= self.down) & (time <= self.up)


def sole_pitch(
    pitch: Float[np.ndarray, "*n"], settings: RetargetSettings
) -> Float[np.ndarray, "*n"]:
    """Convert the human's foot pitch to the pitch of the robot's rigid sole, in rad."""
    return np.clip(
        np.where(pitch > 0.0, _RISE_SHARE * pitch, pitch), -settings.heel_strike, settings.heel_rise
    )


def find_stance(
    human: ScaledHuman, foot: int, interval: tuple[float, float], settings: RetargetSettings
) -> Stance:
    """Return the stance of `foot` in `interval` (touchdown, lift-off; s) where the human has it."""
    time, (down, up) = human.time, interval
    inside = np.flatnonzero((time >= down) & (time <= up))
    pitch = sole_pitch(human.foot_pitch[inside, foot], settings)
    low = np.flatnonzero(np.abs(pitch) < _FLAT)
    flat, rise = time[inside[low[[0, -1]]]] if len(low) else np.full(2, time[inside].mean())
    strike, lift = min(float(pitch[0]), 0.0), max(float(pitch[-1]), 0.0)
    if np.isfinite(down):
        flat = max(
            flat, down + max(_SHORTEST_ROLL, -_STRIKE_RATE * strike / settings.max_joint_speed)
        )
    if np.isfinite(up - down):
        flat = min(flat, down + _LATEST_FLAT * (up - down))
    if np.isfinite(up):
        rise = min(rise, up - max(_SHORTEST_ROLL, RISE_RATE * lift / settings.max_joint_speed))
    rise = max(rise, flat)
    still = inside[(time[inside] >= flat) & (time[inside] <= rise)]
    still = still if len(still) else inside
    x, y = np.median(human.ankle[still, foot, :2], axis=0)
    place = (float(x), float(y), float(human.heading[still].mean()))
    return Stance(down, float(flat), float(rise), up, place, strike, lift)


def ramp(u: Float[np.ndarray, "*n"], end_rate: float) -> Float[np.ndarray, "*n"]:
    """Return 0 before u = 0 and 1 after u = 1.

    It is C2 at 0. At 1 it has slope `end_rate` and no curvature.
    """
    u = np.clip(u, 0.0, 1.0)
    return u**3 * (10.0 - 4.0 * end_rate + u * (7.0 * end_rate - 15.0 + u * (6.0 - 3.0 * end_rate)))


def rising(
    time: Float[np.ndarray, "*n"], rise: Float[np.ndarray, "*n"], up: float
) -> Float[np.ndarray, "*n"]:
    """Return the fraction of its lift-off pitch that a heel has which rises from `rise` to `up`
    s.
    """
    return ramp((time - rise) / (up - rise), RISE_RATE)


def stance_pitch(stance: Stance, time: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Return the pitch of the planted sole, in rad, C2.

    It is flat if touchdown or lift-off are not known.
    """
    striking = ramp((stance.flat - time) / (stance.flat - stance.down), _STRIKE_RATE)
    return stance.strike * striking + stance.lift * rising(time, np.asarray(stance.rise), stance.up)


def planted_sole(
    stance: Stance, sole: Sole, time: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, " n"]]:
    """Return position (m) and pitch (rad) of the planted foot's frame."""
    pitch = stance_pitch(stance, time)
    ahead, up = rolled(pitch, sole)
    x, y, yaw = stance.place
    return np.stack([x + ahead * np.cos(yaw), y + ahead * np.sin(yaw), up], axis=-1), pitch
