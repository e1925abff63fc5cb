"""Reference motion as learning sees it: AMP observations with weights, motions and a layout."""

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from amp_sbx.common.errors import FeatureError
from amp_sbx.common.npy_members import check_sizes, read_member

LARGEST = 1e15  # of a feature; the squares of such still fit float32


@dataclass(frozen=True, eq=False)
class ReferenceFeatures:
    """AMP observations of the motion to imitate.

    Attributes:
        features: (num_samples, feature_dim) float32. Each sample is one `amp_obs`.
        weights: (num_samples,) float32, non-negative: how often a sample is drawn, relative to
            the others. None: all equally often.
        layout: JSON-able description of the channels (names, frames of reference, history). It
            must equal the environment's `amp_layout`.
        motion_ids: (num_samples,) integers: the motion that a sample belongs to. With ids, a
            minibatch holds samples of at least three motions, or of all if there are fewer.

    Raises:
        FeatureError: a wrong shape, fewer than two samples, or values that are not finite.

    Example:
        >>> reference = ReferenceFeatures(windows, motion_ids=ids, layout=env.amp_layout)
        >>> model = AMPPPO("MlpPolicy", env, amp={"weight": 0.4}, reference=reference)
    """

    features: np.ndarray
    weights: np.ndarray | None = None
    layout: dict[str, Any] | None = None
    motion_ids: np.ndarray | None = None

    def __post_init__(self) -> None:
        features = np.ascontiguousarray(self.features, dtype=np.float32)
        if features.ndim != 2 or features.shape[1] == 0:
            raise FeatureError(
                f"reference features have shape {features.shape}; expected (num_samples, "
                "feature_dim). Stack the clips' AMP observations along the first axis."
            )
        count = features.shape[0]
        if count < 2:
            raise FeatureError(
                f"the reference has {count} sample; at least 2 are needed for its statistics."
            )
        bad = np.flatnonzero(~(np.abs(features) <= LARGEST).all(axis=0))
        if bad.size:
            raise FeatureError(
                f"reference features have a NaN, or numbers beyond {LARGEST:g}, in columns "
                f"{bad[:10].tolist()}; fix the clip."
            )
        object.__setattr__(self, "features", features)
        if self.weights is not None:
            object.__setattr__(self, "weights", _checked_weights(self.weights, count))
        if self.motion_ids is not None:
            ids = np.asarray(self.motion_ids)
            if ids.shape != (count,) or not np.issubdtype(ids.dtype, np.integer):
                raise FeatureError(
                    f"reference motion_ids are {ids.dtype} of shape {ids.shape}; expected "
                    f"whole numbers ({count},)."
                )
            object.__setattr__(self, "motion_ids", ids)

    @classmethod
    def coerce(cls, value: Any) -> "ReferenceFeatures | None":
        """Convert what `AMPPPO(reference=...)` accepts.

        Args:
            value: None, `ReferenceFeatures`, a (num_samples, feature_dim) array, or an object
                whose method `reference_features()` returns a mapping of this class's arguments.

        Raises:
            FeatureError: anything else.
        """
        if value is None or isinstance(value, cls):
            return value
        if isinstance(value, np.ndarray):
            return cls(value)
        method = getattr(value, "reference_features", None)
        if callable(method):
            arguments = method()
            if isinstance(arguments, Mapping) and arguments.keys() <= set(cls.__annotations__):
                return cls(**arguments)
            raise FeatureError(
                f"{type(value).__name__}.reference_features() gave {_keys(arguments)}; it must "
                f"return a mapping with keys of {', '.join(cls.__annotations__)}."
            )
        raise FeatureError(
            f"reference is a {type(value).__name__}; allowed: ReferenceFeatures, a (num_samples, "
            "feature_dim) NumPy array, or an object with a method reference_features()."
        )

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> "ReferenceFeatures":
        """Read the arrays `features`, and if present `weights` and `motion_ids`, of an .npz file.

        Raises:
            FeatureError: there is no such file, or it is no reference.
        """
        where = f"reference {os.fspath(path)!r}"
        try:
            with zipfile.ZipFile(path) as archive:
                members = {i.filename.removesuffix(".npy"): i for i in archive.infolist()}
                check_sizes(members.values())
                arrays: dict[str, Any] = {
                    name: read_member(archive, info) for name, info in members.items()
                }
        except Exception as error:  # zipfile and zlib raise many kinds for a damaged file
            raise FeatureError(
                f"{where} cannot be read: {error}. Give the path of an .npz file with the array "
                "`features` (num_samples, feature_dim)."
            ) from error
        known = {"features", "weights", "motion_ids"}
        if "features" not in arrays or not arrays.keys() <= known:
            found = ", ".join(sorted(arrays)) or "none"
            raise FeatureError(
                f"{where} has the arrays {found}; allowed: features, with or without weights and "
                "motion_ids."
            )
        try:
            return cls(**arrays)
        except FeatureError as error:
            raise FeatureError(f"{where}: {error}") from error

    @property
    def num_samples(self) -> int:
        """Number of samples."""
        return int(self.features.shape[0])

    @property
    def feature_dim(self) -> int:
        """Number of columns of each sample."""
        return int(self.features.shape[1])

    def select(self, samples: np.ndarray) -> "ReferenceFeatures":
        """The samples of a boolean mask or of indices, with their weights and motions."""
        weights, ids = (None if a is None else a[samples] for a in (self.weights, self.motion_ids))
        return ReferenceFeatures(self.features[samples], weights, self.layout, ids)


def _checked_weights(given: np.ndarray, count: int) -> np.ndarray:
    weights = np.ascontiguousarray(given, dtype=np.float32)
    if weights.shape != (count,):
        raise FeatureError(f"reference weights have shape {weights.shape}; expected ({count},).")
    if not np.isfinite(weights).all() or (weights < 0).any() or weights.sum() <= 0:
        raise FeatureError("reference weights must be finite, non-negative and not all zero.")
    return weights


def _keys(arguments: Any) -> str:
    if isinstance(arguments, Mapping):
        return f"the keys {', '.join(map(str, arguments))}"
    return f"a {type(arguments).__name__}"


def check_layouts(
    ours: dict[str, Any] | None, theirs: dict[str, Any] | None, our_name: str, their_name: str
) -> None:
    """Raise `FeatureError` if two known layouts differ. A layout of None is not checked."""
    if ours is None or theirs is None:
        return
    # One of them may come from a JSON file, where tuples are lists.
    ours, theirs = json.loads(json.dumps(ours)), json.loads(json.dumps(theirs))
    if ours != theirs:
        keys = sorted(key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key))
        raise FeatureError(
            f"the AMP feature layouts differ in {keys}.\n  {our_name}: {ours}\n"
            f"  {their_name}: {theirs}\n"
            "Build the reference with the environment's own feature settings."
        )
