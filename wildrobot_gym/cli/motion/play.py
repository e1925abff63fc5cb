"""`wildrobot motion play`."""

from __future__ import annotations

import tyro
from rich.console import Console

from wildrobot_gym.cli.motion.printing import print_skipped, say
from wildrobot_gym.console.error_handling import Texts, complain
from wildrobot_gym.console.exit_codes import NO_PICTURE
from wildrobot_gym.experiments.motion.settings import PlaySettings


def play(
    files: Texts,
    /,
    settings: tyro.conf.OmitArgPrefixes[PlaySettings] = PlaySettings(),
    force: bool = False,
    web: bool = False,
    host: str = "127.0.0.1",
    port: int = 8080,
) -> int:
    """Film motions of several files, or play them in the browser.

    Exit code 3 if this machine cannot draw.

    Args:
        files: Clips and datasets, a panel each, from left to right; human motion is retargeted
            first.
        settings: The motion and the files to write.
        force: Overwrite files that exist.
        web: Show the motions on a page in the browser, with a scrubber. A human's skeleton stands
            beside the robot. No video is written.
        host: Address of the page; 0.0.0.0 shows it to the network of this machine.
        port: Port of the page; the next free one where it is taken.
    """
    from wildrobot_gym.errors import PhysicsError
    from wildrobot_gym.experiments.motion.play import film_motions

    console = Console()
    if web:
        from wildrobot_gym.console.reporter import ConsoleReporter
        from wildrobot_gym.experiments.settings import PageSettings
        from wildrobot_gym.experiments.view.playback import play_in_browser

        place = PageSettings(host=host, port=port)
        reporter = ConsoleReporter()
        return print_skipped(console, play_in_browser(files, settings, place, report=reporter))
    try:
        film = film_motions(files, settings, overwrite=force)
    except PhysicsError as error:
        complain("wildrobot motion play", str(error))
        return NO_PICTURE
    say(console, f"{film.path}: {' | '.join(film.panels)}")
    if film.strip is not None:
        say(console, f"Filmstrip: {film.strip}")
    return print_skipped(console, film.skipped)
