"""`wildrobot motion play`."""

from __future__ import annotations

import tyro
from rich.console import Console

from wildrobot_gym.cli.motion.printing import print_skipped, say
from wildrobot_gym.console.error_handling import Texts, complain
from wildrobot_gym.console.exit_codes import NO_PICTURE
from wildrobot_gym.experiments.motion.settings import PlaySettings


def play(
    files: Texts, /, settings: tyro.conf.OmitArgPrefixes[PlaySettings], force: bool = False
) -> int:
    """Film one motion of several files, side by side.

    Exit code 3 if this machine cannot draw.

    Args:
        files: Clips and datasets, a panel each, from left to right; human motion is retargeted
            first.
        settings: The motion and the files to write.
        force: Overwrite files that exist.
    """
    from wildrobot_gym.errors import PhysicsError
    from wildrobot_gym.experiments.motion.play import film_motions

    console = Console()
    try:
        film = film_motions(files, settings, overwrite=force)
    except PhysicsError as error:
        complain("wildrobot motion play", str(error))
        return NO_PICTURE
    say(console, f"{film.path}: {' | '.join(film.panels)}")
    if film.strip is not None:
        say(console, f"Filmstrip: {film.strip}")
    return print_skipped(console, film.skipped)
