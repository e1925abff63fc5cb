"""What an asymmetric critic sees: the environments' `critic_obs`, in the infos.

It belongs to the observations beside it. Where an episode ended and the next one began, it is the
new episode's, and `final_info` has the terminal one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from amp_sbx.common.errors import FeatureError

CRITIC_OBS = "critic_obs"
CRITIC_DIM = "critic_dim"


def critic_width(env: VecEnv) -> int:
    """The width of `critic_obs` that the environments declare as `critic_dim`; 0 without."""
    declared = env.get_attr(CRITIC_DIM, indices=[0])[0] if env.has_attr(CRITIC_DIM) else 0
    return int(declared or 0)


def critic_observations(
    vec_env: VecEnv, infos: Sequence[dict[str, Any]], begun: np.ndarray, critic_dim: int
) -> np.ndarray:
    """What the critic sees beside the observations that the last reset or step returned.

    It comes from `vec_env.critic_obs` (also through SB3's wrappers) or else from the infos: those
    of the reset where an episode began, as SB3's own vector environments keep them.

    Args:
        vec_env: the environments.
        infos: infos of the last step by environment.
        begun: (num_envs,) bool, where an episode began; everywhere after a reset.
        critic_dim: the width that they declare.

    Returns:
        (num_envs, critic_dim) float32, a copy.

    Raises:
        FeatureError: an environment gives none, or another width.
    """
    batch = getattr(vec_env, CRITIC_OBS, None)
    rows = _of_each(vec_env, infos, begun) if batch is None else batch
    wanted = (vec_env.num_envs, critic_dim)
    shapes = {np.shape(rows)} if batch is not None else {(len(rows), *row.shape) for row in rows}
    if shapes != {wanted}:
        raise FeatureError(
            f"critic_obs of all environments has shape {max(shapes - {wanted})}; expected "
            f"{wanted}, as critic_dim of {type(vec_env.unwrapped).__name__} says."
        )
    return np.array(rows, np.float32)


def _of_each(
    vec_env: VecEnv, infos: Sequence[dict[str, Any]], begun: np.ndarray
) -> list[np.ndarray]:
    firsts = vec_env.unwrapped.reset_infos
    shown = [firsts[index] if first else infos[index] for index, first in enumerate(begun)]
    if missing := [index for index, info in enumerate(shown) if CRITIC_OBS not in info]:
        raise FeatureError(
            f"critic_obs is on, but the infos of environments {missing[:10]} have no 'critic_obs'. "
            "Return info['critic_obs'] from reset() and step(). To train without it, pass "
            "critic_obs=False."
        )
    return [np.asarray(info[CRITIC_OBS], np.float32) for info in shown]


def final_critic_obs(info: dict[str, Any], index: int) -> np.ndarray:
    """What the critic sees of the terminal observation of environment `index`, (critic_dim,).

    Raises:
        FeatureError: its info does not say it.
    """
    if CRITIC_OBS not in info:
        raise FeatureError(
            f"environment {index} timed out, and its last info has no 'critic_obs' for the "
            "terminal observation. Return it from every step(); a vector environment that "
            "restarts by itself gives it in final_info."
        )
    return np.asarray(info[CRITIC_OBS], np.float32)


def with_restarted(
    infos: dict[str, Any], firsts: dict[str, Any], begun: np.ndarray
) -> dict[str, Any]:
    """A step's infos, with `critic_obs` of restarted environments from the infos of their reset."""
    if CRITIC_OBS not in infos:
        return infos
    if CRITIC_OBS not in firsts:
        return infos | {f"_{CRITIC_OBS}": ~begun}
    merged = np.array(infos[CRITIC_OBS])
    merged[begun] = np.asarray(firsts[CRITIC_OBS])[begun]
    return infos | {CRITIC_OBS: merged}
