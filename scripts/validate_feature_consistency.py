"""`wildrobot motion check-features` under the seed documents' name."""

from __future__ import annotations

import sys
from pathlib import Path

from wildrobot_gym.cli.motion.check_features import check_features
from wildrobot_gym.console.error_handling import Text, run_script
from wildrobot_gym.experiments.motion.settings import CheckFeaturesSettings


def validate(
    dataset: Text = "walk_synthetic",
    policy: str = "walk",
    config: str | None = None,
    json_output: Path | None = None,
    force: bool = False,
) -> int:
    """Compare a policy's features with a reference's, column by column.

    Args:
        dataset: A reference file, or a shipped reference's name.
        policy: A .zip file, a run directory, or the name of a shipped policy.
        config: Run config whose features are compared. The default is all channels.
        json_output: File for the metrics, JSON.
        force: Overwrite the metrics if they exist.
    """
    settings = CheckFeaturesSettings(policy=policy, config=config)
    return check_features(dataset, settings, json=json_output, force=force)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 2 for bad input."""
    return run_script(validate, "validate_feature_consistency.py", arguments)


if __name__ == "__main__":
    sys.exit(main())
