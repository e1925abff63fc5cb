"""The NumPy policies of the documentation act as `predict` does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from doc_blocks import blocks


@pytest.fixture(scope="module")
def documented() -> dict[str, Any]:
    """What the page's blocks define."""
    namespace: dict[str, Any] = {}
    for block in blocks("python"):
        if block.page.name == "share.md":
            exec(block.code, namespace)
    return namespace


@pytest.fixture(scope="module")
def observations(documented: dict[str, Any]) -> np.ndarray:
    """Observations of robots under the shipped policy, with noise on its actions."""
    policy, rng = documented["policy"], np.random.default_rng(0)
    env = policy.make_vec_env(16)
    obs, _ = env.reset(seed=0)
    seen = [obs]
    for _ in range(49):
        actions = policy(seen[-1]) + rng.normal(0, 0.3, (16, 9))
        seen.append(env.step(actions.clip(-1, 1).astype(np.float32))[0])
    env.close()
    return np.concatenate(seen)


@pytest.mark.parametrize(("way", "function"), [("mean", "act"), ("equivariant", "act_equivariant")])
def test_they_act_as_predict_does(
    documented: dict[str, Any], observations: np.ndarray, way: str, function: str
) -> None:
    model = documented["policy"].model if way == "mean" else documented["model"]
    assert model.symmetric_policy == way
    expected = model.predict(observations, deterministic=True)[0]
    assert expected.std() > 0.1 and (np.abs(expected) < 1).mean() > 0.5  # real actions
    np.testing.assert_allclose(documented[function](observations), expected, rtol=0, atol=1e-6)


def test_the_layers_alone_are_another_policy(
    documented: dict[str, Any], observations: np.ndarray
) -> None:
    """What the page warns of."""
    alone = np.clip(documented["layers"](observations), -1, 1)
    assert np.abs(alone - documented["act"](observations)).max() > 0.1
