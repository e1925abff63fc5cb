"""Taking some motions out of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from wildrobot_gym.errors import MotionError, unknown_name
from wildrobot_gym.experiments.datasets import load_dataset, report_file, write_without_report
from wildrobot_gym.experiments.motion.written import WrittenClips
from wildrobot_gym.files import check_free


def select_motions(
    dataset: str,
    motions: Sequence[str],
    out: Path,
    *,
    robot: str | None = None,
    overwrite: bool = False,
) -> WrittenClips:
    """Write the segments of some motions of a dataset into a new dataset.

    Args:
        dataset: A reference file or the name of a shipped one.
        motions: Names of motions; `*` and `?` stand for any letters.
        out: The new file, .npz.
        robot: Folder with the robot.yaml, if the dataset's robot is not shipped.
        overwrite: Replace `out` if it exists.

    Returns:
        The file and its clips.

    Raises:
        MotionError: The dataset does not exist, or a name matches no motion.
        RunError: `out` exists.
    """
    check_free([out, report_file(out)], overwrite)
    _, clips = load_dataset(dataset, robot)
    names, taken = {clip.motion_id for clip in clips}, set[str]()
    for pattern in motions:
        found = {name for name in names if fnmatchcase(name, pattern)}
        if not found:
            raise MotionError(unknown_name("motion", pattern, names))
        taken |= found
    if not taken:
        raise MotionError(
            f"Name the motions to take from {dataset}; * and ? stand for any letters."
        )
    chosen = [clip for clip in clips if clip.motion_id in taken]
    return WrittenClips(write_without_report(out, chosen), chosen)
