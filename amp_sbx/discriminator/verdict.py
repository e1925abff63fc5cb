"""What a run's health metrics say about the discriminator, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from amp_sbx.reference.layout import column_name

SHORTCUT_AUC = 0.98
"""AUC above which two sets of samples count as separated, for one column or for the scores."""
MISMATCH_FRACTION = 0.3
"""Fraction of the policy's values outside the reference's range that counts as a mismatch."""
FLAT_STD = 0.04
"""Smallest useful spread of the style reward, relative to an undecided sample's."""
POOR_MEAN = 0.1
"""Mean style reward that is almost nothing, relative to an undecided sample's."""
COLLAPSED_AUC = 0.55
MEMORIZED_GAP = 0.15
"""AUC on learned reference samples minus AUC on held-out ones."""


class Verdict(Enum):
    """State of the discriminator. `value` is logged as `amp/verdict`, `label` is its text.

    Example:
        >>> Verdict.TOO_STRONG.label, Verdict.TOO_STRONG.value
        ('too strong', 3)
    """

    label: str

    HEALTHY = 0, "healthy"
    FEATURE_MISMATCH = 1, "feature mismatch"
    SHORTCUT = 2, "shortcut"
    TOO_STRONG = 3, "too strong"
    COLLAPSED = 4, "collapsed"
    MEMORIZED = 5, "memorized"
    FROZEN = 6, "frozen"

    def __new__(cls, value: int, label: str) -> "Verdict":
        member = object.__new__(cls)
        member._value_ = value
        member.label = label
        return member


@dataclass(frozen=True)
class Assessment:
    """A verdict with the metrics it rests on and a remedy.

    Attributes:
        verdict: the verdict.
        reason: the metrics behind it; empty if healthy.
        advice: settings to change; empty if healthy.
    """

    verdict: Verdict
    reason: str = ""
    advice: str = ""

    def __str__(self) -> str:
        label = self.verdict.label
        return label if not self.reason else f"{label}: {self.reason}. {self.advice}"


def assess(
    smooth: Mapping[str, float],
    newest: Mapping[str, float],
    held_out: float,
    undecided: float,
    layout: Any,
) -> Assessment:
    """The first verdict that applies. Causes come before their effects.

    Args:
        smooth: metrics averaged over the last iterations.
        newest: metrics of the last iteration.
        held_out: smoothed AUC on held-out samples, or on all samples if none are held out.
        undecided: style reward of a sample that is as likely real as not.
        layout: layout of the AMP observations, for column names.
    """
    top, still = (
        column_name(layout, int(newest.get(key, 0))) for key in ("feature_index", "still_index")
    )
    # A discriminator that separates everything has nothing left to learn, so it is not frozen.
    if smooth.get("frozen", 0.0) >= 0.5 and held_out <= SHORTCUT_AUC:
        return Assessment(
            Verdict.FROZEN,
            f"an iteration changes its parameters by {newest.get('change', 0.0):.0e} of their size",
            "Raise amp.disc_lr or amp.max_grad_norm.",
        )
    if smooth.get("still", 0.0) >= 0.5:
        alone = newest.get("still_auc", 1.0)
        value = round(newest.get("still_value", 0.0), 3) + 0.0
        return Assessment(
            Verdict.FEATURE_MISMATCH,
            f"{still} alone gives AUC {alone:.2f}; the policy's values are always {value:g}, "
            "the reference's vary",
            "Check how the environment computes this column; it must not be a constant.",
        )
    if smooth.get("outside", 0.0) > MISMATCH_FRACTION:
        return Assessment(
            Verdict.FEATURE_MISMATCH,
            f"{smooth['outside']:.0%} of the policy's values lie outside the reference's range, "
            f"most of all {top}",
            "Build both with the same feature settings and compare their ranges.",
        )
    if smooth.get("feature_auc", 0.5) > SHORTCUT_AUC:
        return Assessment(
            Verdict.SHORTCUT,
            f"{top} alone gives AUC {smooth['feature_auc']:.2f}",
            "Leave out that channel until the policy's is similar, or fix the reference.",
        )
    learned = smooth.get("learned_auc", held_out)
    if "held_out_auc" in newest and learned - held_out > MEMORIZED_GAP:
        return Assessment(
            Verdict.MEMORIZED,
            f"AUC {learned:.2f} on the reference it learned from, {held_out:.2f} on "
            "held-out motion",
            "Add reference motion, or lower amp.update_steps or amp.discriminator_hidden.",
        )
    poor = smooth.get("reward_mean", undecided) < POOR_MEAN * undecided
    flat = smooth.get("reward_std", undecided) < FLAT_STD * undecided
    if (flat or poor) and held_out > SHORTCUT_AUC:
        return Assessment(
            Verdict.TOO_STRONG,
            f"AUC {held_out:.2f}, and the policy's style reward is {smooth['reward_mean']:.2f} "
            f"+- {smooth['reward_std']:.3f}",
            "Lower amp.update_steps or amp.disc_lr, or raise amp.r1_gamma or "
            "amp.disc_input_noise_std.",
        )
    if held_out < COLLAPSED_AUC:
        return Assessment(
            Verdict.COLLAPSED,
            f"AUC {held_out:.2f}: it does not separate policy and reference",
            "Raise amp.update_steps or amp.disc_lr, or lower amp.r1_gamma. "
            "If the gait already matches the reference, this is the goal.",
        )
    return Assessment(Verdict.HEALTHY)
