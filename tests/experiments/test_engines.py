"""A policy on two physics engines: which differences chance explains."""

import math

import numpy as np
import pytest

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.evaluation.intervals import wilson_interval
from wildrobot_gym.evaluation.suites.catalog import FLAT
from wildrobot_gym.evaluation.suites.results import RowResult, SuiteResult
from wildrobot_gym.experiments.engines import COMPARED, compare_engines, differences


def result(survived, slip):
    values = {name: np.full(16, 0.5) for name in COMPARED}
    values |= {"survived": np.arange(16) < survived, "slip": np.asarray(slip, float)}
    return SuiteResult(FLAT, 16, 1, (RowResult(FLAT.rows[0], values, {}),))


def of(first, second):
    return {d.metric: d for d in differences(first, second)}


def test_shares_agree_within_newcombes_interval():
    quiet = np.full(16, 0.02)
    same = of(result(16, quiet), result(14, quiet))["survived"]
    low, high = wilson_interval(16, 16)[0], wilson_interval(14, 16)[1]
    assert same.allowed == pytest.approx(math.hypot(1 - low, high - 14 / 16))
    assert same.agrees and (same.row, same.first, same.second) == ("0.2 m/s", 1.0, 0.875)
    assert not of(result(16, quiet), result(8, quiet))["survived"].agrees


def test_equal_episodes_agree_and_unequal_ones_do_not():
    spread = np.linspace(0.01, 0.03, 16)
    assert of(result(16, spread), result(16, spread + 0.001))["slip"].agrees
    apart = of(result(16, spread + 0.01), result(16, spread))["slip"]
    assert not apart.agrees and apart.allowed < 0.01


def test_a_metric_without_episodes_agrees_with_itself_alone():
    nothing, some = np.full(16, np.nan), np.full(16, 0.02)
    assert of(result(0, nothing), result(0, nothing))["slip"].agrees
    assert not of(result(0, nothing), result(0, some))["slip"].agrees


def test_two_engines_are_compared():
    with pytest.raises(ConfigError, match="two names"):
        compare_engines("walk", ("native",))
