"""What a user may say about a motion file. Anything else is found out from the file, and logged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wildrobot_gym.errors import MotionError, unknown_name

AXES = ("x", "y", "z", "-x", "-y", "-z")


@dataclass(frozen=True)
class ImportOptions:
    """Options for all formats. Each format uses those that it needs.

    Attributes:
        table: Name of a shipped table of joint names (`configs/skeletons`), or a path. The default
            is the one that fits.
        skeleton: The .asf of an .amc. The default is the one beside it.
        body_model: SMPL-H or SMPL-X .npz, for AMASS.
        robot: Robot whose joints a GMR or CSV clip holds.
        fps: Frame rate in Hz, in place of the file's.
        scale: Meters in one unit of the file.
        up: Axis of the file that points up in the motion.
        facing: Axis that the skeleton's rest pose faces.
        level: Turn a floor level if standing feet show that it is up to 3 degrees off.
        source: For the credits, in place of what is known about the format's origin.
        licence: For the credits, like `source`.
        start_s: Start of the part to take, in seconds.
        end_s: End of the part to take, in seconds.

    Raises:
        ConfigError: A value is out of range.
    """

    table: str | Path | None = None
    skeleton: str | Path | None = None
    body_model: str | Path | None = None
    robot: str = "wildrobot"
    fps: float | None = None
    scale: float | None = None
    up: str | None = None
    facing: str | None = None
    level: bool = True
    source: str | None = None
    licence: str | None = None
    start_s: float | None = None
    end_s: float | None = None

    def __post_init__(self) -> None:
        for name in ("up", "facing"):
            axis = getattr(self, name)
            if axis is not None and axis not in AXES:
                raise MotionError(unknown_name(f"axis for {name}", str(axis), AXES))
        for name in ("fps", "scale"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise MotionError(f"{name} is {value!r}; allowed: a positive number.")

    def take_whole(self, where: object) -> None:
        """Check that no part or other rate is asked for of a file of this project, whose clips are
        whole.

        Raises:
            MotionError: It is.
        """
        if asked := [
            name for name in ("fps", "start_s", "end_s") if getattr(self, name) is not None
        ]:
            raise MotionError(
                f"{where} holds this project's own clips, which are taken whole."
                f" Leave out {', '.join(asked)}."
            )

    def part(self, num_frames: int, fps: float, where: str) -> slice:
        """Return the frames between `start_s` and `end_s`.

        Raises:
            MotionError: Fewer than two frames are left.
        """
        first = 0 if self.start_s is None else round(self.start_s * fps)
        last = (
            num_frames - 1 if self.end_s is None else min(round(self.end_s * fps), num_frames - 1)
        )
        if not 0 <= first < last:
            raise MotionError(
                f"{where} has {num_frames} frame(s), {max(num_frames - 1, 0) / fps:.3f} s; from"
                f" {self.start_s or 0} s to"
                f" {'the end' if self.end_s is None else f'{self.end_s} s'} fewer than 2 frames are"
                " left, and velocities"
                " need 2. Use a longer clip, or other start_s and end_s."
            )
        return slice(first, last + 1)
