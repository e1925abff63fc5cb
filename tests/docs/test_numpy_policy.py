"""The NumPy policies of the documentation act as `predict` does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from doc_blocks import blocks

from wildrobot_gym.training.policy import LoadedPolicy


@pytest.fixture(scope="module")
def documented() -> dict[str, Any]:
    """What the page's blocks define."""
    namespace: dict[str, Any] = {}
    for block in blocks("python"):
        if block.page.name == "share.md":
            exec(block.code, namespace)
    return namespace


def observations(policy: LoadedPolicy) -> np.ndarray:
    """Observations of robots under a policy, with noise on its actions."""
    rng, joints = np.random.default_rng(0), policy.model.action_space.shape[0]
    env = policy.make_vec_env(16)
    obs, _ = env.reset(seed=0)
    seen = [obs]
    for _ in range(49):
        actions = policy(seen[-1]) + rng.normal(0, 0.3, (16, joints))
        seen.append(env.step(actions.clip(-1, 1).astype(np.float32))[0])
    env.close()
    return np.concatenate(seen)


@pytest.mark.parametrize(
    ("way", "name", "function"),
    [("mean", "policy", "act"), ("equivariant", "walk", "act_equivariant")],
)
def test_they_act_as_predict_does(
    documented: dict[str, Any], way: str, name: str, function: str
) -> None:
    policy = documented[name]
    assert policy.model.symmetric_policy == way
    seen = observations(policy)
    expected = policy(seen)
    assert expected.std() > 0.1 and (np.abs(expected) < 1).mean() > 0.5  # real actions
    np.testing.assert_allclose(documented[function](seen), expected, rtol=0, atol=1e-6)


def test_the_layers_alone_are_another_policy(documented: dict[str, Any]) -> None:
    """What the page warns of."""
    seen = observations(documented["policy"])
    alone = np.clip(documented["layers"](seen), -1, 1)
    assert np.abs(alone - documented["act"](seen)).max() > 0.1
