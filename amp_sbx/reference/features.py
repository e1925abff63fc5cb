"""Reference motion as learning sees it: rows of AMP features, with optional weights and the layout they follow."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from amp_sbx.common.errors import FeatureError


@dataclass(frozen=True, eq=False)
class ReferenceFeatures:
    """Feature vectors of the motion to imitate.

    Attributes:
        features: (num_samples, feature_dim) float32; a row is what the environment calls `amp_obs` for one transition.
        weights: (num_samples,) float32, non-negative, how often a row is drawn; None for uniform.
        motion_ids: (num_samples,) whole numbers, which motion a row is of; a minibatch then holds rows of at least three motions
            (of all, where there are fewer). None: the rows are one lot.
        layout: JSON-able description of the channels (names, frames, history). It must equal the environment's.

    Raises:
        FeatureError: not 2-D, fewer than 2 samples, not finite, or weights or motion ids that do not fit.
    """

    features: np.ndarray
    weights: np.ndarray | None = None
    layout: dict[str, Any] | None = None
    motion_ids: np.ndarray | None = None

    def __post_init__(self) -> None:
        features = np.ascontiguousarray(self.features, dtype=np.float32)
        if features.ndim != 2 or features.shape[1] == 0:
            raise FeatureError(
                f"reference features have shape {features.shape}; expected (num_samples, feature_dim). "
                "Stack the clips' features along the first axis."
            )
        if features.shape[0] < 2:
            raise FeatureError(
                f"reference has {features.shape[0]} sample; at least 2 are needed for its statistics."
            )
        bad = np.flatnonzero(~np.isfinite(features).all(axis=0))
        if bad.size:
            raise FeatureError(
                f"reference features are not finite in channels {bad[:10].tolist()}; mend the clip."
            )
        object.__setattr__(self, "features", features)
        if self.weights is not None:
            weights = np.ascontiguousarray(self.weights, dtype=np.float32)
            if weights.shape != (features.shape[0],):
                raise FeatureError(
                    f"reference weights have shape {weights.shape}; expected ({features.shape[0]},)."
                )
            if not np.isfinite(weights).all() or (weights < 0).any() or weights.sum() <= 0:
                raise FeatureError(
                    "reference weights must be finite, non-negative and not all zero."
                )
            object.__setattr__(self, "weights", weights)
        if self.motion_ids is not None:
            ids = np.asarray(self.motion_ids)
            if ids.shape != (features.shape[0],) or not np.issubdtype(ids.dtype, np.integer):
                raise FeatureError(
                    f"reference motion_ids are {ids.dtype} of shape {ids.shape}; expected whole numbers ({features.shape[0]},)."
                )
            object.__setattr__(self, "motion_ids", ids)

    @classmethod
    def coerce(
        cls, value: "ReferenceFeatures | np.ndarray | Any | None"
    ) -> "ReferenceFeatures | None":
        """None and a `ReferenceFeatures` as they are; an array, or an object with the same attributes, wrapped."""
        if value is None or isinstance(value, cls):
            return value
        if hasattr(value, "features"):
            return cls(
                value.features,
                *(getattr(value, name, None) for name in ("weights", "layout", "motion_ids")),
            )
        try:
            return cls(np.asarray(value, dtype=np.float32))
        except (TypeError, ValueError) as error:
            if isinstance(error, FeatureError):
                raise
            raise FeatureError(
                f"reference is a {type(value).__name__}; give ReferenceFeatures or a (num_samples, feature_dim) array."
            ) from error

    @property
    def num_samples(self) -> int:
        return self.features.shape[0]

    @property
    def feature_dim(self) -> int:
        return self.features.shape[1]


def held_out_motions(motion_ids: Any, fraction: float) -> np.ndarray:
    """Of the distinct ids in `motion_ids` (numbers or names) about `share`, one at least, evenly spread over them in their order.

    Empty where `share` is 0 or there is one motion alone.
    """
    motions = np.unique(np.asarray(motion_ids))
    if fraction == 0 or len(motions) < 2:
        return motions[:0]
    count = max(1, round(fraction * len(motions)))
    return np.unique(motions[np.linspace(0, len(motions) - 1, count + 2).round().astype(int)[1:-1]])


def drawn_rows(reference: ReferenceFeatures) -> ReferenceFeatures:
    """Without the rows of weight 0, which are never drawn."""
    if reference.weights is None or (reference.weights > 0).all():
        return reference
    return _rows(reference, reference.weights > 0)


def hold_out(
    reference: ReferenceFeatures, fraction: float
) -> tuple[ReferenceFeatures, ReferenceFeatures | None]:
    """Rows to learn from, and about `share` of all to judge by; None where `share` is 0 or there are too few rows.

    Neither has rows of weight 0. Whole motions where they are known, evenly spread over them, for neighbouring rows are nearly
    the same. Each motion's last rows where two motions at least would not be left to learn from, the last of all where motions
    are not known.
    """
    reference = drawn_rows(reference)
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
            rows = np.flatnonzero(motions == motion)
            away[rows[round((1.0 - fraction) * len(rows)) :]] = True
    if away.sum() < 2 or (~away).sum() < 2:
        return reference, None
    return _rows(reference, ~away), _rows(reference, away)


def with_images(
    reference: ReferenceFeatures, ids: np.ndarray, signs: np.ndarray
) -> ReferenceFeatures:
    """The reference and the mirror image of every row, of the same motion and weight: `signs * row[ids]`."""
    weights, motions = (
        None if a is None else np.tile(a, 2) for a in (reference.weights, reference.motion_ids)
    )
    features = np.concatenate([reference.features, signs * reference.features[:, ids]])
    return ReferenceFeatures(features, weights, reference.layout, motions)


def _rows(reference: ReferenceFeatures, rows: np.ndarray) -> ReferenceFeatures:
    weights, ids = (
        None if a is None else a[rows] for a in (reference.weights, reference.motion_ids)
    )
    return ReferenceFeatures(reference.features[rows], weights, reference.layout, ids)


def check_layouts(
    ours: dict[str, Any] | None, theirs: dict[str, Any] | None, our_name: str, their_name: str
) -> None:
    """Raise `FeatureError` with both layouts when the two are known and differ. An unknown one cannot be checked."""
    if ours is None or theirs is None:
        return
    # One side may have been through a JSON file, where tuples become lists.
    ours, theirs = json.loads(json.dumps(ours)), json.loads(json.dumps(theirs))
    if ours != theirs:
        keys = sorted(key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key))
        raise FeatureError(
            f"the AMP feature layouts differ in {keys}.\n  {our_name}: {ours}\n  {their_name}: {theirs}\n"
            "Build the reference with the environment's own feature settings."
        )
