"""`wildrobot motion probe`."""

from __future__ import annotations

from pathlib import Path

import tyro
from rich.console import Console

from wildrobot_gym.cli.motion.printing import say, write_metrics
from wildrobot_gym.console.error_handling import Text
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.experiments.motion.settings import ProbeSettings
from wildrobot_gym.files import check_free


def probe(
    dataset: Text,
    /,
    settings: tyro.conf.OmitArgPrefixes[ProbeSettings],
    set: tyro.conf.UseAppendAction[tuple[tuple[str, ...], ...]] = (),
    json: Path | None = None,
    force: bool = False,
) -> int:
    """Judge the discriminator of a short AMP run.

    Exit code 1 if it is too strong, too weak, or flat.

    Args:
        dataset: Reference file or the name of a shipped one.
        settings: The run.
        set: Settings of the run config to change, as in `--set amp.weight=0.2`.
        json: File for the metrics, JSON.
        force: Overwrite the metrics if they exist.
    """
    from wildrobot_gym.experiments import probe as probing

    console = Console()
    check_free([json], force)
    overrides = [item for group in set for item in group]
    result = probing.probe(dataset, settings, overrides, report=ConsoleReporter(console))
    if result.metrics is None:
        say(console, f"FAIL: {result.error}")
    else:
        low, high = probing.AUC_BOUNDS
        metrics, bound = result.metrics, probing.MIN_REWARD_VARIANCE
        say(console, f"AUC on new samples: {metrics.auc:.3f} (bounds {low} to {high})")
        say(
            console,
            f"style reward: mean {metrics.reward_mean:.3f},"
            f" variance {metrics.reward_variance:.4f} (bound > {bound})",
        )
        say(console, f"{'PASS' if result.passed else 'FAIL'}: {metrics.advice}")
    write_metrics(console, json, result.to_json())
    return 0 if result.passed else 1
