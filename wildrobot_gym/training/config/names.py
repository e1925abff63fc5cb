"""Configs and motions by the name of a shipped file or by path."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from wildrobot_gym.errors import ConfigError, unknown_name
from wildrobot_gym.paths import CONFIGS, MOTIONS, motion_file


def find_config(config: str, what: str = "config", folder: Path = CONFIGS) -> Path:
    """The file of a config.

    Args:
        config: A path, or the name of a shipped file in `folder`.
        what: What an error calls it.
        folder: Where the shipped files are.

    Raises:
        ConfigError: There is no such file. The message lists the shipped names.
    """
    zoo = folder / "hyperparams" / f"{config}.yml"
    for path in (Path(config), folder / f"{config}.yaml", zoo):
        if path.is_file():
            return path
    _missing(what, config, folder, "yaml")


def find_motion(name: str, folder: Path = Path()) -> Path:
    """The file of a reference motion.

    Args:
        name: A path, or the name of a shipped motion.
        folder: Where a relative path begins; the working directory by default.

    Raises:
        ConfigError: There is no such file. The message lists the shipped names.
    """
    path = folder / motion_file(name)
    if path.is_file():
        return path
    _missing("reference motion", name, MOTIONS, "npz")


def _missing(what: str, name: str, folder: Path, suffix: str) -> NoReturn:
    shipped = sorted(path.stem for path in folder.glob(f"*.{suffix}"))
    raise ConfigError(unknown_name(what, name, shipped) + f" Or give the path of a .{suffix} file.")
