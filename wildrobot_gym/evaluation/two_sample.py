"""Classifier two-sample test (Lopez-Paz & Oquab 2017): can a classifier separate two sets?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jaxtyping import Array, Float, Int

from wildrobot_gym.evaluation.intervals import mean_interval

HIDDEN = (64, 64)
STEPS, BATCH, LEARNING_RATE = 1000, 256, 1e-3  # BATCH of each set at each step
NEITHER = -1
_MIN_STD = 1e-6


@dataclass(frozen=True, eq=False)
class SampleSet:
    """Samples of one side.

    Attributes:
        samples: The samples.
        halves: The half that each sample belongs to, 0 or 1. NEITHER: it is not used.
        groups: The episode or motion of each sample. The bootstrap draws groups, not samples.
    """

    samples: Float[np.ndarray, "n feature"]
    halves: Int[np.ndarray, " n"]
    groups: Int[np.ndarray, " n"]


def time_halves(groups: Int[np.ndarray, " n"], gap: int) -> Int[np.ndarray, " n"]:
    """Split the samples of each group into an earlier and a later half.

    Args:
        groups: The group of each sample. The samples of a group are in order of time.
        gap: Number of samples between the halves that belong to neither.

    Returns:
        The half of each sample. A group that is too short has samples in neither half.
    """
    halves = np.full(len(groups), NEITHER)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        count = max(len(rows) - gap, 0) // 2
        if count:
            halves[rows[:count]] = 0
            halves[rows[-count:]] = 1
    return halves


def two_sample_auc(policy: SampleSet, reference: SampleSet, seed: int = 0) -> dict[str, Any]:
    """AUC of classifiers that separate the reference from the policy.

    For each half, a classifier with two hidden layers of 64 learns from the other half. Each of the
    policy's groups has an AUC against the reference's samples of the same half. If a group is in
    both halves, its AUC is the mean of both.

    Args:
        policy: Samples of the policy.
        reference: Samples of the reference. They are not resampled.
        seed: Random seed of the classifiers.

    Returns:
        Mean and 95 % bootstrap interval over the policy's groups, None if a half is empty. 0.5: the
        sets cannot be separated. 1.0: they are separate. Below 0.5: one half misleads on the other.
    """
    sets = (policy, reference)
    if any((one.halves == half).sum() == 0 for one in sets for half in (0, 1)):
        return mean_interval(np.empty(0))
    ours, theirs = unseen_logits(policy, reference, seed)
    of_group: dict[int, list[float]] = {}
    for half in (0, 1):
        reference_logits = theirs[reference.halves == half]
        for group in np.unique(policy.groups[policy.halves == half]):
            own = ours[(policy.groups == group) & (policy.halves == half)]
            of_group.setdefault(int(group), []).append(auc(reference_logits, own))
    return mean_interval(np.array([np.mean(values) for values in of_group.values()]))


def auc(positive: Float[np.ndarray, " n"], negative: Float[np.ndarray, " m"]) -> float:
    """P(positive > negative) + P(positive = negative) / 2, from ranks (Mann & Whitney 1947)."""
    from scipy.stats import rankdata  # not at the top: it takes a second, before the first episode

    ranks = rankdata(np.concatenate([positive, negative]))
    n, m = len(positive), len(negative)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def unseen_logits(
    policy: SampleSet, reference: SampleSet, seed: int = 0
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]]:
    """Logits of belonging to the reference, each from the classifier of the other half.

    Both sets have equal weight, whatever their sizes. Features are standardized by what the
    classifier learns from.

    Args:
        policy: Samples of the policy.
        reference: Samples of the reference.
        seed: Random seed of the classifiers.

    Returns:
        Logits of the policy's and of the reference's samples; NaN for NEITHER.
    """
    sets = (policy, reference)
    logits = tuple(np.full(len(one.samples), np.nan) for one in sets)
    for half in (0, 1):
        learned = [one.samples[one.halves == 1 - half].astype(np.float64) for one in sets]
        mean = sum(part.mean(axis=0) for part in learned) / 2
        std = np.sqrt(sum(((part - mean) ** 2).mean(axis=0) for part in learned) / 2)
        std = np.maximum(std, _MIN_STD)
        rng = np.random.default_rng([seed, half])
        batches = np.stack(
            [rng.integers(len(part), size=(STEPS, BATCH)) for part in learned], axis=1
        )
        batches[:, 1] += len(learned[0])
        rows = ((np.concatenate(learned) - mean) / std).astype(np.float32)
        params = _fit(jax.random.PRNGKey(seed), rows, batches)
        for one, out in zip(sets, logits, strict=True):
            judged = one.halves == half
            out[judged] = _Classifier().apply(
                params, ((one.samples[judged] - mean) / std).astype(np.float32)
            )
    return logits[0], logits[1]


class _Classifier(nn.Module):
    """Logit of a sample to belong to the second set."""

    @nn.compact
    def __call__(self, x: Float[Array, "*b feature"]) -> Float[Array, "*b"]:
        for width in HIDDEN:
            x = nn.relu(nn.Dense(width)(x))
        return nn.Dense(1)(x)[..., 0]


@jax.jit
def _fit(key: Array, rows: Float[Array, "row feature"], batches: Int[Array, "step 2 batch"]) -> Any:
    """Parameters that Adam fits by the binary cross-entropy of batches of sample numbers."""
    optimizer = optax.adam(LEARNING_RATE)
    labels = jnp.repeat(jnp.array([0.0, 1.0]), BATCH)

    def loss(params: Any, ids: Int[Array, "2 batch"]) -> Float[Array, ""]:
        logits = _Classifier().apply(params, rows[ids.reshape(-1)])
        return optax.sigmoid_binary_cross_entropy(logits, labels).mean()

    def step(carry: Any, ids: Int[Array, "2 batch"]) -> tuple[Any, None]:
        params, state = carry
        updates, state = optimizer.update(jax.grad(loss)(params, ids), state)
        return (optax.apply_updates(params, updates), state), None

    params = _Classifier().init(key, rows[:1])
    (params, _), _ = jax.lax.scan(step, (params, optimizer.init(params)), batches)
    return params
