import numpy as np

from wildrobot_gym.evaluation.intervals import mean_interval


def test_interval_is_that_of_the_normal_limit():
    values = np.random.default_rng(3).normal(2.0, 1.0, 400)
    interval = mean_interval(values)
    half = 1.96 * values.std() / np.sqrt(400)
    assert interval["mean"] == values.mean()
    np.testing.assert_allclose(
        [interval["low"], interval["high"]], values.mean() + np.array([-half, half]), atol=0.01
    )


def test_same_values_same_interval():
    values = np.arange(10.0)
    assert mean_interval(values) == mean_interval(values.copy())


def test_constant_and_missing_values():
    assert mean_interval(np.ones(5)) == {"mean": 1.0, "low": 1.0, "high": 1.0, "n": 5}
    assert mean_interval(np.array([np.nan, 2.0, np.nan]))["mean"] == 2.0
    assert mean_interval(np.array([np.nan])) == {"mean": None, "low": None, "high": None, "n": 0}
