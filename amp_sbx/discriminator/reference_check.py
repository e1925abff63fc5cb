"""Checks that a reference is suitable, before anything is trained."""

import numpy as np

from amp_sbx.common.errors import FeatureError
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.normalizer import Normalizer
from amp_sbx.reference.features import ReferenceFeatures
from amp_sbx.reference.held_out import drawn_samples, hold_out
from amp_sbx.reference.layout import column_name

OUTLIER = 100.0
"""Largest distance from the median, in units of the range of 99 % of a column's values."""
CLIPPED_FRACTION = 0.01
"""Largest fraction of a column's drawn values that normalization may clip."""


def check_reference(
    config: AMPConfig, reference: ReferenceFeatures, normalizer: Normalizer
) -> None:
    """Check a reference before training.

    Args:
        config: AMP settings.
        reference: motion to imitate.
        normalizer: the normalizer in use; a resumed model keeps its own.

    Raises:
        FeatureError: the reference is shorter than a minibatch, has only one motion, or has values
            out of range.
    """
    learned, away = hold_out(reference, config.held_out_fraction)
    held = (
        f" (amp.held_out_fraction {config.held_out_fraction:g} takes the rest)"
        if away is not None
        else ""
    )
    if learned.num_samples < config.batch_size:
        raise FeatureError(
            f"the reference has {learned.num_samples:,} samples to learn from{held}, fewer than "
            f"amp.batch_size {config.batch_size:,}, so every step would see each of them several "
            f"times. Add motion, or set amp.batch_size to {learned.num_samples} or less."
        )
    if (
        learned.motion_ids is not None
        and len(motions := np.unique(learned.motion_ids)) == 1
        and not config.single_motion
    ):
        raise FeatureError(
            f"the reference has only one motion to learn from, motion_id {motions[0]} with "
            f"{learned.num_samples:,} samples{held}, so the policy can only learn to repeat it. "
            "Add motions. If one motion is intended, set amp.single_motion to true, "
            "or omit motion_ids."
        )
    _check_range(config, drawn_samples(reference), normalizer)


def _check_range(config: AMPConfig, reference: ReferenceFeatures, normalizer: Normalizer) -> None:
    samples, mean, std = reference.features, np.asarray(normalizer.mean), np.asarray(normalizer.std)
    low, middle, high = np.quantile(samples, (0.005, 0.5, 0.995), axis=0)
    span = np.maximum(high - low, config.feature_min_std * np.maximum(1.0, np.abs(middle)))
    far = np.abs(samples - middle) / span
    index, worst = np.unravel_index(far.argmax(), far.shape)
    if far[index, worst] > OUTLIER:
        raise FeatureError(
            f"{column_name(reference.layout, int(worst))} of the reference is "
            f"{samples[index, worst]:.3g} in sample {index}, but 99 % of its values lie within "
            f"{low[worst]:.3g} to {high[worst]:.3g}; allowed: {OUTLIER:g} times that range. "
            "Fix the motion, or remove that clip."
        )
    clipped = np.average(
        np.abs((samples - mean) / std) > normalizer.clip, axis=0, weights=reference.weights
    )
    worst = int(clipped.argmax())
    if clipped[worst] > CLIPPED_FRACTION:
        raise FeatureError(
            f"{column_name(reference.layout, worst)} lies beyond amp.feature_clip, "
            f"{normalizer.clip:g} standard deviations of {std[worst]:.3g} around "
            f"{mean[worst]:.3g}, in {clipped[worst]:.1%} of the reference's samples; "
            f"allowed: {CLIPPED_FRACTION:.0%}. Check that both use the same features in the same "
            "units. If they do, raise "
            "amp.feature_clip or amp.feature_min_std."
        )
