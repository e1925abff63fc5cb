"""JSON form of Gymnasium's observation and action spaces."""

from typing import Any

import numpy as np
from gymnasium import spaces

from amp_sbx.common.errors import CheckpointError, shortened


def _numbers(array: np.ndarray) -> list[float | str]:
    """The numbers of an array. JSON has no infinity; it becomes text, which float() reads."""
    return [
        value if np.isfinite(value) else str(value)
        for value in np.asarray(array, np.float64).reshape(-1).tolist()
    ]


def space_to_json(space: spaces.Space) -> dict[str, Any]:
    """JSON form of a space, for `space_from_json`.

    Raises:
        CheckpointError: no Box, Discrete, MultiDiscrete or MultiBinary space.
    """
    if isinstance(space, spaces.Box):
        limits = {"low": _numbers(space.low), "high": _numbers(space.high)}
        return {"type": "Box", "shape": list(space.shape), "dtype": str(space.dtype), **limits}
    if isinstance(space, spaces.Discrete):
        return {"type": "Discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiDiscrete):
        start, dtype = np.asarray(space.start).tolist(), str(space.dtype)
        return {
            "type": "MultiDiscrete",
            "nvec": np.asarray(space.nvec).tolist(),
            "start": start,
            "dtype": dtype,
        }
    if isinstance(space, spaces.MultiBinary):
        shape: Any = space.n  # a number, or one per dimension
        return {"type": "MultiBinary", "n": int(shape) if np.ndim(shape) == 0 else list(shape)}
    raise CheckpointError(
        f"a {type(space).__name__} space cannot be stored; allowed: Box, Discrete, MultiDiscrete, "
        "MultiBinary."
    )


def space_from_json(data: dict[str, Any]) -> spaces.Space:
    """The space that `space_to_json` described.

    Raises:
        CheckpointError: the description is invalid.
    """
    try:
        kind = data["type"]
        if kind == "Box":
            shape, dtype = tuple(data["shape"]), np.dtype(data["dtype"])
            low, high = (
                np.array([float(x) for x in data[key]]).reshape(shape).astype(dtype)
                for key in ("low", "high")
            )
            return spaces.Box(low, high, shape, dtype.type)
        if kind == "Discrete":
            return spaces.Discrete(data["n"], start=data["start"])
        if kind == "MultiDiscrete":
            return spaces.MultiDiscrete(
                data["nvec"], np.dtype(data.get("dtype", "int64")).type, start=data.get("start")
            )
        if kind == "MultiBinary":
            return spaces.MultiBinary(data["n"])
    except (KeyError, TypeError, ValueError) as error:
        # Short, so that there is room for the file's name.
        space, reason = shortened(repr(data), 200), shortened(str(error), 150)
        raise CheckpointError(f"the stored space {space} cannot be rebuilt: {reason}.") from error
    raise CheckpointError(f"unknown space type {shortened(repr(kind), 200)} in the checkpoint.")
