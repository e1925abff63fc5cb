"""`wildrobot motion perform`."""

from __future__ import annotations

import tyro
from rich.console import Console

from wildrobot_gym.cli.motion.printing import print_mined
from wildrobot_gym.console.error_handling import Text
from wildrobot_gym.experiments.motion.settings import PerformSettings


def perform(
    policy: Text, /, settings: tyro.conf.OmitArgPrefixes[PerformSettings], force: bool = False
) -> int:
    """Perform a reference with a tracking policy.

    There is no harness. What passes all quality gates is kept.

    Args:
        policy: Run directory or .zip file of `wildrobot train track`.
        settings: The reference and the dataset to write.
        force: Overwrite the dataset if it exists.
    """
    from wildrobot_gym.experiments.motion.perform import perform_reference

    return print_mined(Console(), perform_reference(policy, settings, overwrite=force))
