"""What physics made of a clip: one unbroken stretch, from a placement on the ground to a fall or the end of the time."""

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
    """One way of performing a clip: a choice from each of TrackSettings' lists. start_s: where in the loop it begins.

    controller: None where it was no tracker that performed.
    """

    loop: str
    warp: float
    turn: float
    mirrored: bool
    start_s: float
    controller: Controller | None = None

    @classmethod
    def of(cls, clip: MotionClip) -> Variant:
        """Which variant of its motion `clip` is, as `endless_clips` notes it; a clip played once where nothing is noted.

        The controller that once performed a mined clip is no part of it.

        Raises:
            MotionError: the note is damaged.
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
        """As JSON types."""
        return asdict(self)


ONCE = Variant("once", 1.0, 0.0, False, 0.0)  # played as it is


@dataclass(frozen=True)
class Performance:
    """Control steps at 50 Hz, float32, world frame, SI units; row t is the state after step t + 1. No reset lies inside.

    Forces and torques are those of the step's last substep, the harness's what it applied during the step.

    Attributes:
        motion_id: what was to be performed; a segment that was mined before stays of the motion that it was mined from.
        variant: how. source, licence: for the credits.
        first_step: control steps of the variant before this stretch (0, or a restart after a fall).
        fell: the stretch ended with a fall, which is not in it.
        pad_speed: tangential, m/s. harness: force N (3), torque N*m (3), world frame, at the base's center of mass.
        harness_saturated: the harness wanted more than its cap.
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

    @property
    def num_frames(self) -> int:
        return len(self.qpos)
