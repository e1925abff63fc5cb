"""Which columns alone separate a policy's AMP features from a reference's."""

from __future__ import annotations

import numpy as np
import pytest

from wildrobot_gym.evaluation.feature_check import SHORTCUT_KS, check_features


def test_the_most_telling_dimension_comes_first() -> None:
    rng = np.random.default_rng(0)
    policy, reference = rng.normal(size=(4000, 3)), rng.normal(size=(6000, 3))
    policy[:, 1] += 0.5
    policy[:, 2] = 0.0  # contacts that are never there
    checks = check_features(
        ("same", "shifted", "dead"), policy, reference + np.array([0.0, 0.0, 5.0])
    )
    assert [check.name for check in checks] == ["dead", "shifted", "same"]
    dead, shifted, same = checks
    assert dead.is_shortcut and dead.policy.zeros == 1.0 and dead.reference.zeros < 0.01
    # Two unit normals half a deviation apart: the best threshold lies between them.
    assert shifted.ks == pytest.approx(0.197, abs=0.03) and not shifted.is_shortcut
    assert same.ks < 0.05 and same.accuracy == pytest.approx(0.5, abs=0.03)
    assert shifted.policy.mean - shifted.reference.mean == pytest.approx(0.5, abs=0.1)


def test_what_counts_as_a_shortcut() -> None:
    half = np.linspace(0.0, 1.0, 1000)[:, None]
    apart = check_features(("x",), half, half + SHORTCUT_KS + 0.01)[0]
    overlapping = check_features(("x",), half, half + SHORTCUT_KS - 0.05)[0]
    assert apart.is_shortcut and not overlapping.is_shortcut
    assert apart.accuracy == pytest.approx((1 + SHORTCUT_KS) / 2, abs=0.01)
