"""What makes a reference unfit to learn from, found before anything is trained."""

import numpy as np

from amp_sbx.common.errors import FeatureError
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.normalizer import Normalizer
from amp_sbx.reference.features import ReferenceFeatures
from amp_sbx.reference.held_out import drawn_samples, hold_out
from amp_sbx.reference.layout import column_name

OUTLIER = 100.0  # times the range that 99 % of a feature's rows span: a torn frame, which would rule its mean and spread
CLIPPED_SHARE = 0.01  # of what is drawn, of one feature


def check_reference(
    config: AMPConfig, reference: ReferenceFeatures, normalizer: Normalizer
) -> None:
    """Raise `FeatureError` for a reference that is shorter than a minibatch, of one motion alone, or out of range.

    The normaliser is that in force: a resumed model's, whatever the reference is now.
    """
    learned, away = hold_out(reference, config.held_out_fraction)
    held = (
        f" (amp.held_out_fraction {config.held_out_fraction:g} takes the rest)"
        if away is not None
        else ""
    )
    if learned.num_samples < config.batch_size:
        raise FeatureError(
            f"the reference has {learned.num_samples:,} rows to learn from{held}, fewer than amp.batch_size"
            f" {config.batch_size:,}: every step of the discriminator would see each of them several times. Give it more motion,"
            f" or set amp.batch_size to {learned.num_samples} or less."
        )
    if (
        learned.motion_ids is not None
        and len(motions := np.unique(learned.motion_ids)) == 1
        and not config.single_motion
    ):
        raise FeatureError(
            f"the reference has one motion alone to learn from, motion_id {motions[0]} with {learned.num_samples:,} rows{held}:"
            " a minibatch cannot be mixed, and the policy can only learn to repeat it. Give it more motions; or, where one is"
            " meant, set amp.single_motion to true, or leave out motion_ids (motion_ids=None)."
        )
    _check_range(config, drawn_samples(reference), normalizer)


def _check_range(config: AMPConfig, reference: ReferenceFeatures, normalizer: Normalizer) -> None:
    rows, mean, std = reference.features, np.asarray(normalizer.mean), np.asarray(normalizer.std)
    low, middle, high = np.quantile(rows, (0.005, 0.5, 0.995), axis=0)
    span = np.maximum(high - low, config.feature_min_std * np.maximum(1.0, np.abs(middle)))
    far = np.abs(rows - middle) / span
    row, worst = np.unravel_index(far.argmax(), far.shape)
    if far[row, worst] > OUTLIER:
        raise FeatureError(
            f"{column_name(reference.layout, int(worst))} of the reference is {rows[row, worst]:.3g} in row {row}, and within"
            f" {low[worst]:.3g} ... {high[worst]:.3g} in 99 % of them; allowed: {OUTLIER:g} times that range. Mend the motion, or"
            " leave out that clip."
        )
    clipped = np.average(
        np.abs((rows - mean) / std) > normalizer.clip, axis=0, weights=reference.weights
    )
    worst = int(clipped.argmax())
    if clipped[worst] > CLIPPED_SHARE:
        raise FeatureError(
            f"{column_name(reference.layout, worst)} lies beyond amp.feature_clip, {normalizer.clip:g} standard deviations of"
            f" {std[worst]:.3g} around {mean[worst]:.3g}, in {clipped[worst]:.1%} of the reference's rows; allowed:"
            f" {CLIPPED_SHARE:.0%}. Are reference and statistics of the same features, in the same units? Else raise"
            " amp.feature_clip or amp.feature_min_std."
        )
