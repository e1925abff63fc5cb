"""Motion from files of other projects: human motion in key bodies, or clips of this robot.

There is one module for each format. `load` chooses by the file's name and content. What a file does
not say (units, axes, facing) is found out, logged, and kept in the motion's notes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from wildrobot_gym import npz_io
from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.import_options import ImportOptions
from wildrobot_gym.motion.importers.amass import body_model_kind, load_amass
from wildrobot_gym.motion.importers.asf_amc import load_amc
from wildrobot_gym.motion.importers.bvh import load_bvh
from wildrobot_gym.motion.importers.csv_clip import load_csv
from wildrobot_gym.motion.importers.deepmimic import load_deepmimic
from wildrobot_gym.motion.importers.gmr import load_gmr
from wildrobot_gym.motion.importers.tracking_npz import JOINT_ARRAYS, load_tracking
from wildrobot_gym.robot import RobotModel

__all__ = ["SUFFIXES", "ImportOptions", "find", "load"]

_log = logging.getLogger(__name__)


def _load_npz(path: Path, options: ImportOptions) -> HumanMotion | MotionClip:
    """Load an AMASS motion, a tracking task's clip, or a clip of this project."""
    names = npz_io.names(path)
    if reason := _no_motion(path, names):
        raise MotionError(reason)
    if "metadata" in names:
        options.take_whole(path)
        return MotionClip.load(path).check(RobotModel.load(options.robot), str(path))
    if names & set(JOINT_ARRAYS):
        return load_tracking(path, options)
    return load_amass(path, options)  # also if it is damaged: AMASS is the most common kind


def _no_motion(path: Path, names: frozenset[str]) -> str:
    """Return what an .npz is that lies beside AMASS's motions and is none, or nothing."""
    if "v_template" in names:
        kind = body_model_kind(path)
        return f"{path} is a body model ({kind}), no motion. Pass it as body_model."
    if "betas" in names and not names & {"trans", "poses", "pose_body"}:
        return f"{path} holds the shape of an AMASS subject, no motion. Leave it out."
    return ""


_FORMATS: dict[str, Callable[[Path, ImportOptions], HumanMotion | MotionClip]] = {
    ".amc": load_amc,
    ".bvh": load_bvh,
    ".npz": _load_npz,
    ".json": load_deepmimic,
    ".txt": load_deepmimic,
    ".pkl": load_gmr,
    ".pickle": load_gmr,
    ".csv": load_csv,
}
SUFFIXES = tuple(_FORMATS)


def load(path: str | Path, options: ImportOptions | None = None) -> HumanMotion | MotionClip:
    """Load the motion in a file.

    Human motion comes from .amc (with its .asf), .bvh, AMASS .npz, and DeepMimic .txt and .json.
    Clips of `options.robot` come from GMR .pkl, .csv (with a header, or Unitree's without one),
    .npz of BeyondMimic, mjlab and Isaac Lab, and this project's .npz.

    Args:
        path: The file.
        options: How to read it.

    Returns:
        The human motion or the robot clip.

    Raises:
        MotionError: The suffix is unknown, or the file cannot be read, is damaged, or does not fit.
    """
    path, options = Path(path), options or ImportOptions()
    if path.suffix.lower() not in _FORMATS:
        raise MotionError(
            f"{path}: no importer for {path.suffix or 'a file without a suffix'!r}; allowed:"
            f" {', '.join(SUFFIXES)}."
        )
    if not path.is_file():
        raise MotionError(f"{path} does not exist, or is no file. Check the path.")
    if not path.stat().st_size:
        raise MotionError(f"{path} is empty. Download or export it again.")
    motion = _FORMATS[path.suffix.lower()](path, options)
    for note in (
        motion.notes if isinstance(motion, HumanMotion) else motion.metadata.get("notes", ())
    ):
        _log.info("%s: %s", path.name, note)
    return motion


def find(paths: Iterable[str | Path]) -> list[Path]:
    """Find the motion files in `paths`, in order and each once.

    A folder stands for all motion files in it.

    Raises:
        MotionError: A path does not exist, or a folder has no motion files.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if not path.exists():
            raise MotionError(f"{path} does not exist. Check the path.")
        inside = (
            [path] if path.is_file() else sorted(p for p in path.rglob("*") if _may_be_motion(p))
        )
        if not inside:
            raise MotionError(
                f"Folder {path} has no motion files; looked for: {', '.join(SUFFIXES)}."
            )
        found += inside
    return list(dict.fromkeys(found))


def _may_be_motion(path: Path) -> bool:
    """Return whether to import a file of a folder.

    A .txt must be JSON, since most are notes. AMASS's folders have shapes and body models, too.
    """
    if path.suffix.lower() not in _FORMATS or not path.is_file():
        return False
    if path.suffix.lower() == ".npz":
        return not _no_motion(path, npz_io.names(path))
    return path.suffix.lower() != ".txt" or path.read_bytes()[:64].lstrip().startswith(b"{")
