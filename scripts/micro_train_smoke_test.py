"""`wildrobot motion probe` under the data-first plan's name and flags: the plan's features are all
channels.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wildrobot_gym.cli.motion.probe import probe
from wildrobot_gym.console.error_handling import run_script
from wildrobot_gym.experiments.motion.settings import ProbeSettings


def smoke_test(
    dataset: str = "tier0plus_merged.npz",
    steps: int = 5000,
    log_interval: int = 100,
    drop_contacts: bool = False,
    drop_height: bool = False,
    json_output: Path | None = None,
    force: bool = False,
) -> int:
    """Try a discriminator on a dataset in a short run.

    Args:
        dataset: A reference file, or a shipped reference's name.
        steps: Environment steps of the run.
        log_interval: Steps between two lines; an iteration at least.
        drop_contacts: Leave out the foot contacts.
        drop_height: Leave out the height of the base.
        json_output: File for the metrics, JSON.
        force: Overwrite the metrics if they exist.
    """
    settings = ProbeSettings(
        steps=steps,
        all_features=True,
        drop_contacts=drop_contacts,
        drop_height=drop_height,
        log_interval=log_interval,
    )
    return probe(dataset, settings, json=json_output, force=force)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, 1 where the gate is missed, 2 for bad input."""
    return run_script(smoke_test, "micro_train_smoke_test.py", arguments)


if __name__ == "__main__":
    sys.exit(main())
