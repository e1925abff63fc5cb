"""Survival against the strength of a disturbance, and the picture of all suites."""

import numpy as np
import pytest

from wildrobot_gym.evaluation.intervals import wilson_interval
from wildrobot_gym.evaluation.plots.suites import suites_svg
from wildrobot_gym.evaluation.suites.catalog import DELAY, PUSH, SENSORS, STAND
from wildrobot_gym.evaluation.suites.curves import curves
from wildrobot_gym.evaluation.suites.results import RowResult, SuiteResult


def made_up(suite, survive, draws=None):
    """Results whose episodes survive where `survive(row, episode)` is true."""
    rows = []
    for row in suite.rows:
        good = np.array([float(survive(row, i)) for i in range(8)])
        others = {bar.metric: np.full(8, 0.01) for bar in suite.bars}
        rows.append(RowResult(row, others | {"survived": good, "success": good}, draws or {}))
    return SuiteResult(suite, 8, 1, tuple(rows))


def test_a_curve_over_the_strengths_of_rows():
    found = curves(made_up(PUSH, lambda row, i: i < 8 - 10 * row.strength))
    assert [(c.metric, c.standing) for c in found] == [
        ("survived", False),
        ("success", False),
        ("survived", True),
    ]
    assert found[0].strength.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert found[0].mean.tolist() == pytest.approx([7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8])
    assert (found[0].low[2], found[0].high[2]) == wilson_interval(5, 8)


def test_a_curve_over_a_drawn_value_has_four_parts_of_its_range():
    delays = np.array([0.0, 0.004, 0.012, 0.018, 0.022, 0.028, 0.034, 0.040])
    result = made_up(
        DELAY,
        lambda row, i: i != 7 and not (i == 6 and row.command[0] > 0.5),
        {"action_delay": delays},
    )
    survived = curves(result)[0]
    np.testing.assert_allclose(survived.strength, [0.005, 0.015, 0.025, 0.035])
    assert survived.mean.tolist() == [1.0, 1.0, 1.0, 0.25]  # of two rows together


def test_of_several_drawn_numbers_the_largest_counts():
    tilts = np.stack([np.linspace(-0.04, 0.04, 8), np.full(8, 0.001)], axis=1)
    found = curves(made_up(SENSORS, lambda row, i: 0 < i < 7, {"imu_tilt": tilts}))
    assert [c.mean[-1] for c in found if c.metric == "survived"] == [0.0, 0.0]
    assert found[0].mean[0] == 1.0
    assert curves(made_up(STAND, lambda row, i: True)) == []


def test_the_picture_says_what_survives():
    def run(good):
        return {s.name: made_up(s, lambda row, i: i < good) for s in (STAND, PUSH)}

    picture = suites_svg([run(8), run(6)], "suites")
    assert picture.startswith("<svg") and "var(--run1)" in picture
    assert "push: run 2 survives 0.75 in the worst row" in picture
    assert "velocity of a push, m/s" in picture
