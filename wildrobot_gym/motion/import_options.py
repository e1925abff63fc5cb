"""What a user may say about motion files. Anything else is found out from a file, and logged.

This module imports nothing heavy, so that the command line can show its help at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wildrobot_gym.errors import MotionError, unknown_name

AXES = ("x", "y", "z", "-x", "-y", "-z")


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """How to read motion files. Each format uses the options that it needs.

    Raises:
        MotionError: A value is out of range.
    """

    robot: str = "wildrobot"
    """Name of a shipped robot, or a folder with a robot.yaml."""
    table: str | None = None
    """Table of joint names: a name in configs/skeletons or a path.

    The default is the one that fits.
    """
    skeleton: Path | None = None
    """Skeleton file (.asf) of .amc files. The default is the one beside them."""
    body_model: Path | None = None
    """Body model file (SMPL-H or SMPL-X) for AMASS files."""
    fps: float | None = None
    """Frame rate in Hz, in place of the rate that the files give."""
    scale: float | None = None
    """Meters in one unit of the files. The default is found from the length of a human's legs, and
    is 1 for robot clips.
    """
    up: str | None = None
    """Axis of human motion that points up, such as `--up z` or `--up=-y`. Found by default."""
    facing: str | None = None
    """Axis that a human's rest pose faces, like `up`. Found by default."""
    level: bool = True
    """Level a human's floor if standing feet show a slope of up to 3 degrees.

    `--no-level` keeps the slope.
    """
    start: float | None = None
    """Start of the part to take from each file, in seconds."""
    end: float | None = None
    """End of the part to take from each file, in seconds."""
    source: str | None = None
    """Where the motion is from, for the credits. The default is what is known of the format."""
    license: str | None = None
    """License of the motion, for the credits, like `source`."""

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
        """Check that nothing is asked for that this project's own clips, which are whole and have
        their credits, do not take.

        Raises:
            MotionError: It is.
        """
        names = ("fps", "scale", "start", "end", "source", "license")
        if asked := [name for name in names if getattr(self, name) is not None]:
            raise MotionError(
                f"{where} holds this project's own clips, which are taken as they are."
                f" Leave out {', '.join(asked)}."
            )

    def part(self, num_frames: int, fps: float, where: str) -> slice:
        """Return the frames between `start` and `end`.

        Raises:
            MotionError: Fewer than two frames are left.
        """
        first = 0 if self.start is None else round(self.start * fps)
        last = num_frames - 1 if self.end is None else min(round(self.end * fps), num_frames - 1)
        if not 0 <= first < last:
            raise MotionError(
                f"{where} has {num_frames} frame(s), {max(num_frames - 1, 0) / fps:.3f} s; from"
                f" {self.start or 0} s to {'the end' if self.end is None else f'{self.end} s'}"
                " fewer than 2 frames are left, and velocities need 2. Use a longer clip, or"
                " another start and end."
            )
        return slice(first, last + 1)
