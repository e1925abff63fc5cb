"""Can anybody tell two lots of samples apart? A classifier two-sample test (Lopez-Paz & Oquab 2017), judged by AUC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jaxtyping import Array, Float, Int
from scipy.stats import rankdata

from wildrobot_gym.evaluation.intervals import mean_interval

HIDDEN = (64, 64)
STEPS, BATCH, LEARNING_RATE = 1000, 256, 1e-3  # BATCH of either lot a step
NEITHER = -1
_MIN_STD = 1e-6


@dataclass(frozen=True, eq=False)
class Lot:
    """Samples of one kind.

    Attributes:
        samples: (n, feature).
        halves: (n,) 0 or 1, the half a sample is of; NEITHER: it lies between the two and is used by none.
        groups: (n,) what belongs together (an episode, a motion): the bootstrap draws groups, not samples.
    """

    samples: Float[np.ndarray, "n feature"]
    halves: Int[np.ndarray, " n"]
    groups: Int[np.ndarray, " n"]


def time_halves(groups: Int[np.ndarray, " n"], gap: int) -> Int[np.ndarray, " n"]:
    """Earlier and later half of each group's samples, which lie in order of time; ``gap`` samples between are of neither.

    A group that is too short for one sample on either side is of neither half.
    """
    halves = np.full(len(groups), NEITHER)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        count = max(len(rows) - gap, 0) // 2
        if count:
            halves[rows[:count]] = 0
            halves[rows[-count:]] = 1
    return halves


def two_sample_auc(policy: Lot, reference: Lot, seed: int = 0) -> dict[str, Any]:
    """AUC with which fresh classifiers tell ``reference`` from ``policy`` on the half that they did not learn from.

    0.5: nobody can tell; 1.0: anybody can; under 0.5: what was learned on one half misleads on the other. For each half a
    classifier with two hidden layers of 64 learns from the other one, with a fixed budget. Each of the policy's groups has
    its AUC against the reference's samples of the same half (the mean of both, where it is in both); mean and 95 %
    bootstrap interval are over those groups (``bootstrap.mean_interval``). The reference is the yardstick and is not
    resampled. No figure (None) where a half is empty.
    """
    lots = (policy, reference)
    if any((lot.halves == half).sum() == 0 for lot in lots for half in (0, 1)):
        return mean_interval(np.empty(0))
    fake, real = unseen_logits(policy, reference, seed)
    of_group: dict[int, list[float]] = {}
    for half in (0, 1):
        yardstick = real[reference.halves == half]
        for group in np.unique(policy.groups[policy.halves == half]):
            own = fake[(policy.groups == group) & (policy.halves == half)]
            of_group.setdefault(int(group), []).append(auc(yardstick, own))
    return mean_interval(np.array([np.mean(values) for values in of_group.values()]))


def auc(positive: Float[np.ndarray, " n"], negative: Float[np.ndarray, " m"]) -> float:
    """P(positive > negative) + P(positive = negative) / 2, from the ranks of all (Mann & Whitney 1947)."""
    ranks = rankdata(np.concatenate([positive, negative]))
    n, m = len(positive), len(negative)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def unseen_logits(
    policy: Lot, reference: Lot, seed: int = 0
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]]:
    """Logits of being the reference's for all samples, each from the classifier that learned from the other half.

    The lots weigh the same whatever their sizes; features are standardised by what is learned from. NaN for NEITHER.
    """
    lots = (policy, reference)
    logits = tuple(np.full(len(lot.samples), np.nan) for lot in lots)
    for half in (0, 1):
        learned = [lot.samples[lot.halves == 1 - half].astype(np.float64) for lot in lots]
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
        for lot, out in zip(lots, logits, strict=True):
            judged = lot.halves == half
            out[judged] = _Classifier().apply(
                params, ((lot.samples[judged] - mean) / std).astype(np.float32)
            )
    return logits[0], logits[1]


class _Classifier(nn.Module):
    """Logit of being a sample of the second lot."""

    @nn.compact
    def __call__(self, x: Float[Array, "*b feature"]) -> Float[Array, "*b"]:
        for width in HIDDEN:
            x = nn.relu(nn.Dense(width)(x))
        return nn.Dense(1)(x)[..., 0]


@jax.jit
def _fit(key: Array, rows: Float[Array, "row feature"], batches: Int[Array, "step 2 batch"]) -> Any:
    """Parameters after Adam on the binary cross-entropy of ``batches`` of row numbers, the first lot's and the second's."""
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
