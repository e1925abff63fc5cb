"""Metrics of a window by hand, and each gate at its bound."""

from __future__ import annotations

import numpy as np
import pytest
from performances import performance

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.motion.mining import GATE_NAMES, Gates
from wildrobot_gym.motion.mining.window_metrics import read_signals, window_metrics
from wildrobot_gym.robot import RobotModel

GOOD = {
    "load_mean": 1.0,
    "load_p10": 0.9,
    "harness_p90": 0.02,
    "harness_p95": 0.03,
    "harness_saturated": 0.0,
    "unloaded": 0.0,
    "pitch_p95": 5.0,
    "roll_p95": 5.0,
    "slip": 0.01,
    "saturation": 0.0,
}


def metrics_of(robot: RobotModel, change: object = None) -> dict[str, float]:
    """Metrics of one window of 50 frames."""
    signals = read_signals(robot, performance(robot, 50, change))  # type: ignore[arg-type]
    return {
        name: float(value[0]) for name, value in window_metrics(signals, np.array([0]), 50).items()
    }


def windows(**changes: float) -> dict[str, np.ndarray]:
    return {name: np.array([value]) for name, value in (GOOD | changes).items()}


def test_a_quiet_window(robot: RobotModel) -> None:
    metrics = metrics_of(robot)
    for name in ("load_mean", "load_p10", "load_p95"):
        assert metrics.pop(name) == pytest.approx(1.0)
    assert not any(metrics.values())


def test_load(wildrobot: RobotModel) -> None:
    """Ten of fifty frames at half the weight: mean 0.9, p10 0.5, a fifth unloaded."""

    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays["pad_forces"][:10] /= 2

    metrics = metrics_of(wildrobot, change)
    assert metrics["load_mean"] == pytest.approx(0.9)
    assert metrics["load_p10"] == pytest.approx(0.5)
    assert metrics["unloaded"] == pytest.approx(0.2)


def test_harness_counts_force_and_torque(wildrobot: RobotModel) -> None:
    """0.05 m g up and a couple worth 0.03 m g at hip height, half of it about either axis'
    diagonal.
    """

    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays["harness"][:, 2] = 0.05 * wildrobot.weight
        arrays["harness"][:, 3:5] = 0.03 * wildrobot.weight * wildrobot.leg_length / np.sqrt(2)
        arrays["harness_saturated"][:5] = True

    metrics = metrics_of(wildrobot, change)
    for name in ("harness_mean", "harness_p90", "harness_p95"):
        assert metrics[name] == pytest.approx(0.08)
    assert metrics["harness_saturated"] == pytest.approx(0.1)


def test_tilt(wildrobot: RobotModel) -> None:
    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays["qpos"][:25, 3:7] = [np.cos(np.deg2rad(10)), 0.0, np.sin(np.deg2rad(10)), 0.0]
        arrays["qpos"][25:, 3:7] = [np.cos(np.deg2rad(15)), -np.sin(np.deg2rad(15)), 0.0, 0.0]

    metrics = metrics_of(wildrobot, change)
    assert metrics["pitch_p95"] == pytest.approx(20.0, abs=1e-3)
    assert metrics["roll_p95"] == pytest.approx(30.0, abs=1e-3)


def test_slip_and_alternation(wildrobot: RobotModel) -> None:
    """The right foot is up for 20 frames; the left one slides for 8: 8 of 50 + 30 loaded
    foot-frames, 20 of 50 alternate.
    """

    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays["pad_forces"][:20, 2:] = 0.0
        arrays["pad_speed"][:20, 2:] = 1.0  # nobody cares how fast a foot in the air is.
        arrays["pad_speed"][:8, :2] = [0.15, 0.06]  # 0.105 m/s weighted by load

    metrics = metrics_of(wildrobot, change)
    assert metrics["slip"] == pytest.approx(8 / 80)
    assert metrics["alternation"] == pytest.approx(0.4)


def test_saturation(wildrobot: RobotModel) -> None:
    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays["torque"][:, 3] = -3.93
        arrays["torque"][:, 4] = 3.91

    assert metrics_of(wildrobot, change)["saturation"] == pytest.approx(1 / 9)


def test_bounds_are_the_plans() -> None:
    gates = Gates()
    assert [getattr(gates, name) for name in GATE_NAMES] == [
        0.85,
        0.60,
        0.15,
        0.10,
        0.05,
        0.10,
        25.0,
        25.0,
        0.15,
        0.10,
    ]
    assert (gates.window, gates.stride, gates.shortest) == (50, 10, 20)


@pytest.mark.parametrize("name", GATE_NAMES)
def test_each_gate_at_its_bound(name: str) -> None:
    gates = Gates()
    bound, worse = getattr(gates, name), -1e-6 if name.startswith("load") else 1e-6
    assert gates.passed(windows())[0] and gates.closeness(windows())[0] == 1.0
    assert gates.passed(windows(**{name: bound}))[0]
    failed = gates.failed(windows(**{name: bound + worse}))
    assert [gate for gate, values in failed.items() if values[0]] == [name]
    assert not gates.passed(windows(**{name: np.nan}))[0]


def test_closeness_is_that_of_the_worst_gate() -> None:
    assert Gates().closeness(windows(slip=0.30, unloaded=0.12))[0] == pytest.approx(0.5)
    assert Gates().closeness(windows(load_mean=0.17))[0] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("changes", "score"),
    [
        ({}, 3.0),
        ({"load_mean": 0.94}, 2.0),
        ({"slip": 0.06}, 2.0),
        ({"roll_p95": 16.0}, 2.0),
        ({"harness_p95": 0.085}, 2.0),
        ({"load_mean": 0.9, "slip": 0.1, "pitch_p95": 20.0, "harness_p95": 0.1}, -1.0),
    ],
)
def test_quality_score(changes: dict[str, float], score: float) -> None:
    assert Gates().score(windows(**changes))[0] == score


def test_bounds_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"gates\.slip is -0\.1"):
        Gates(slip=-0.1)
    with pytest.raises(ConfigError, match="shortest 60"):
        Gates(shortest=60)
