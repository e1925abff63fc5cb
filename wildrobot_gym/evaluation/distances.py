"""How far apart the joint trajectories of gait cycles are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import cdist

from wildrobot_gym.evaluation.cycles import Cycle

CHUNK = 64  # cycles at once on either side; bounds the memory


def nearest_distances(
    cycles: Sequence[Cycle], references: Sequence[Cycle]
) -> tuple[Float[np.ndarray, " cycle"], Float[np.ndarray, " cycle"]]:
    """Distances of each gait cycle to the nearest reference cycle.

    The distance of two frames is the root mean square of their joint angles' differences, in rad.
    Dynamic time warping (Sakoe & Chiba 1978) takes its mean along the cheapest path. The discrete
    Frechet distance (Eiter & Mannila 1994) is the smallest possible maximum along a path.

    Args:
        cycles: The cycles.
        references: The reference cycles.

    Returns:
        Time warping distances and Frechet distances in rad, each to its own nearest reference; NaN
        if there are no references.
    """
    if not references:
        return np.full(len(cycles), np.nan), np.full(len(cycles), np.nan)
    nearest = np.full((2, len(cycles)), np.inf)
    padded = [
        _padded(references[first : first + CHUNK]) for first in range(0, len(references), CHUNK)
    ]
    for first in range(0, len(cycles), CHUNK):
        ours = _padded(cycles[first : first + CHUNK])
        rows = nearest[:, first : first + CHUNK]
        for theirs in padded:
            np.minimum(rows, _chunk_distances(*ours, *theirs), out=rows)
    return nearest[0], nearest[1]


def _chunk_distances(
    ours: np.ndarray, our_lengths: np.ndarray, theirs: np.ndarray, their_lengths: np.ndarray
) -> Float[np.ndarray, "2 cycle"]:
    """Both distances of each of `ours` to the nearest of `theirs`."""
    (n, a, joints), (m, b, _) = ours.shape, theirs.shape
    apart = cdist(ours.reshape(-1, joints), theirs.reshape(-1, joints)) / np.sqrt(joints)
    cost = np.ascontiguousarray(apart.reshape(n, a, m, b).transpose(1, 3, 0, 2)).reshape(
        a, b, n * m
    )
    ends = (np.repeat(our_lengths, m) - 1, np.tile(their_lengths, n) - 1, np.arange(n * m))
    total, length = cheapest_paths(cost, np.add)
    dtw = total[ends] / length[ends]
    total, _ = cheapest_paths(cost, np.maximum)
    return np.stack([dtw, total[ends]]).reshape(2, n, m).min(axis=2)


def cheapest_paths(
    cost: Float[np.ndarray, "a b pair"], combine: Callable[..., np.ndarray]
) -> tuple[Float[np.ndarray, "a b pair"], Int[np.ndarray, "a b pair"]]:
    """The cheapest monotone path from cell (0, 0) to each cell.

    A path takes a step in one sequence, in the other, or in both.

    Args:
        cost: Cost of each cell, for many pairs of sequences.
        combine: np.add for time warping, np.maximum for the Frechet distance.

    Returns:
        The combined cost of each path, and its number of cells.
    """
    a, b, pairs = cost.shape
    total = np.full((a + 1, b + 1, pairs), np.inf)
    length = np.zeros((a + 1, b + 1, pairs), np.int32)
    total[0, 0] = 0.0  # costs are not negative, so it is neutral to both ways of combining
    for i in range(a):
        for j in range(b):
            best, cells = total[i, j], length[i, j]  # of equal ones the diagonal step
            for k, m in ((i, j + 1), (i + 1, j)):
                better = total[k, m] < best
                best, cells = (
                    np.where(better, total[k, m], best),
                    np.where(better, length[k, m], cells),
                )
            combine(best, cost[i, j], out=total[i + 1, j + 1])
            length[i + 1, j + 1] = cells + 1
    return total[1:, 1:], length[1:, 1:]


def _padded(
    cycles: Sequence[Cycle],
) -> tuple[Float[np.ndarray, "cycle time joint"], Int[np.ndarray, " cycle"]]:
    """All cycles in one array, padded with zeros that no path passes, and their lengths."""
    lengths = np.array([len(cycle) for cycle in cycles])
    out = np.zeros((len(cycles), lengths.max(), cycles[0].shape[1]))
    for row, cycle in zip(out, cycles, strict=True):
        row[: len(cycle)] = cycle
    return out, lengths
