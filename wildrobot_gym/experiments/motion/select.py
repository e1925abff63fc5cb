"""Taking some motions out of a dataset, and joining datasets."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from wildrobot_gym.errors import MotionError, unknown_name
from wildrobot_gym.experiments.datasets import load_dataset, report_file, write_without_report
from wildrobot_gym.experiments.motion.written import WrittenClips
from wildrobot_gym.files import check_free
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.motion.clip_names import check_names


def select_motions(
    dataset: str,
    motions: Sequence[str],
    out: Path,
    *,
    add: Sequence[str] = (),
    robot: str | None = None,
    overwrite: bool = False,
) -> WrittenClips:
    """Write the segments of some motions of a dataset into a new dataset.

    Args:
        dataset: A reference file or the name of a shipped one.
        motions: Names of motions; `*` and `?` stand for any letters.
        out: The new file, .npz.
        add: More datasets of the same robot, all of whose motions are added.
        robot: Folder with the robot.yaml, if the dataset's robot is not shipped.
        overwrite: Replace `out` if it exists.

    Returns:
        The file and its clips.

    Raises:
        MotionError: A dataset does not exist or is of another robot, a name matches no motion, or
            two datasets have a segment of one name.
        RunError: `out` exists.
    """
    check_free([out, report_file(out)], overwrite)
    model, clips = load_dataset(dataset, robot)
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
    for more in add:
        chosen += load_clips(more, model)
    check_names(chosen)
    return WrittenClips(write_without_report(out, chosen), chosen)
