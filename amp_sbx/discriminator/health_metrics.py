"""Health metrics of the discriminator, computed every iteration inside `jit`."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from amp_sbx.common.metrics import auc

NUM_SAMPLES = 1024
"""Samples of the policy and of the reference that each iteration's metrics rest on."""
STILL_STD, MOVING_STD = 0.01, 0.1
"""Normalized spread below which a column stands still, and above which it moves."""


def column_separation(
    policy: Float[Array, "samples feature"], reference: Float[Array, "samples feature"]
) -> Float[Array, " feature"]:
    """AUC of each column alone, in whichever direction separates better.

    Returns:
        (feature,) values from 0.5 (no separation) to 1 (perfect separation).
    """
    areas = jax.vmap(auc, in_axes=1)(reference, policy)
    return jnp.maximum(areas, 1.0 - areas)


def outside_fraction(
    policy: Float[Array, "samples feature"],
    low: Float[Array, " feature"],
    high: Float[Array, " feature"],
) -> Float[Array, ""]:
    """Fraction of the policy's values outside the reference's range `low` to `high`."""
    return jnp.mean((policy < low) | (policy > high))


def still_columns(
    policy: Float[Array, "samples feature"], reference: Float[Array, "samples feature"]
) -> Bool[Array, " feature"]:
    """Columns that are constant in the policy's samples but move in the reference's."""
    return (policy.std(axis=0) < STILL_STD) & (reference.std(axis=0) > MOVING_STD)


def health_metrics(
    policy: Float[Array, "samples feature"],
    reference: Float[Array, "samples feature"],
    bounds: tuple[Float[Array, " feature"], Float[Array, " feature"]],
    unmirrored: Float[Array, "samples feature"] | None = None,
) -> dict[str, Float[Array, ""] | Int[Array, ""]]:
    """Compare normalized AMP observations of the policy and of the reference.

    Args:
        policy: AMP observations as the discriminator sees them.
        reference: AMP observations of the reference.
        bounds: lowest and highest reference value of each column.
        unmirrored: the policy's AMP observations before mirroring. Mirror images hide a column
            that stands still, because its partner's values take its place. None: same as `policy`.

    Returns:
        `feature_auc` and `feature_index` of the column that separates best alone, `outside` (see
        `outside_fraction`), `still` (number of still columns), and `still_index` and `still_auc`
        of the first still column.
    """
    separation = column_separation(policy, reference)
    unmirrored = policy if unmirrored is None else unmirrored
    still = still_columns(unmirrored, reference)
    first = jnp.argmax(still)
    alone = auc(reference[:, first], unmirrored[:, first])
    return {
        "feature_auc": separation.max(),
        "feature_index": jnp.argmax(separation),
        "outside": outside_fraction(policy, *bounds),
        "still": still.sum(),
        "still_index": first,
        "still_auc": jnp.maximum(alone, 1.0 - alone),
    }
