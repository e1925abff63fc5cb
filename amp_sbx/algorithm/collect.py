"""Collecting: the compiled call of every step, the one that bootstraps all time-outs, and the rollout they make up."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from gymnasium import spaces
from jaxtyping import Array, Float
from stable_baselines3.common.buffers import RolloutBuffer

from amp_sbx.algorithm.update import Rollout
from amp_sbx.common.errors import AMPError


@partial(jax.jit, static_argnums=(0, 1, 2))
def sample_actions(
    actor_apply: Callable,
    critic_apply: Callable,
    resample_noise: bool,
    actor_params: dict,
    critic_params: dict,
    observations: Float[Array, "env *obs"],
    key: Array,
    noise_key: Array,
) -> tuple[Array, Array, Array, Array, Array]:
    """Actions, their log-probabilities, values, and the advanced `(key, noise_key)` of the policy.

    The keys advance inside the call: splitting them outside costs as much as the forward pass of a small network.
    """
    if resample_noise:
        key, noise_key = jax.random.split(key)
    distribution = actor_apply(actor_params, observations)
    actions = distribution.sample(seed=noise_key)
    values = critic_apply(critic_params, observations).reshape(-1)
    return actions, distribution.log_prob(actions), values, key, noise_key


@partial(jax.jit, static_argnums=0)
def predict_values(
    critic_apply: Callable, critic_params: dict, observations: Float[Array, "batch *obs"]
) -> Array:
    """V of each observation, (batch,)."""
    return critic_apply(critic_params, observations).reshape(-1)


class TimeoutBootstrap:
    """Gathers the terminal observations of time-outs over a rollout and values them in one batched call.

    One call per time-out, as SBX does, costs 50-80 microseconds each, which a thousand environments that time out
    together turn into most of the rollout.
    """

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._envs: list[int] = []
        self._observations: list[Any] = []

    def record(self, step: int, env_ids: np.ndarray, infos: list[dict[str, Any]]) -> None:
        """Note those of the finished environments `env_ids` whose episode was cut by the time limit."""
        for index in env_ids.tolist():
            info = infos[index]
            if (
                info.get("TimeLimit.truncated", False)
                and info.get("terminal_observation") is not None
            ):
                self._steps.append(step)
                self._envs.append(index)
                self._observations.append(info["terminal_observation"])

    def values(
        self,
        shape: tuple[int, int],
        prepare: Callable[[np.ndarray], np.ndarray],
        value_fn: Callable[[np.ndarray], Array],
        gamma: float,
    ) -> Float[np.ndarray, "time env"]:
        """`gamma * V(terminal observation)` at each time-out, 0 elsewhere.

        The batch is padded to a power of two, so that `value_fn` is compiled for a handful of sizes only.
        """
        bootstrap = np.zeros(shape, dtype=np.float32)
        count = len(self._observations)
        if count:
            observations = prepare(np.stack(self._observations))
            padding = (1 << (count - 1).bit_length()) - count
            padded = np.concatenate([observations, np.repeat(observations[:1], padding, axis=0)])
            bootstrap[self._steps, self._envs] = gamma * np.asarray(value_fn(padded))[:count]
        return bootstrap


def make_rollout(
    buffer: RolloutBuffer,
    bootstraps: Sequence[np.ndarray] | None,
    last_observations: np.ndarray,
    last_dones: np.ndarray | None,
    amp_obs: np.ndarray | None,
) -> Rollout:
    """The buffer's arrays as the update wants them: float32 and int32, no copies but for those casts.

    `bootstraps`: of time-outs by the critic, and by the style's own where there is one.
    """
    if bootstraps is None or last_dones is None or not buffer.full:
        raise AMPError("train() was called before a rollout was collected; call learn().")

    def cast(array: np.ndarray) -> Any:
        return (
            array.astype(np.float32, copy=False)
            if np.issubdtype(array.dtype, np.floating)
            else array
        )

    actions: Any = cast(buffer.actions)
    if isinstance(buffer.action_space, spaces.Discrete):
        actions = actions[..., 0].astype(np.int32)
    arrays: dict[str, Any] = {
        "observations": cast(buffer.observations),
        "actions": actions,
        "rewards": buffer.rewards,
        "bootstrap": bootstraps[0],
        "style_bootstrap": bootstraps[1] if len(bootstraps) > 1 else None,
        "episode_starts": buffer.episode_starts,
        "values": buffer.values,
        "log_probs": buffer.log_probs,
        "last_observations": cast(last_observations),
        "last_dones": last_dones.astype(np.float32),
        "amp_obs": amp_obs,
    }
    return Rollout(**arrays)
