"""The environment with everything that can be randomized, and all disturbances."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from wildrobot_gym.experiments.bench.cases import Workload
from wildrobot_gym.experiments.bench.everything import EVERYTHING
from wildrobot_gym.training.config import RunConfig
from wildrobot_gym.training.model import make_vec_env


def randomized_case(config: RunConfig, work: Workload) -> Callable[[], float]:
    """Prepare the environment with all of it on.

    Args:
        config: The run config whose environment is used.
        work: The states to start from and the actions to repeat.

    Returns:
        A function that steps it through the actions, and returns its speed.
    """
    env: Any = make_vec_env(config, **EVERYTHING).vector_env.unwrapped
    env.reset(seed=0)
    physics = {name: x for name, x in work.state.items() if name.startswith("physics_")}
    state = env.get_state() | physics

    def run() -> float:
        env.set_state(state)
        began = time.perf_counter()
        for actions in work.actions:
            env.step(actions)
        steps: int = work.actions.shape[0] * env.num_envs
        return steps / (time.perf_counter() - began)

    run()  # compiles
    return run
