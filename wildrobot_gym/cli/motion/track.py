"""`wildrobot motion track`."""

from __future__ import annotations

import tyro
from rich.console import Console

from wildrobot_gym.cli.motion.printing import print_mined
from wildrobot_gym.console.error_handling import Texts
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.experiments.motion.settings import TrackFilesSettings


def track(
    files: Texts, /, settings: tyro.conf.OmitArgPrefixes[TrackFilesSettings], force: bool = False
) -> int:
    """Perform clips in physics, and keep the good segments.

    Good segments pass all quality gates. Exit code 1 if a file was left out.

    Args:
        files: Clips, reference files, shipped references, or human motion (retargeted first).
        settings: The performance and the files to write.
        force: Overwrite files that exist.
    """
    from wildrobot_gym.experiments.motion.track import track_files

    console = Console()
    mined = track_files(files, settings, overwrite=force, report=ConsoleReporter(console))
    return print_mined(console, mined)
