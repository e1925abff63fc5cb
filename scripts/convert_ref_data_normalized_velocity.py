"""A reference's features with the root's velocity as a direction, zero below 0.1 m/s (seed v0.3.0).

Training needs no such file: `features.root_velocity: direction` makes the same features from the
clips.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wildrobot_gym.console.error_handling import Text, run_script
from wildrobot_gym.experiments.datasets import load_dataset
from wildrobot_gym.files import check_free
from wildrobot_gym.motion.mining import save_features
from wildrobot_gym.task.config import FeatureConfig


def convert(
    dataset: Text,
    out: Path = Path("walking_motions_normalized_vel.npz"),
    force: bool = False,
) -> int:
    """Write the feature frames of a performed reference with normalized velocity.

    Args:
        dataset: A dataset of `wildrobot motion track` or `perform`.
        out: The features, .npz.
        force: Overwrite the file if it exists.
    """
    check_free([out], force)
    robot, clips = load_dataset(dataset)
    print(f"Wrote {save_features(out, robot, FeatureConfig(root_velocity='direction'), clips)}")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 2 for bad input."""
    return run_script(convert, "convert_ref_data_normalized_velocity.py", arguments)


if __name__ == "__main__":
    sys.exit(main())
