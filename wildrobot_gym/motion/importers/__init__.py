"""Motion from files of other projects: human motion in key bodies, or clips of this robot.

One small module for each format; `load` chooses by the file's name and content. What a file does not say (units,
axes, facing) is found out, logged and kept in the motion's notes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.importers.amass import load_amass
from wildrobot_gym.motion.importers.asf_amc import load_amc
from wildrobot_gym.motion.importers.bvh import load_bvh
from wildrobot_gym.motion.importers.csv_clip import load_csv
from wildrobot_gym.motion.importers.deepmimic import load_deepmimic
from wildrobot_gym.motion.importers.gmr import load_gmr
from wildrobot_gym.motion.importers.options import ImportOptions
from wildrobot_gym.robot import RobotModel

__all__ = ["SUFFIXES", "ImportOptions", "find", "load"]

_log = logging.getLogger(__name__)


def _load_npz(path: Path, options: ImportOptions) -> HumanMotion | MotionClip:
    """An AMASS motion, or a clip that this project wrote."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            ours = "metadata" in file.files
    except Exception:  # damaged: the one that is asked for most often says so
        ours = False
    if not ours:
        return load_amass(path, options)
    options.take_whole(path)
    return MotionClip.load(path).check(RobotModel.load(options.robot), str(path))


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
    """The motion in a file: .amc (with its .asf), .bvh, AMASS .npz or DeepMimic .txt/.json give a human's; GMR .pkl, .csv
    and the project's own .npz give a clip of `options.robot`.

    Raises:
        MotionError: unknown suffix, or a file that cannot be read, is damaged or does not fit; says what to do.
    """
    path, options = Path(path), options or ImportOptions()
    if path.suffix.lower() not in _FORMATS:
        raise MotionError(
            f"{path}: no importer for {path.suffix or 'a file without a suffix'!r}; allowed: {', '.join(SUFFIXES)}."
        )
    if not path.is_file():
        raise MotionError(f"{path} does not exist, or is no file. Check the path.")
    if not path.stat().st_size:
        raise MotionError(f"{path} is empty. Download or export it anew.")
    motion = _FORMATS[path.suffix.lower()](path, options)
    for note in (
        motion.notes if isinstance(motion, HumanMotion) else motion.metadata.get("notes", ())
    ):
        _log.info("%s: %s", path.name, note)
    return motion


def find(paths: Iterable[str | Path]) -> list[Path]:
    """The motion files in `paths`: files as given, folders with all that is in them, in order and each once.

    Raises:
        MotionError: a path that does not exist, or a folder without motion files.
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
    """Whether a file in a folder is to be imported; a .txt only if it is JSON, for most are notes and licences."""
    if path.suffix.lower() not in _FORMATS or not path.is_file():
        return False
    return path.suffix.lower() != ".txt" or path.read_bytes()[:64].lstrip().startswith(b"{")
