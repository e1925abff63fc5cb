"""Datasets of reference motion: a file of clips, and beside a mined one a report of its mining."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wildrobot_gym import json_io
from wildrobot_gym.errors import MotionError
from wildrobot_gym.files import write_json
from wildrobot_gym.motion import clip_files, storage
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import load_clips, save_clips
from wildrobot_gym.motion.mining import GATE_NAMES, MiningReport
from wildrobot_gym.paths import motion_file
from wildrobot_gym.robot import RobotModel


def load_dataset(dataset: str, robot: str | None = None) -> tuple[RobotModel, list[MotionClip]]:
    """Load the clips of a reference file and the robot that they are for.

    Args:
        dataset: A path or a shipped name.
        robot: Folder with the robot.yaml, if the robot is not shipped.

    Returns:
        The robot and the clips.

    Raises:
        MotionError: The file is missing, damaged or of another kind.
    """
    path = motion_file(dataset)
    _, metadata = storage.read(path, clip_files.KIND, {})
    model = RobotModel.load(robot or str(metadata["robot"]))
    return model, load_clips(path, model)


def report_file(dataset: Path) -> Path:
    """Return where the report of a mined dataset lies: beside it."""
    return dataset.with_suffix(".report.json")


def write_dataset(
    path: Path,
    report: MiningReport,
    segments: Sequence[MotionClip],
    origin: Mapping[str, Any] | None = None,
) -> None:
    """Write mined segments as a reference file, and the report of their mining beside it.

    Args:
        path: The file, .npz.
        report: What became of each clip.
        segments: The segments to keep.
        origin: What the dataset was mined from, as JSON types.

    Raises:
        MotionError: There is no segment, or the dataset cannot be written.
        RunError: The report cannot be written.
    """
    value: dict[str, Any] = {
        "gates": dataclasses.asdict(report.gates),
        "clips": [dataclasses.asdict(clip) for clip in report.clips],
        "mined_s": report.mined_s,
        "origin": origin,
    }
    if not segments and path.is_file():
        raise MotionError(
            f"Not one window passed the gates. {rejects_text(report)} {path} is unchanged."
        )
    # The dataset first: if the process stops between the two, an older dataset has no new report.
    if segments:
        write_without_report(path, segments)
    write_json(report_file(path), value)
    if not segments:
        raise MotionError(
            f"Not one window passed the gates. {rejects_text(report)}"
            f" See {report_file(path)} for each clip."
        )


def write_without_report(path: Path, clips: Sequence[MotionClip]) -> Path:
    """Write a dataset that has no report, and return its path.

    A report of an older dataset at the same place is deleted.
    """
    written = save_clips(path, clips)
    report_file(written).unlink(missing_ok=True)
    return written


def rejects_text(report: MiningReport) -> str:
    """Say how much of all clips each gate rejected. A window may fail several gates."""
    windows = sum(clip.windows for clip in report.clips)
    falls = sum(clip.falls for clip in report.clips)
    seconds = sum(clip.performed_s for clip in report.clips)
    performed = f"{seconds:.1f} s were performed, with {falls} falls"
    if not windows:
        return f"{performed}, and nothing lasted {report.gates.shortest} frames."
    rejects = {name: sum(clip.rejects[name] for clip in report.clips) for name in GATE_NAMES}
    fractions = [
        f"{name} {n / windows:.0%}"
        for name, n in sorted(rejects.items(), key=lambda item: -item[1])
        if n
    ]
    return f"{performed}. Of {windows} windows these fractions fail: {', '.join(fractions)}."


def read_report(dataset: Path) -> dict[str, Any] | None:
    """Read the report beside a dataset, or return None if there is none.

    Raises:
        MotionError: The report is damaged.
    """
    path = report_file(dataset)
    if not path.is_file():
        return None
    try:
        return dict(json_io.read(path))
    except (OSError, ValueError, TypeError) as error:
        raise MotionError(
            f"{path} is damaged ({error}). Generate the dataset again, or delete the report."
        ) from error
