"""Split of a reference into samples to learn from and held-out samples to judge by."""

from typing import Any

import numpy as np

from amp_sbx.reference.features import ReferenceFeatures


def held_out_motions(motion_ids: Any, fraction: float) -> np.ndarray:
    """Motions to hold out: about `fraction` of the distinct ids, evenly spread, at least one.

    Args:
        motion_ids: numbers or names of motions, in any order and repeated.
        fraction: fraction of the motions.

    Returns:
        The chosen ids. Empty if `fraction` is 0 or there is only one motion.
    """
    motions = np.unique(np.asarray(motion_ids))
    if fraction == 0 or len(motions) < 2:
        return motions[:0]
    count = max(1, round(fraction * len(motions)))
    return np.unique(motions[np.linspace(0, len(motions) - 1, count + 2).round().astype(int)[1:-1]])


def drawn_samples(reference: ReferenceFeatures) -> ReferenceFeatures:
    """The reference without samples of weight 0, which are never drawn."""
    if reference.weights is None or (reference.weights > 0).all():
        return reference
    return reference.select(reference.weights > 0)


def hold_out(
    reference: ReferenceFeatures, fraction: float
) -> tuple[ReferenceFeatures, ReferenceFeatures | None]:
    """Split a reference into samples to learn from and about `fraction` of them to judge by.

    Whole motions are held out, because neighboring samples are nearly the same. If fewer than two
    motions would remain, the last samples of each motion are held out instead; without motion ids,
    the last samples of all. Neither part has samples of weight 0.

    Returns:
        `(learned, held_out)`. `held_out` is None if `fraction` is 0 or there are too few samples.
    """
    reference = drawn_samples(reference)
    if fraction == 0:
        return reference, None
    ids = reference.motion_ids
    if (
        ids is not None
        and len(np.unique(ids)) - len(chosen := held_out_motions(ids, fraction)) >= 2
    ):
        away = np.isin(ids, chosen)
    else:
        away = np.zeros(reference.num_samples, bool)
        motions = np.zeros(reference.num_samples, int) if ids is None else ids
        for motion in np.unique(motions):
            samples = np.flatnonzero(motions == motion)
            away[samples[round((1.0 - fraction) * len(samples)) :]] = True
    if away.sum() < 2 or (~away).sum() < 2:
        return reference, None
    return reference.select(~away), reference.select(away)


def with_mirror_images(
    reference: ReferenceFeatures, ids: np.ndarray, signs: np.ndarray
) -> ReferenceFeatures:
    """The reference followed by the mirror image of each sample, `signs * sample[ids]`.

    An image has its sample's weight and motion.
    """
    weights, motions = (
        None if a is None else np.tile(a, 2) for a in (reference.weights, reference.motion_ids)
    )
    features = np.concatenate([reference.features, signs * reference.features[:, ids]])
    return ReferenceFeatures(features, weights, reference.layout, motions)
