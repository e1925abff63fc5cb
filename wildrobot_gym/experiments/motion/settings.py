"""Parameters of the `wildrobot motion` commands: the library takes them, and the command line shows
them.

This module imports nothing heavy, so that the command line can show its help at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wildrobot_gym.motion.import_options import ImportOptions


@dataclass(frozen=True, kw_only=True)
class BuildSettings:
    """Parameters of `build_walks`."""

    robot: str = "wildrobot"
    """Name of a shipped robot, or a folder with a robot.yaml."""
    out: Path | None = None
    """File for the clips, .npz. The default is the shipped walk_synthetic, if the robot has one."""
    speeds: tuple[float, ...] | None = None
    """Speeds of the straight walks, in m/s.

    The default is the speeds of the shipped walks, at the robot's own Froude numbers.
    """
    kinds: tuple[str, ...] | None = None
    """Kinds of motion: `walk` (straight, the default), `turn`, `curve`, `sideways`, `backward`,
    `start`, `speeds`, `course`, or `all`.

    All but `walk` begin and end at rest.
    """
    commands: tuple[tuple[float, float, float], ...] | None = None
    """Commands of one clip that follows them from rest to rest: m/s ahead, m/s to the left and
    rad/s to the left, once or several times.
    """
    hold: float = 3.6
    """Time that each of `commands` is held, in seconds."""
    mirror: bool = True
    """Add the mirror image of each clip, if the robot is symmetric. `--no-mirror` leaves them
    out.
    """


@dataclass(frozen=True, kw_only=True)
class RetargetFilesSettings(ImportOptions):
    """Parameters of `retarget_files`."""

    out: Path = Path("retargeted")
    """Folder for the clips, one .npz file each."""
    warp: bool = True
    """Change the speed of human motion to keep its Froude number.

    `--no-warp` keeps its own speed.
    """
    stride: float = 1.0
    """Factor on the length of human steps, after they are scaled by leg length."""
    max_turn_rate: float = 0.3
    """Greatest rate at which the heading may change, in rad/s, as hips that turn no foot allow.

    Paths that bend more are unbent. `inf` keeps human turns, and feet slide.
    """


@dataclass(frozen=True, kw_only=True)
class LoopSettings(ImportOptions):
    """Parameters of `loop_files`."""

    out: Path = Path("loops.npz")
    """File for the looped clips, .npz."""
    duration: float = 10.0
    """Duration of each variant, in seconds."""
    loops: tuple[Literal["cycle", "neutral"], ...] = ("cycle",)
    """Ways to repeat a clip: `cycle` joins similar poses, `neutral` passes through the home
    pose.
    """
    warps: tuple[float, ...] = (1.0,)
    """Playback speeds, relative to the clip's own."""
    turns: tuple[float, ...] = (0.0,)
    """Fractions by which the left leg swings further and the right leg less."""
    mirror: bool = True
    """Add the mirror image of each clip. `--no-mirror` leaves them out."""


@dataclass(frozen=True, kw_only=True)
class TrackFilesSettings(ImportOptions):
    """Parameters of `track_files`."""

    out: Path = Path("segments.npz")
    """File for the dataset, .npz. Its report (.report.json) is written beside it."""
    duration: float = 20.0
    """Duration of each variant, in seconds."""
    generations: int = 8
    """Generations of the search for each clip's controller. 0 takes the default controller."""
    seconds_per_motion: float | None = None
    """Maximum to keep of each motion, in seconds, best segments first.

    At least 1 s; no limit by default.
    """
    features: Path | None = None
    """File for the AMP features and metrics of all segments, .npz. Not written by default."""


@dataclass(frozen=True, kw_only=True)
class PerformSettings:
    """Parameters of `perform_reference`."""

    reference: str = "walk_synthetic"
    """Clips to perform: a reference file or the name of a shipped one."""
    out: Path = Path("performed.npz")
    """File for the dataset, .npz. Its report (.report.json) is written beside it."""
    seconds_per_motion: float | None = None
    """Maximum to keep of each motion, in seconds, best segments first.

    At least 1 s; no limit by default.
    """


@dataclass(frozen=True, kw_only=True)
class HarnessSettings(ImportOptions):
    """Parameters of `measure_harness`."""

    duration: float = 10.0
    """Duration of each performance, in seconds."""


@dataclass(frozen=True, kw_only=True)
class CheckFeaturesSettings:
    """Parameters of `check_policy_features`."""

    policy: str = "walk"
    """Policy to compare: a .zip file, a run directory, or the name of a shipped policy."""
    config: str | None = None
    """Run config whose AMP features are compared. The default is all channels."""
    robot: str | None = None
    """Folder with the robot.yaml, for a dataset of a robot that is not shipped."""


@dataclass(frozen=True, kw_only=True)
class ProbeSettings:
    """Parameters of `probe`."""

    steps: int = 200_000
    """Environment steps of the run."""
    config: str = "walk_amp"
    """Run config whose settings are tried: a shipped name or a YAML file."""
    all_features: bool = False
    """Use all channels as AMP features, in place of those of the config."""
    drop_contacts: bool = False
    """Leave out the channel foot_contacts."""
    drop_height: bool = False
    """Leave out the channel root_height."""
    log_interval: int = 20_000
    """Environment steps between two lines of the log."""

    @property
    def dropped_channels(self) -> tuple[str, ...]:
        """Names of the channels to leave out."""
        return ("foot_contacts",) * self.drop_contacts + ("root_height",) * self.drop_height


@dataclass(frozen=True, kw_only=True)
class PlaySettings(ImportOptions):
    """Parameters of `film_motions`."""

    motion: str | None = None
    """Name of the motion. The default is the first clip of the first file."""
    out: Path = Path("play.mp4")
    """File for the video, .mp4."""
    strip: Path | None = None
    """File for a picture of frames, one row for each panel. Not written by default."""
    seconds: float = 10.0
    """Maximum length of the video, in seconds."""
    size: tuple[int, int] = (480, 480)
    """Width and height of a panel, in pixels."""
    camera: str = "track"
    """Camera of the robot's model: track, side or front for the shipped robots."""
