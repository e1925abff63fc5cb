"""`wildrobot motion retarget`."""

from __future__ import annotations

from pathlib import Path

import tyro
from rich.console import Console

from wildrobot_gym.cli.motion.printing import metric_table, print_skipped, say
from wildrobot_gym.console.error_handling import Texts
from wildrobot_gym.console.exit_codes import RUN_FAILED
from wildrobot_gym.experiments.motion.settings import RetargetFilesSettings

_COLUMNS = (  # heading, metric, decimals, factor
    ("s", "duration_s", 1, 1),
    ("m/s", "speed", 2, 1),
    ("slide\nmm/s", "foot_slide", 1, 1),
    ("sink\nmm", "penetration", 1, 1),
    ("float\nmm", "float_height", 1, 1),
    ("miss\nmm", "miss", 1, 1),
    ("limit\n%", "joint_limit_fraction", 1, 100),
    ("fast\n%", "velocity_limit_fraction", 1, 100),
    ("error\nmm", "tracking_error", 0, 1000),
    ("frames\n1/s", "frames_per_s", 0, 1),
)
_BARS = (("slide", "foot_slide"), ("sink", "penetration"), ("float", "float_height"))


def retarget(
    files: Texts, /, settings: tyro.conf.OmitArgPrefixes[RetargetFilesSettings], force: bool = False
) -> int:
    """Retarget human motion, or other projects' clips of this robot.

    Exit code 1 if a file was left out, or if a clip is beyond a bar: its feet slide, sink or float
    too much.

    Args:
        files: Motion files (.amc, .bvh, AMASS .npz, DeepMimic .txt or .json, GMR .pkl, .csv,
            BeyondMimic or mjlab .npz), or folders of them.
        settings: The files to write, and how to read and scale the motion.
        force: Overwrite clips that exist.
    """
    from wildrobot_gym.experiments.motion.retarget import retarget_files

    console = Console()
    result = retarget_files(files, settings, overwrite=force)
    for path, clip in result.clips.items():
        say(console, f"{path}: {clip.duration_s:.1f} s, {clip.command[0]:.2f} m/s")
        for note in clip.metadata.get("notes", ()):
            say(console, f"  {note}")
    if result.reports:
        from wildrobot_gym.motion.retarget.report import BARS

        bars = ", ".join(f"{label} {BARS[name]:g}" for label, name in _BARS)
        reports = [(Path(path).name, report) for path, report in result.reports.items()]
        caption = f"bars: {bars}; * is beyond its bar"
        console.print(metric_table("retargeted", "file", _COLUMNS, reports, caption))
    code = print_skipped(console, result.skipped)
    return RUN_FAILED if any(each.beyond for each in result.reports.values()) else code
