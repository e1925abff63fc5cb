"""Runs rl_zoo3's own scripts, with AMPPPO and WildRobot as the defaults."""

from __future__ import annotations

import argparse
import runpy
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from wildrobot_gym.env.registration import ENV_ID
from wildrobot_gym.errors import RunError, WildRobotError
from wildrobot_gym.extras import require
from wildrobot_gym.training.config.for_zoo import AMP_PPO

_WHAT = ("--algo", AMP_PPO, "--env", ENV_ID)
SCRIPTS = {
    "train": ("rl_zoo3.train", _WHAT),
    "optimize": ("rl_zoo3.train", (*_WHAT, "-optimize")),
    "enjoy": ("rl_zoo3.enjoy", (*_WHAT, "--folder", "logs")),
    "record": ("rl_zoo3.record_video", (*_WHAT, "--folder", "logs")),
    "plot": ("rl_zoo3.plots.plot_train", (*_WHAT, "--exp-folder", "logs")),
}  # by command: the script, and the options that the command line can replace


def run_script(command: str, arguments: Sequence[str]) -> None:
    """Run one of rl_zoo3's scripts in this process.

    Args:
        command: A key of `SCRIPTS`.
        arguments: The script's own options.

    Raises:
        MissingPackageError: rl_zoo3 is not installed.
        RunError: The script refuses its input.
    """
    require("rl_zoo3", "zoo")
    from wildrobot_gym.experiments.zoo.registration import register

    register()
    script, defaults = SCRIPTS[command]
    with _command_line([f"wildrobot zoo {command}", *defaults, *arguments]):
        try:
            runpy.run_module(script, run_name="__main__")
        except (AssertionError, FileNotFoundError, ValueError) as error:
            if isinstance(error, WildRobotError) or _is_amp_error(error) or not _refuses(error):
                raise
            raise RunError(f"rl_zoo3: {error}") from error


def plot(arguments: Sequence[str]) -> Path:
    """Draw the training curves of rl_zoo3's runs into a picture.

    Args:
        arguments: Options of `rl_zoo3.plots.plot_train`, and `--out`, the picture's path.

    Raises:
        RunError: There is nothing to draw.
    """
    require("seaborn", "zoo")
    figure = require("matplotlib.pyplot", "zoo")
    figure.switch_backend("agg")
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--out", type=Path, default=Path("plots/zoo.png"))
    own, others = parser.parse_known_args(list(arguments))
    figure.close("all")
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="FigureCanvasAgg|.*found in sys.modules|No artists"
        )
        run_script("plot", others)
    try:
        if not figure.get_fignums() or not figure.gca().lines:
            raise RunError(
                "There is no curve to draw: no run has as many episodes as the rolling window."
                " Train longer, or shorten it with --episode-window."
            )
        own.out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(own.out)
    finally:
        figure.close("all")
    return Path(own.out)


@contextmanager
def _command_line(words: list[str]) -> Iterator[None]:
    before = sys.argv
    sys.argv = words
    try:
        yield
    finally:
        sys.argv = before


def _refuses(error: Exception) -> bool:
    """Whether rl_zoo3 itself raised an error, or anyone while it read the settings.

    Any other comes from deep in a training, and its traceback is needed.
    """
    folder = str(Path(require("rl_zoo3", "zoo").__file__).parent)
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    theirs = [code for code in codes if code.co_filename.startswith(folder)]
    return codes[-1] in theirs or any(code.co_name == "setup_experiment" for code in theirs)


def _is_amp_error(error: Exception) -> bool:
    from amp_sbx import AMPError

    return isinstance(error, AMPError)
