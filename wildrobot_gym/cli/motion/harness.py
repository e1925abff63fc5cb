"""``wildrobot motion harness``: every clip performed with the harness and without, so that its part in it is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from wildrobot_gym.console.tables import number_table
from wildrobot_gym.errors import MotionError
from wildrobot_gym.experiments.datasets import read_motions
from wildrobot_gym.files import check_free, write_figures
from wildrobot_gym.motion.clip import MotionClip, check_names
from wildrobot_gym.motion.importers import ImportOptions
from wildrobot_gym.motion.mining import ClipYield, Gates, mine
from wildrobot_gym.motion.tracking import TrackSettings, track
from wildrobot_gym.robot import RobotModel

_GATES = Gates()


@dataclass(frozen=True)
class Contribution:
    """What the harness did for one clip. Its forces are shares of the weight; passing: share of the time that is Tier 0+."""

    harness_mean: float
    harness_p90: float
    harness_p95: float
    harness_saturated: float
    falls_per_minute: float
    falls_per_minute_without: float
    passing: float
    passing_without: float

    @property
    def is_carried(self) -> bool:
        """Whether the harness does more than the gates allow."""
        return self.harness_p90 > _GATES.harness_p90 or self.harness_p95 > _GATES.harness_p95


def contribution(robot: RobotModel, clip: MotionClip, settings: TrackSettings) -> Contribution:
    """Perform ``clip`` under ``settings``, and once more without their harness.

    Raises:
        MotionError: the clip does not fit the robot, or has no variant under these settings.
    """
    held, alone = (
        mine(robot, track(robot, [clip], each), _GATES).clips[0]
        for each in (settings, replace(settings, harness=None))
    )
    if not held.performed:
        raise MotionError(f"{clip.name!r} is lost in its first step, with the harness too.")
    harness = {name: value for name, value in held.performed.items() if name.startswith("harness")}
    return Contribution(
        **harness,
        falls_per_minute=_falls_per_minute(held),
        falls_per_minute_without=_falls_per_minute(alone),
        passing=held.mined_s / max(held.performed_s, 1e-9),
        passing_without=alone.mined_s / max(alone.performed_s, 1e-9),
    )


def run_harness(
    files: Sequence[str], robot: str, duration: float, json_file: Path | None, force: bool
) -> int:
    """Print and write every clip's :class:`Contribution`; 0, or 1 where one was left out."""
    console, model = Console(), RobotModel.load(robot)
    check_free([json_file], force)
    read = read_motions(model, files, ImportOptions(robot=robot))
    check_names(read.clips)
    settings = TrackSettings(duration_s=duration, warps=(1.0,), turns=(0.0,))
    found: dict[str, Contribution] = {}
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        for clip in bar.track(read.clips, description="clips"):
            try:
                found[clip.name] = contribution(model, clip, settings)
            except MotionError as error:
                read.skipped[clip.name] = str(error)
    console.print(_table(found))
    write_figures(
        json_file,
        {name: {**asdict(each), "carried": each.is_carried} for name, each in found.items()},
        console,
    )
    return read.tell_skipped(console)


def _falls_per_minute(of_clip: ClipYield) -> float:
    return 60.0 * of_clip.falls / max(of_clip.performed_s, 1e-9)


def _table(found: dict[str, Contribution]) -> Table:
    numbers = (
        "mean",
        "p90",
        "p95",
        "at cap\n%",
        "falls\n1/min",
        "with-\nout",
        "passes\n%",
        "with-\nout",
        "carried",
    )
    table = number_table("harness, shares of the weight", "clip", numbers)
    for name, each in found.items():
        table.add_row(
            escape(name),
            f"{each.harness_mean:.3f}",
            f"{each.harness_p90:.3f}",
            f"{each.harness_p95:.3f}",
            f"{100 * each.harness_saturated:.1f}",
            f"{each.falls_per_minute:.1f}",
            f"{each.falls_per_minute_without:.1f}",
            f"{100 * each.passing:.0f}",
            f"{100 * each.passing_without:.0f}",
            "yes" if each.is_carried else "no",
        )
    return table
