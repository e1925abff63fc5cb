"""`wildrobot motion track` under the data-first plan's name and flags."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from rich.console import Console

from wildrobot_gym.cli.motion.printing import print_mined
from wildrobot_gym.console.error_handling import Texts, run_script
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.experiments.motion.settings import TrackFilesSettings
from wildrobot_gym.experiments.motion.track import track_files
from wildrobot_gym.motion.mining import Gates
from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.motion.tracking import Harness, TrackSettings


def generate(
    motions: Texts = ("walk_synthetic",),
    out: Path = Path("tier0plus_merged.npz"),
    multi_start_interval: int = 100,
    max_window_frames: int = 200,
    harness_cap: float = 0.15,
    max_harness_p95: float = 0.10,
    min_load_support: float = 0.85,
    features: Path | None = None,
    verbose: bool = False,
    force: bool = False,
) -> int:
    """Perform clips in physics and keep the segments that pass all gates.

    Args:
        motions: Clips, reference files, shipped references, or human motion.
        out: The dataset; its report is written beside it.
        multi_start_interval: Frames (50 per second) between the starts of a clip's variants.
        max_window_frames: Longest segment, in frames.
        harness_cap: Maximum force of the harness, as a fraction of the weight.
        max_harness_p95: Gate on the harness, as a fraction of the weight.
        min_load_support: Gate on the mean load, as a fraction of the weight.
        features: File for the plan's output fields, .npz.
        verbose: Also print what was found out about the files.
        force: Overwrite the dataset if it exists.
    """
    if verbose:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = TrackSettings(
        start_interval_s=multi_start_interval * CONTROL_DT, harness=Harness(cap=harness_cap)
    )
    gates = Gates(
        longest=max_window_frames, harness_p95=max_harness_p95, load_mean=min_load_support
    )
    console = Console()
    mined = track_files(
        motions,
        TrackFilesSettings(out=out, features=features),
        tracking=settings,
        gates=gates,
        overwrite=force,
        report=ConsoleReporter(console),
    )
    return print_mined(console, mined)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, 1 where a file was left out, 2 for bad input."""
    return run_script(generate, "generate_tier0plus_segments.py", arguments)


if __name__ == "__main__":
    sys.exit(main())
