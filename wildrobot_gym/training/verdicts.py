"""The discriminator's verdicts over a whole run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from amp_sbx.discriminator.health import WARM_UP
from amp_sbx.discriminator.verdict import Verdict
from wildrobot_gym.evaluation.progress import read_columns


def verdict_fractions(progress: Path) -> dict[str, float]:
    """How many of the judged iterations had each verdict, as fractions, the most frequent first.

    Args:
        progress: The run's progress.csv.

    Returns:
        Fractions by verdict, {"healthy": 0.97, "too strong": 0.03}; empty if none was judged.

    Raises:
        RunError: progress.csv is missing or damaged.
    """
    verdicts = read_columns(progress).get("amp/verdict", np.array([]))
    judged = verdicts[np.isfinite(verdicts)][WARM_UP - 1 :].astype(int).tolist()
    labels = {verdict.value: verdict.label for verdict in Verdict}
    counts = Counter(labels[number] for number in judged if number in labels)
    return {label: count / len(judged) for label, count in counts.most_common()}


def verdicts_text(fractions: dict[str, float]) -> str:
    """The fractions as one phrase, "healthy 97 %, too strong 3 %"."""
    return ", ".join(f"{label} {100 * fraction:.0f} %" for label, fraction in fractions.items())
