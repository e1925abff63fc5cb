"""Distances of gait cycles against values by hand and against all possible paths."""

import itertools

import numpy as np
import pytest

from wildrobot_gym.evaluation import distances
from wildrobot_gym.evaluation.distances import cheapest_paths, nearest_distances


def column(*values: float) -> np.ndarray:
    return np.array(values)[:, None]


def test_distances_by_hand():
    """0 1 2 against 0 2: the cheapest path has three cells and costs 1 at one of them."""
    dtw, frechet = nearest_distances([column(0, 1, 2)], [column(0, 2)])
    assert (dtw[0], frechet[0]) == (pytest.approx(1 / 3), 1.0)


def test_a_frames_distance_is_the_root_mean_square_over_joints():
    dtw, frechet = nearest_distances([np.zeros((5, 2))], [np.tile([3.0, 4.0], (7, 1))])
    assert dtw[0] == frechet[0] == pytest.approx(np.sqrt(12.5))


def test_a_slower_copy_is_no_further_away():
    cycle = np.random.default_rng(0).normal(size=(9, 3))
    np.testing.assert_array_equal(
        nearest_distances([cycle], [np.repeat(cycle, 2, axis=0)]), [[0.0], [0.0]]
    )


def test_each_cycle_has_its_own_nearest_and_padding_does_not_count():
    rng = np.random.default_rng(1)
    cycles = [rng.normal(size=(length, 2)) for length in (4, 11, 7)]
    together = np.array(nearest_distances(cycles, [cycles[2], cycles[0]]))
    np.testing.assert_allclose(together[:, [0, 2]], 0.0, atol=1e-12)
    alone = np.array(
        [nearest_distances([cycles[1]], [other]) for other in (cycles[2], cycles[0])]
    ).min(axis=0)
    np.testing.assert_allclose(together[:, [1]], alone)
    assert (together[1] >= together[0]).all()
    assert np.isnan(nearest_distances(cycles, [])).all()


def test_many_cycles_are_compared_in_chunks(monkeypatch):
    rng = np.random.default_rng(3)
    cycles, references = (
        [rng.normal(size=(n, 2)) for n in lengths] for lengths in ((3, 8, 5, 6, 4), (7, 2, 6, 5))
    )
    whole = nearest_distances(cycles, references)
    monkeypatch.setattr(distances, "CHUNK", 2)
    np.testing.assert_array_equal(nearest_distances(cycles, references), whole)


def test_the_path_is_the_best_of_all():
    cost = np.random.default_rng(2).random((4, 3, 1))
    paths = []
    for steps in itertools.chain.from_iterable(
        itertools.product([(1, 0), (0, 1), (1, 1)], repeat=k) for k in range(3, 6)
    ):
        cells = [(0, 0), *np.cumsum(steps, axis=0)]
        if tuple(cells[-1]) == (3, 2) and all(i <= 3 and j <= 2 for i, j in cells):
            paths.append([cost[i, j, 0] for i, j in cells])
    total, length = cheapest_paths(cost, np.add)
    best = min(paths, key=sum)
    assert total[3, 2, 0] == pytest.approx(sum(best)) and length[3, 2, 0] == len(best)
    assert cheapest_paths(cost, np.maximum)[0][3, 2, 0] == min(max(path) for path in paths)
