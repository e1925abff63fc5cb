"""Health of the discriminator: figures of every iteration, computed inside `jit`, and what they say, in the seeds' words.

AMP fails in silence: a discriminator that tells policy and reference apart by one channel, or pays everybody the same, still
has a falling loss. Each verdict names the figure it rests on and what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from amp_sbx.common.metrics import auc
from amp_sbx.reference.layout import feature_name

NUM_SAMPLES = 1024  # of either side, each iteration
SMOOTHING = (
    0.1  # weight of the newest iteration in the figures that a verdict rests on: the last ten or so
)
WARM_UP = 15  # iterations before there is any verdict: a fresh discriminator tells nothing apart, and need not
SHORTCUT_AUC = 0.98  # of one feature alone
STILL_STD, MOVING_STD = 0.01, 0.1  # normalised: a feature that stands still, one that moves
MISMATCH_SHARE = 0.3  # of the policy's feature values outside the reference's range
FLAT_STD = 0.04  # of the style reward over a rollout, in units of what an undecided sample is paid: nothing to climb
POOR_MEAN = 0.1  # of the style reward, likewise: the policy is paid next to nothing
FROZEN_CHANGE = 1e-6  # of the parameters in an iteration, relative: float32 knows 1e-7
COLLAPSED_AUC = 0.55
MEMORISED_GAP = 0.15  # AUC on the reference that was learned, less that on what was held out


@dataclass(frozen=True)
class Verdict:
    """`name` is one of :data:`VERDICTS`; `reason` has the figures, `advice` what the tuning guide says."""

    name: str
    reason: str = ""
    advice: str = ""

    def __str__(self) -> str:
        return self.name if not self.reason else f"{self.name}: {self.reason}. {self.advice}"


# `amp/verdict` is the place in this list.
VERDICTS = (
    "healthy",
    "feature mismatch",
    "shortcut",
    "too strong",
    "collapsed",
    "memorised",
    "frozen",
)


def feature_separation(
    policy: Float[Array, "samples feature"], reference: Float[Array, "samples feature"]
) -> Float[Array, " feature"]:
    """AUC of each feature alone, by whichever direction tells the two apart: 0.5 (not at all) to 1 (always)."""
    areas = jax.vmap(auc, in_axes=1)(reference, policy)
    return jnp.maximum(areas, 1.0 - areas)


def outside_fraction(
    policy: Float[Array, "samples feature"],
    low: Float[Array, " feature"],
    high: Float[Array, " feature"],
) -> Float[Array, ""]:
    """Share of the policy's feature values that lie outside the reference's range."""
    return jnp.mean((policy < low) | (policy > high))


def still_features(
    policy: Float[Array, "samples feature"], reference: Float[Array, "samples feature"]
) -> Bool[Array, " feature"]:
    """Features that never change in the policy's samples and do in the reference's."""
    return (policy.std(axis=0) < STILL_STD) & (reference.std(axis=0) > MOVING_STD)


def figures(
    policy: Float[Array, "samples feature"],
    reference: Float[Array, "samples feature"],
    bounds: tuple[Float[Array, " feature"], Float[Array, " feature"]],
    made: Float[Array, "samples feature"] | None = None,
) -> dict[str, Float[Array, ""] | Int[Array, ""]]:
    """Of normalised features: `feature_auc` and `feature_index` of the one that alone separates best, `outside`, and `still`,
    how many stand still, with `still_index` and `still_auc` of the first of them.

    Args:
        made: the policy's as the environment makes them, where the discriminator sees some as mirror images: a feature that
            stands still is none any more among images of its partner.
    """
    separation = feature_separation(policy, reference)
    made = policy if made is None else made
    still = still_features(made, reference)
    first = jnp.argmax(still)
    alone = auc(reference[:, first], made[:, first])
    return {
        "feature_auc": separation.max(),
        "feature_index": jnp.argmax(separation),
        "outside": outside_fraction(policy, *bounds),
        "still": still.sum(),
        "still_index": first,
        "still_auc": jnp.maximum(alone, 1.0 - alone),
    }


@dataclass
class HealthMonitor:
    """Smooths the figures over iterations and says what they mean.

    Args:
        layout: of the features, as the environment declares it; it gives the shortcut its name. None: its column.
        undecided: what a sample is paid that could as well be real as fake (`AMPConfig.undecided_reward`).
    """

    layout: Mapping[str, Any] | None = None
    undecided: float = 0.5
    _smooth: dict[str, float] = field(default_factory=dict)
    _updates: int = 0
    _newest: Mapping[str, float] = field(default_factory=dict)

    @property
    def figures(self) -> Mapping[str, float]:
        """All figures, smoothed over the last ten iterations or so."""
        return self._smooth

    @property
    def auc(self) -> float:
        """The smoothed AUC that the discriminator is judged by: on what is held out, where anything is."""
        # By the newest figures: a model that went on without a held-out part has an old figure of it.
        return self._smooth.get(
            "held_out_auc" if "held_out_auc" in self._newest else "disc_auc", 0.5
        )

    @property
    def updates(self) -> int:
        """Iterations taken in."""
        return self._updates

    @property
    def ready(self) -> bool:
        """Whether there are enough iterations to judge by."""
        return self._updates >= WARM_UP

    def to_json(self) -> dict[str, Any]:
        """Everything but the layout; `restore` takes it back, and judges on as if never stopped."""
        return {
            "smooth": dict(self._smooth),
            "updates": self._updates,
            "newest": dict(self._newest),
        }

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Raises KeyError, TypeError or ValueError for anything that `to_json` does not give."""
        smooth, newest = (
            {str(name): float(value) for name, value in stored[key].items()}
            for key in ("smooth", "newest")
        )
        self._smooth, self._updates, self._newest = smooth, int(stored["updates"]), newest

    def update(self, metrics: Mapping[str, float]) -> Verdict:
        """Take in one iteration's `amp/*` figures; the verdict on the last few."""
        # Whether, not how many or how far: one iteration must not outweigh ten.
        metrics = {**metrics, "still": float(metrics.get("still", 0.0) > 0)}
        metrics["frozen"] = float(metrics.get("change", 1.0) < FROZEN_CHANGE)
        for name, value in metrics.items():
            self._smooth[name] = (1 - SMOOTHING) * self._smooth.get(name, value) + SMOOTHING * value
        # The smoothed share outlives the newest figure; what else is told of the feature has to, too.
        kept = ("still_index", "still_auc", "still_value") if not metrics.get("still") else ()
        self._newest = {
            **metrics,
            **{name: self._newest[name] for name in kept if name in self._newest},
        }
        self._updates += 1
        return self.verdict

    @property
    def verdict(self) -> Verdict:
        """The first that holds; those that are causes come before those that are effects."""
        f = self._smooth
        if not self.ready:
            return Verdict("healthy")
        name, still = (
            feature_name(self.layout, int(self._newest.get(key, 0)))
            for key in ("feature_index", "still_index")
        )
        held_out = self.auc
        if (
            f.get("frozen", 0.0) >= 0.5 and held_out <= SHORTCUT_AUC
        ):  # who knows all has nothing left to learn
            return Verdict(
                "frozen",
                f"an iteration changes its parameters by {self._newest.get('change', 0.0):.0e} of their size: it learns nothing",
                "A higher amp.disc_lr, or a higher amp.max_grad_norm.",
            )
        if f.get("still", 0.0) >= 0.5:
            auc_alone, value = (
                self._newest.get("still_auc", 1.0),
                round(self._newest.get("still_value", 0.0), 3) + 0.0,
            )
            return Verdict(
                "feature mismatch",
                f"{still} alone gives AUC {auc_alone:.2f}; the policy's values are always {value:g}, the reference's are not",
                "Look where the environment makes it; nothing may be filled with a constant.",
            )
        if f.get("outside", 0.0) > MISMATCH_SHARE:
            return Verdict(
                "feature mismatch",
                f"{f['outside']:.0%} of the policy's feature values lie outside the reference's range, {name} most apart",
                "Build both by the same feature settings, and compare them with `wildrobot motion check-features`.",
            )
        if f.get("feature_auc", 0.5) > SHORTCUT_AUC:
            return Verdict(
                "shortcut",
                f"{name} alone gives AUC {f['feature_auc']:.2f}",
                "Drop that channel until the policy's is alike, or mend the reference.",
            )
        learned = f.get("learned_auc", held_out)
        if "held_out_auc" in self._newest and learned - held_out > MEMORISED_GAP:
            return Verdict(
                "memorised",
                f"AUC {learned:.2f} on the reference it learned from, {held_out:.2f} on what was held out",
                "More reference, fewer amp.update_steps, a smaller amp.discriminator_hidden.",
            )
        poor = f.get("reward_mean", self.undecided) < POOR_MEAN * self.undecided
        if (
            f.get("reward_std", self.undecided) < FLAT_STD * self.undecided or poor
        ) and held_out > SHORTCUT_AUC:
            return Verdict(
                "too strong",
                f"AUC {held_out:.2f}, and what the policy does is paid {f['reward_mean']:.2f} +- {f['reward_std']:.3f} for style",
                "Fewer amp.update_steps, a lower amp.disc_lr, a higher amp.r1_gamma or amp.disc_input_noise_std.",
            )
        if held_out < COLLAPSED_AUC:
            return Verdict(
                "collapsed",
                f"AUC {held_out:.2f}: the discriminator tells nothing apart",
                "More amp.update_steps, a higher amp.disc_lr, a lower amp.r1_gamma. Or the policy has arrived.",
            )
        return Verdict("healthy")
