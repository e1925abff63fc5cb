"""The environments of a run as arrays, so that a resumed run sees the very steps the killed one would have seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from amp_sbx import AMPPPO, GymnasiumVecEnv
from wildrobot_gym.errors import RunError


def environment_state(model: AMPPPO) -> dict[str, np.ndarray]:
    """The environments, and what the algorithm remembers of them between two iterations (the rest is in its file)."""
    vec_env = model.env
    if not isinstance(vec_env, GymnasiumVecEnv):
        raise RunError(f"A run's environments are a GymnasiumVecEnv, got {type(vec_env).__name__}.")
    env: Any = vec_env.vector_env.unwrapped
    return {
        **{f"env_{name}": array for name, array in env.get_state().items()},
        "last_obs": np.asarray(model._last_obs),
        "last_episode_starts": np.asarray(model._last_episode_starts),
        "episode_returns": vec_env._episode_returns.copy(),
        "episode_lengths": vec_env._episode_lengths.copy(),
    }


def restore_environment(model: AMPPPO, arrays: dict[str, np.ndarray]) -> None:
    """The inverse of :func:`environment_state`; ``learn(reset_num_timesteps=False)`` then goes on without a reset."""
    vec_env: Any = model.env
    try:
        vec_env.vector_env.unwrapped.set_state(
            {
                name.removeprefix("env_"): array
                for name, array in arrays.items()
                if name.startswith("env_")
            }
        )
        model._last_obs, model._last_episode_starts = (
            arrays["last_obs"],
            arrays["last_episode_starts"],
        )
        vec_env._episode_returns[:] = arrays["episode_returns"]
        vec_env._episode_lengths[:] = arrays["episode_lengths"]
    except (KeyError, ValueError) as error:
        raise RunError(f"The checkpoint's environments do not fit this run: {error}") from error
