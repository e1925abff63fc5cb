"""A performance: one unbroken stretch of physics, from a placement on the ground to a fall or the
end.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.tracking.settings import Controller


@dataclass(frozen=True)
class Variant:
    """One way to perform a clip: a choice from each list of `TrackSettings`.

    Attributes:
        loop: How the clip is repeated.
        warp: Playback speed, relative to the clip's own.
        turn: Fraction by which the left leg swings further and the right leg less.
        mirrored: Whether it is the mirror image.
        start_s: Where in the loop it starts, in seconds.
        controller: The controller, or None if a policy performed it.
    """

    loop: str
    warp: float
    turn: float
    mirrored: bool
    start_s: float
    controller: Controller | None = None

    @classmethod
    def of(cls, clip: MotionClip) -> Variant:
        """Read the variant that `endless_clips` noted in a clip, or `ONCE` if there is no note.

        The controller that once performed a mined clip is not part of it.

        Raises:
            MotionError: The note is damaged.
        """
        noted = clip.metadata.get("variant")
        if noted is None:
            return ONCE
        try:
            return cls(**{**noted, "controller": None})
        except TypeError as error:
            raise MotionError(
                f"Clip {clip.name!r}: the metadata's variant is damaged ({error})."
            ) from error

    def description(self) -> dict[str, Any]:
        """Return the variant as JSON types."""
        return asdict(self)


ONCE = Variant("once", 1.0, 0.0, False, 0.0)  # played as it is


@dataclass(frozen=True)
class Performance:
    """Control steps at 50 Hz, float32, world frame, SI units. No reset lies inside.

    Entry t is the state after control step t + 1. Forces and torques are those of the step's last
    substep. The harness wrench is the one applied during the step.

    Attributes:
        motion_id: Name of the motion. A segment that was mined keeps the name of its source.
        variant: How the motion was performed.
        source: Where the motion is from, for the credits.
        licence: License of the motion, for the credits.
        first_step: Control steps of the variant before this stretch: 0, or later after a fall.
        fell: Whether the stretch ended with a fall, which is not part of it.
        qpos: (time, nq) poses.
        qvel: (time, nv) velocities.
        pad_forces: (time, pad) normal forces, in N.
        pad_speed: (time, pad) tangential speeds, in m/s.
        harness: (time, 6) force (N) and torque (N*m) at the base's center of mass.
        harness_saturated: (time,) whether the harness wanted more than its cap.
        torque: (time, joint) servo torques, in N*m.
        commands: (time, 3) command of each step, where the clip's command varies.
    """

    motion_id: str
    variant: Variant
    source: str
    licence: str
    first_step: int
    fell: bool
    qpos: Float[np.ndarray, "time nq"]
    qvel: Float[np.ndarray, "time nv"]
    pad_forces: Float[np.ndarray, "time pad"]
    pad_speed: Float[np.ndarray, "time pad"]
    harness: Float[np.ndarray, "time 6"]
    harness_saturated: Bool[np.ndarray, " time"]
    torque: Float[np.ndarray, "time joint"]
    commands: Float[np.ndarray, "time 3"] | None = None

    @property
    def num_frames(self) -> int:
        """Number of control steps."""
        return len(self.qpos)
