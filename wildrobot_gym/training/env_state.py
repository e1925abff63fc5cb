"""The environments of a run as arrays, from which a resumed run takes the same steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from amp_sbx import AMPPPO, GymnasiumVecEnv
from wildrobot_gym import npz_io
from wildrobot_gym.errors import RunError
from wildrobot_gym.files import atomic_write


def environment_state(model: AMPPPO) -> dict[str, np.ndarray]:
    """The environments, and what the algorithm remembers of them between two iterations.

    Raises:
        RunError: The model's environments are not a `GymnasiumVecEnv`.
    """
    vec_env = model.env
    if not isinstance(vec_env, GymnasiumVecEnv):
        raise RunError(f"A run's environments are a GymnasiumVecEnv, got {type(vec_env).__name__}.")
    model.gather_environments()
    env: Any = vec_env.vector_env.unwrapped
    critic = {"last_critic_obs": np.asarray(model._last_critic_obs)} if model.critic_obs else {}
    return {
        **{f"env_{name}": array for name, array in env.get_state().items()},
        "last_obs": np.asarray(model._last_obs),
        "last_episode_starts": np.asarray(model._last_episode_starts),
        "episode_returns": vec_env._episode_returns.copy(),
        "episode_lengths": vec_env._episode_lengths.copy(),
        **critic,
    }


def restore_environment(model: AMPPPO, arrays: dict[str, np.ndarray]) -> None:
    """Put back what `environment_state` gave.

    `learn(reset_num_timesteps=False)` then continues from there.

    Raises:
        RunError: The arrays are of other environments.
    """
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
        if model.critic_obs:
            model._last_critic_obs = arrays["last_critic_obs"]
        vec_env._episode_returns[:] = arrays["episode_returns"]
        vec_env._episode_lengths[:] = arrays["episode_lengths"]
    except (KeyError, ValueError) as error:
        raise RunError(f"The checkpoint's environments do not fit this run: {error}") from error


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write an .npz atomically; on a full disk an older file stays complete.

    Raises:
        RunError: It cannot be written.
    """
    try:
        with atomic_write(path) as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise RunError(f"Cannot write {path}: {error}. Free some space.") from error


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz; pickled objects are refused.

    Raises:
        RunError: It is missing or damaged.
    """
    remedy = "The checkpoint is damaged; delete it to use the one before."
    return npz_io.read(path, RunError, "state of environments", remedy)
