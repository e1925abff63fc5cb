"""What a user may say about a file of motion. What is left out is found out from the file, and logged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wildrobot_gym.errors import MotionError, unknown_name

AXES = ("x", "y", "z", "-x", "-y", "-z")


@dataclass(frozen=True)
class ImportOptions:
    """One set serves all formats; each takes what it needs.

    Attributes:
        table: name of a shipped table of joint names (`configs/skeletons`), or a path; default: the one that fits.
        skeleton: the .asf of an .amc; default: found beside it. body_model: SMPL-H or SMPL-X .npz, for AMASS.
        robot: name of the robot whose joints a GMR or CSV clip holds.
        fps: frames a second, in place of what the file says. scale: meters in one unit of the file.
        up: the file's axis that points up in the motion. facing: the axis to which the skeleton's rest pose faces.
        level: turn a floor level that standing feet show to be up to 3 degrees askew.
        source, licence: for the credits, in place of what is known of the format's origin.
        start_s, end_s: the part of the file to take, s from its first frame.
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
        """Raise MotionError where a part or another rate is asked for of a file of the project's own, whose clips are whole."""
        if asked := [
            name for name in ("fps", "start_s", "end_s") if getattr(self, name) is not None
        ]:
            raise MotionError(
                f"{where} holds this project's own clips, which are taken whole; leave out {', '.join(asked)}."
            )

    def part(self, num_frames: int, fps: float, where: str) -> slice:
        """Frames between `start_s` and `end_s`.

        Raises:
            MotionError: fewer than two frames are left.
        """
        first = 0 if self.start_s is None else round(self.start_s * fps)
        last = (
            num_frames - 1 if self.end_s is None else min(round(self.end_s * fps), num_frames - 1)
        )
        if not 0 <= first < last:
            raise MotionError(
                f"{where} has {num_frames} frame(s), {max(num_frames - 1, 0) / fps:.3f} s; from {self.start_s or 0} s to"
                f" {'the end' if self.end_s is None else f'{self.end_s} s'} fewer than 2 frames are left, and velocities"
                " need 2. Use a longer clip, or other start_s and end_s."
            )
        return slice(first, last + 1)
