"""Tracks the discriminator's health metrics over a run and judges them.

AMP fails silently: the loss falls even when one column gives the policy away, or when every sample
earns the same reward. Each verdict names the metric it rests on and what to change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amp_sbx.discriminator.verdict import Assessment, Verdict, assess

SMOOTHING = 0.1
"""Weight of the newest iteration in the smoothed metrics: an average over about ten iterations."""
WARM_UP = 15
"""Iterations before the first verdict. A new discriminator cannot separate anything yet."""
FROZEN_CHANGE = 1e-6
"""Relative parameter change per iteration that counts as frozen; float32 resolves about 1e-7."""


@dataclass
class HealthMonitor:
    """Smooths the metrics of all iterations and judges them.

    Args:
        layout: layout of the AMP observations, for column names. None: columns are numbered.
        undecided: style reward of a sample that is as likely real as not
            (`AMPConfig.undecided_reward`).

    Example:
        >>> monitor = HealthMonitor()
        >>> monitor.update({"disc_auc": 0.8, "reward_std": 0.2}).verdict
        <Verdict.HEALTHY: 0>
    """

    layout: Mapping[str, Any] | None = None
    undecided: float = 0.5
    _smooth: dict[str, float] = field(default_factory=dict)
    _updates: int = 0
    _newest: Mapping[str, float] = field(default_factory=dict)

    @property
    def metrics(self) -> Mapping[str, float]:
        """All metrics, averaged over about ten iterations."""
        return self._smooth

    @property
    def auc(self) -> float:
        """The smoothed AUC that verdicts rest on: on held-out motion, if any."""
        # Decided by the newest metrics: a model resumed without held-out motion keeps the old AUC.
        name = "held_out_auc" if "held_out_auc" in self._newest else "disc_auc"
        return self._smooth.get(name, 0.5)

    @property
    def updates(self) -> int:
        """Number of iterations so far."""
        return self._updates

    @property
    def ready(self) -> bool:
        """Whether there were enough iterations for a verdict."""
        return self._updates >= WARM_UP

    @property
    def assessment(self) -> Assessment:
        """The current verdict with its reason and advice."""
        if not self.ready:
            return Assessment(Verdict.HEALTHY)
        return assess(self._smooth, self._newest, self.auc, self.undecided, self.layout)

    @property
    def verdict(self) -> Verdict:
        """The current verdict."""
        return self.assessment.verdict

    def to_json(self) -> dict[str, Any]:
        """JSON-able state without the layout, for `restore`."""
        return {
            "smooth": dict(self._smooth),
            "updates": self._updates,
            "newest": dict(self._newest),
        }

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Continue from a state of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: `stored` is not from `to_json`.
        """
        smooth, newest = (
            {str(name): float(value) for name, value in stored[key].items()}
            for key in ("smooth", "newest")
        )
        self._smooth, self._updates, self._newest = smooth, int(stored["updates"]), newest

    def update(self, metrics: Mapping[str, float]) -> Assessment:
        """Add one iteration's `amp/*` metrics and return the current assessment."""
        # Flags instead of amounts, so that one extreme iteration cannot outweigh ten others.
        metrics = {**metrics, "still": float(metrics.get("still", 0.0) > 0)}
        metrics["frozen"] = float(metrics.get("change", 1.0) < FROZEN_CHANGE)
        for name, value in metrics.items():
            self._smooth[name] = (1 - SMOOTHING) * self._smooth.get(name, value) + SMOOTHING * value
        # A verdict of a still column can outlast the last iteration with one: keep its details.
        kept = ("still_index", "still_auc", "still_value") if not metrics.get("still") else ()
        self._newest = metrics | {name: self._newest[name] for name in kept if name in self._newest}
        self._updates += 1
        return self.assessment
