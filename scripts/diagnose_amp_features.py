"""The AMP settings of a run config, and the features of its reference: mean, spread and zeros of
each column.
"""

from __future__ import annotations

import sys

from rich.console import Console

from wildrobot_gym.cli.motion.check_features import summary_table
from wildrobot_gym.console.error_handling import run_script
from wildrobot_gym.experiments.feature_report import summarize_features
from wildrobot_gym.training import config as run_config


def diagnose(config: str = "ppo_amass_training") -> int:
    """Print a run config's AMP settings and its reference's features.

    Args:
        config: A shipped config's name or a YAML file; one with an amp section.
    """
    print(run_config.load(config).amp)
    Console().print(summary_table(summarize_features(config)))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 2 for bad input."""
    return run_script(diagnose, "diagnose_amp_features.py", arguments)


if __name__ == "__main__":
    sys.exit(main())
