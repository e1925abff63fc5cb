"""What every importer of human motion gives, and all that retargeting may know of a human: key bodies over time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import MotionError

# A joint is called by its own name and carries the segment that begins there: left_knee's rotation is the shin's.
LEG_BODIES = tuple(
    f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle", "toe")
)
REQUIRED_BODIES = ("pelvis", "torso", *LEG_BODIES)
ARM_BODIES = tuple(
    f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist")
)
KEY_BODIES = (*REQUIRED_BODIES, "head", *ARM_BODIES)
_UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True)
class HumanMotion:
    """Key bodies of a human over time. World: z up, meters; the human may face and walk in any direction.

    Attributes:
        name: what the motion is, e.g. `02_01`. fps: frames a second.
        body_names: (body,), from `KEY_BODIES`; all of `REQUIRED_BODIES` are there.
        positions: (time, body, 3) m, of the joints. `toe` is the ball of the foot (the toes' end where there is no ball).
        rotations: (time, body, 4) wxyz: what turned each segment from the skeleton's rest pose, in which the human stands
            upright and faces +x. The identity everywhere is that rest pose, whatever axes the file's bones have.
        source, licence: for the credits.
        notes: what was found out about the file, one sentence each (units, up axis, facing, names that were mapped).
    """

    name: str
    fps: float
    body_names: tuple[str, ...]
    positions: Float[np.ndarray, "time body 3"]
    rotations: Float[np.ndarray, "time body 4"]
    source: str = ""
    licence: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def num_frames(self) -> int:
        return len(self.positions)

    @property
    def duration_s(self) -> float:
        """Time from the first frame to the last."""
        return (self.num_frames - 1) / self.fps

    def position(self, body: str) -> Float[np.ndarray, "time 3"]:
        """Path of one body, m."""
        return self.positions[:, self.body_names.index(body)]

    def rotation(self, body: str) -> Float[np.ndarray, "time 4"]:
        """Orientation of one body over time, wxyz."""
        return self.rotations[:, self.body_names.index(body)]

    def check(self, where: str | None = None) -> HumanMotion:
        """This motion, found fit for use. `where` names it in messages (a file's path).

        Raises:
            MotionError: fewer than two frames, fps <= 0, unknown or missing bodies, wrong shapes, NaN, quaternions that
                are not of unit length.
        """
        where = where or f"Motion {self.name!r}"
        missing = [body for body in REQUIRED_BODIES if body not in self.body_names]
        unknown = [body for body in self.body_names if body not in KEY_BODIES]
        if missing or unknown:
            raise MotionError(
                f"{where}: missing bodies {missing}, unknown bodies {unknown}; it has {list(self.body_names)}, needed are"
                f" {list(REQUIRED_BODIES)}."
            )
        if not 0 < self.fps < np.inf:
            raise MotionError(
                f"{where} has fps {self.fps}; allowed: a positive number of frames a second."
            )
        for name, width in (("positions", 3), ("rotations", 4)):
            values, shape = getattr(self, name), (self.num_frames, len(self.body_names), width)
            if np.shape(values) != shape:
                raise MotionError(
                    f"{where}: {name} has shape {np.shape(values)}; allowed: {shape}."
                )
            if not np.isfinite(values).all():
                frame = int(np.argwhere(~np.isfinite(values))[0][0])
                raise MotionError(
                    f"{where}: {name} has a NaN or infinity, first in frame {frame}. Cut or repair it."
                )
        if self.num_frames < 2:
            raise MotionError(
                f"{where} has {self.num_frames} frame; at least 2 are needed to know velocities."
            )
        error = np.abs(np.linalg.norm(self.rotations, axis=-1) - 1.0)
        if error.max() > _UNIT_TOLERANCE:
            frame = int(np.argwhere(error == error.max())[0][0])
            raise MotionError(
                f"{where}: a rotation in frame {frame} is no unit quaternion; allowed: length 1 within 0.001."
            )
        return self
