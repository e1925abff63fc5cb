"""`wildrobot self-imitate`."""

from __future__ import annotations

from pathlib import Path

import tyro

from wildrobot_gym.console.output import training_console
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.experiments.settings import SelfImitateSettings


def self_imitate(
    settings: tyro.conf.OmitArgPrefixes[SelfImitateSettings] = SelfImitateSettings(),
    set: tyro.conf.UseAppendAction[tuple[tuple[str, ...], ...]] = (),
    out: Path | None = None,
    force: bool = False,
) -> int:
    """Train with AMP on the best parts of a policy's own gait.

    First PPO trains. The parts of its gait that pass the quality gates become the reference. The
    same command resumes where it stopped. Stages that are done are not repeated.

    Args:
        set: Settings of the AMP run to change, such as amp.weight=0.2.
        out: Directory for all files (default: runs/self-imitate-s<seed>).
        force: Repeat the mining and the AMP run. A baseline is never trained again.
    """
    from wildrobot_gym.experiments.self_imitation.run import self_imitate as run

    reporter = ConsoleReporter(training_console())
    overrides = [item for group in set for item in group]
    result = run(
        settings,
        overrides=overrides,
        out=out,
        force=force,
        handle_signals=True,
        report=reporter,
    )
    if result.signum is not None:
        reporter.info("The same command resumes `wildrobot self-imitate`.")
        return 128 + result.signum
    return 0
