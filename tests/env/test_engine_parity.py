"""Native against MJX, term by term, from ordinary resets of the environment.

Both engines draw the same starts from a seed. Ten control steps later they differ by rounding: MJX
computes in float32, MuJoCo in float64, and stiff contacts amplify that about a hundredfold.

Where a sole's corner meets the floor a physics step later on one engine, joint velocities differ by
0.1 rad/s at once. It takes about half a second until the first robot of 64 is there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from wildrobot_gym.env.vector_env import WildRobotVectorEnv

N = 4  # the size of test_vector_env.py: the compiled program is the same
SEEDS, STEPS = 8, 10
OBSERVATION, WINDOW = 2e-4, 5e-3  # a window's columns are scaled up, see the features
TERM, SPEED = 5e-5, 1e-4  # of a reward; m/s


@pytest.fixture(scope="module")
def differences() -> dict[str, Any]:
    """By name, the largest difference of each environment over all seeds and steps."""
    make = {"reset": {"stagger": False}, "num_threads": 1}
    engines = [WildRobotVectorEnv(N, 500, backend=b, **make) for b in ("native", "mjx")]
    found: dict[str, list[np.ndarray]] = {"start": []}

    def note(name: str, a: np.ndarray, b: np.ndarray) -> None:
        gap = np.abs(a.astype(np.float64) - b).reshape(N, -1).max(axis=1)
        found.setdefault(name, []).append(gap)

    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        note("start", *(env.reset(seed=seed)[0] for env in engines))
        for _ in range(STEPS):
            action = rng.uniform(-0.5, 0.5, (N, 9)).astype(np.float32)
            a, b = (env.step(action) for env in engines)
            note("observation", a[0], b[0])
            note("reward", a[1], b[1])
            note("ended", a[2] | a[3], b[2] | b[3])
            for name, values in a[4].items():
                note(name, values, b[4][name])
    return {name: np.max(gaps) for name, gaps in found.items()}


@pytest.mark.slow
def test_ordinary_resets_stay_together_for_ten_steps(differences: dict[str, Any]) -> None:
    exact = ("ended", "diverged", "is_success")
    allowed = {
        "start": 1e-6,
        "observation": OBSERVATION,
        "amp_obs": WINDOW,
        "reward": TERM,
        **dict.fromkeys(exact, 0.0),
        **dict.fromkeys(("forward_velocity", "velocity_error"), SPEED),
    }
    terms = [name for name in differences if name.startswith("reward_")]
    assert len(terms) >= 10
    allowed |= dict.fromkeys(terms, TERM)
    assert allowed.keys() == differences.keys()
    beyond = {name: gap for name, gap in differences.items() if gap > allowed[name]}
    assert not beyond
