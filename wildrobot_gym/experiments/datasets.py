"""What the ``wildrobot motion`` commands read and write: clips from files of all kinds, and datasets with their report."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wildrobot_gym.console.tables import number_table
from wildrobot_gym.errors import ConfigError, MotionError
from wildrobot_gym.files import write_json
from wildrobot_gym.motion import importers, reference, storage
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.importers import ImportOptions
from wildrobot_gym.motion.mining import GATE_NAMES, MiningReport
from wildrobot_gym.motion.reference import load_clips, save_clips
from wildrobot_gym.motion.retarget import RetargetReport, RetargetSettings, retarget
from wildrobot_gym.paths import motion_file
from wildrobot_gym.robot import RobotModel


@dataclass
class Read:
    """Clips of the files that could be read, figures of those that were retargeted, and why the others were left out."""

    clips: list[MotionClip] = field(default_factory=list)
    reports: dict[str, RetargetReport] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def tell_skipped(self, console: Console) -> int:
        """Name what was left out; the exit code: 1 if anything was."""
        for name, why in self.skipped.items():
            console.print(
                f"[red]left out[/] {escape(name)}: {escape(why)}", soft_wrap=True, highlight=False
            )
        return 1 if self.skipped else 0


def read_motions(
    robot: RobotModel,
    names: Sequence[str],
    options: ImportOptions,
    settings: RetargetSettings | None = None,
) -> Read:
    """The clips in ``names``: files and folders of any importer's formats, reference files, shipped references.

    A human's motion is retargeted to ``robot``. What cannot be read is noted, and the others go on.

    Raises:
        MotionError: no names, or nothing that could be read.
    """
    if not names:
        raise MotionError(
            f"Name the motion files, or folders of them; allowed: {', '.join(importers.SUFFIXES)}."
        )
    read = Read()
    for name in names:
        try:
            paths = (
                [motion_file(name)]
                if storage.kind_of(motion_file(name)) == reference.KIND
                else importers.find([name])
            )
        except MotionError as error:
            read.skipped[name] = str(error)
            continue
        for path in paths:
            try:
                _read_one(robot, path, options, settings, read)
            except (MotionError, ConfigError) as error:
                read.skipped[str(path)] = str(error)
    if not read.clips:
        raise MotionError("No motion could be read. " + " ".join(read.skipped.values()))
    return read


def _read_one(
    robot: RobotModel,
    path: Path,
    options: ImportOptions,
    settings: RetargetSettings | None,
    read: Read,
) -> None:
    if storage.kind_of(path) == reference.KIND:
        options.take_whole(path)
        read.clips += load_clips(path, robot)
        return
    motion = importers.load(path, options)
    if isinstance(motion, HumanMotion):
        retargeted = retarget(robot, motion, settings)
        read.reports[str(path)] = retargeted.report
        motion = retargeted.clip
    read.clips.append(motion.check(robot, str(path)))


def load_dataset(dataset: str, robot: str | None = None) -> tuple[RobotModel, list[MotionClip]]:
    """A reference file's clips (a path or a shipped name) and the robot they are of; ``robot``: where it is no shipped one.

    Raises:
        MotionError: missing, damaged or foreign file.
    """
    path = motion_file(dataset)
    _, about = storage.read(path, reference.KIND, ())
    model = RobotModel.load(robot or str(about["robot"]))
    return model, load_clips(path, model)


def report_file(dataset: Path) -> Path:
    """Where the report of a mined dataset lies: beside it."""
    return dataset.with_suffix(".report.json")


def write_dataset(
    path: Path,
    report: MiningReport,
    segments: Sequence[MotionClip],
    origin: Mapping[str, Any] | None = None,
) -> None:
    """Mined segments as a reference file that training reads, and beside it what became of every clip.

    ``origin``: what it was mined from, for the report, as JSON types.

    Raises:
        MotionError: there is not one segment, or the dataset cannot be written. RunError: the report cannot.
    """
    value: dict[str, Any] = {
        "gates": dataclasses.asdict(report.gates),
        "clips": [dataclasses.asdict(clip) for clip in report.clips],
        "mined_s": report.mined_s,
        "origin": origin,
    }
    if not segments and path.is_file():
        raise MotionError(
            f"Not one window passed the gates. {rejects_text(report)} {path} is as it was."
        )
    # An older dataset must not pass for this report's, whatever stops the process between the two.
    if segments:
        write_without_report(path, segments)
    write_json(report_file(path), value)
    if not segments:
        raise MotionError(
            f"Not one window passed the gates. {rejects_text(report)} More is in {report_file(path)}."
        )


def write_without_report(path: Path, clips: Sequence[MotionClip]) -> Path:
    """A dataset without a report, and its path: one that lies beside it was another's."""
    written = save_clips(path, clips)
    report_file(written).unlink(missing_ok=True)
    return written


def rejects_text(report: MiningReport) -> str:
    """Which gate stopped how much of all clips together; a window may fail several."""
    windows, falls = (
        sum(clip.windows for clip in report.clips),
        sum(clip.falls for clip in report.clips),
    )
    performed = (
        f"{sum(clip.performed_s for clip in report.clips):.1f} s were performed, with {falls} falls"
    )
    if not windows:
        return f"{performed}, and no stretch lasted {report.gates.shortest} frames."
    rejects = {name: sum(clip.rejects[name] for clip in report.clips) for name in GATE_NAMES}
    fractions = [
        f"{name} {n / windows:.0%}"
        for name, n in sorted(rejects.items(), key=lambda item: -item[1])
        if n
    ]
    return f"{performed}; of {windows} windows these fractions fail: {', '.join(fractions)}."


def read_report(dataset: Path) -> dict[str, Any] | None:
    """What :func:`write_dataset` wrote beside ``dataset``, or None where there is nothing.

    Raises:
        MotionError: it is damaged.
    """
    path = report_file(dataset)
    if not path.is_file():
        return None
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise MotionError(
            f"{path} is damaged ({error}); generate the dataset anew, or delete the report."
        ) from error


def finish(
    out: Path,
    report: MiningReport,
    segments: Sequence[MotionClip],
    console: Console,
    origin: Mapping[str, Any] | None = None,
) -> None:
    """Tell what became of the clips, and write those ``segments`` that are kept, with what they were mined from.

    Raises:
        MotionError: there are none.
    """
    console.print(yield_table(report))
    write_dataset(out, report, segments, origin)
    kept = sum(segment.seconds for segment in segments)
    text = f"{out}: {len(segments)} segments, {kept:.1f} s of {report.mined_s:.1f} s Tier 0+"
    console.print(text, highlight=False, soft_wrap=True)


def yield_table(report: MiningReport) -> Table:
    """What became of every clip: seconds performed and mined, and the gates that stopped the rest."""
    table = number_table(
        "Tier 0+", "motion", ("performed\ns", "falls", "windows", "valid", "segments", "mined\ns")
    )
    table.add_column("stopped by")
    for clip in report.clips:
        stopped = sorted(((n, name) for name, n in clip.rejects.items() if n), reverse=True)[:3]
        table.add_row(
            escape(clip.motion_id),
            f"{clip.performed_s:.0f}",
            str(clip.falls),
            str(clip.windows),
            str(clip.valid_windows),
            str(clip.segments),
            f"{clip.mined_s:.1f}",
            ", ".join(f"{name} {n}" for n, name in stopped),
        )
    return table
