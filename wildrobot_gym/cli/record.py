"""`wildrobot record`: write a video of a policy."""

from __future__ import annotations

from pathlib import Path

import tyro

from wildrobot_gym.console.error_handling import Text, complain
from wildrobot_gym.console.exit_codes import NO_PICTURE
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.experiments.settings import RecordSettings


def record(
    policy: Text,
    /,
    out: Path = Path("walk.mp4"),
    settings: tyro.conf.OmitArgPrefixes[RecordSettings] = RecordSettings(),
    strip: Path | None = None,
) -> int:
    """Write a video of a policy.

    The exit code is 3 where this machine cannot draw.

    Args:
        policy: Policy to film: a .zip file, a run directory, or the name of a shipped policy.
        out: Video file to write, .mp4.
        strip: Write a picture of frames side by side to this file, too.
    """
    from wildrobot_gym.experiments.video import record_video

    reporter = ConsoleReporter()
    try:
        written = record_video(policy, out, settings, strip=strip, report=reporter)
    except PhysicsError as error:
        complain("wildrobot", str(error))
        return NO_PICTURE
    reporter.info(f"Video: {written.video}")
    if written.strip is not None:
        reporter.info(f"Filmstrip: {written.strip}")
    return 0
