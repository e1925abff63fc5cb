"""`wildrobot motion loop`."""

from __future__ import annotations

import tyro
from rich.console import Console

from wildrobot_gym.cli.motion.printing import print_skipped, say
from wildrobot_gym.console.error_handling import Texts
from wildrobot_gym.experiments.motion.settings import LoopSettings


def loop(
    files: Texts, /, settings: tyro.conf.OmitArgPrefixes[LoopSettings], force: bool = False
) -> int:
    """Make endless variants of clips for a tracking policy.

    Exit code 1 if a file was left out.

    Args:
        files: Clips, reference files, shipped references, or human motion (retargeted first).
        settings: The variants and their file.
        force: Overwrite the file if it exists.
    """
    from wildrobot_gym.experiments.motion.loop import loop_files

    console = Console()
    written = loop_files(files, settings, overwrite=force)
    seconds = sum(clip.duration_s for clip in written.clips)
    say(
        console,
        f"{written.path}: {len(written.clips)} variants of {len(written.motions)} motions,"
        f" {seconds:.0f} s",
    )
    return print_skipped(console, written.skipped)
