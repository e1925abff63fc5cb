"""`wildrobot export`: write a policy as a folder that runs without this package's libraries."""

from __future__ import annotations

from pathlib import Path

import tyro

from wildrobot_gym.console.error_handling import Text
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.experiments.settings import ExportSettings


def export(
    policy: Text,
    /,
    out: Path,
    settings: tyro.conf.OmitArgPrefixes[ExportSettings] = ExportSettings(),
) -> int:
    """Write a policy as files that run without JAX and MuJoCo.

    These are its network, policy.json and golden vectors. The network is compared with the policy
    on observations of real rollouts.

    Args:
        policy: Policy to export: a .zip file, a run directory, or the name of a shipped policy.
        out: Folder to write.
    """
    from wildrobot_gym.experiments.export.export import export_policy

    reporter = ConsoleReporter()
    result = export_policy(policy, out, settings, report=reporter)
    reporter.info(
        f"Exported {result.description.name} to {result.folder}. Over {result.num_compared:,}"
        f" observations its actions are at most {result.errors['action']:.1e} off the policy's."
    )
    return 0
