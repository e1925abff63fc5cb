"""Human motion: key bodies over time, the same from every importer, and all that retargeting
knows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import MotionError

# A joint carries the segment that starts at it: the rotation of left_knee is the shin's.
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
    """Key bodies of a human over time.

    World: z up, in m. The human may face and walk in any direction.

    Attributes:
        name: Name of the motion, such as `02_01`.
        fps: Frame rate, in Hz.
        body_names: (body,) names from `KEY_BODIES`, with all of `REQUIRED_BODIES`.
        positions: (time, body, 3) joint positions, in m. A toe is the ball of the foot, or the end
            of the toes.
        rotations: (time, body, 4) wxyz. They turn each segment from the rest pose, in which the
            human stands upright and faces +x. The rest pose is the identity whatever the axes of
            the file's bones.
        source: Where the motion is from, for the credits.
        licence: License of the motion, for the credits.
        notes: What was found out about the file, one sentence each.
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
        """Number of frames."""
        return len(self.positions)

    @property
    def duration_s(self) -> float:
        """Time from the first frame to the last, in seconds."""
        return (self.num_frames - 1) / self.fps

    def position(self, body: str) -> Float[np.ndarray, "time 3"]:
        """Return the path of one body, in m."""
        return self.positions[:, self.body_names.index(body)]

    def rotation(self, body: str) -> Float[np.ndarray, "time 4"]:
        """Return the orientation of one body over time, wxyz."""
        return self.rotations[:, self.body_names.index(body)]

    def check(self, where: str | None = None) -> HumanMotion:
        """Check the motion and return it. `where` names it in messages, such as the path of a file.

        Raises:
            MotionError: A body is unknown or missing, a shape is wrong, or there are fewer than two
                frames. Or fps, a value or the length of a quaternion is out of range.
        """
        where = where or f"Motion {self.name!r}"
        missing = [body for body in REQUIRED_BODIES if body not in self.body_names]
        unknown = [body for body in self.body_names if body not in KEY_BODIES]
        if missing or unknown:
            raise MotionError(
                f"{where}: missing bodies {missing}, unknown bodies {unknown};"
                f" it has {list(self.body_names)}, needed are {list(REQUIRED_BODIES)}."
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
                    f"{where}: {name} has a NaN or infinity, first in frame {frame}."
                    " Cut or repair it."
                )
        if self.num_frames < 2:
            raise MotionError(
                f"{where} has {self.num_frames} frame; at least 2 are needed to know velocities."
            )
        error = np.abs(np.linalg.norm(self.rotations, axis=-1) - 1.0)
        if error.max() > _UNIT_TOLERANCE:
            frame = int(np.argwhere(error == error.max())[0][0])
            raise MotionError(
                f"{where}: a rotation in frame {frame} is no unit quaternion;"
                " allowed: length 1 within 0.001."
            )
        return self
