"""Collects a rollout with one compiled call per step."""

from collections import deque
from functools import partial
from typing import Any

import jax
import numpy as np
from gymnasium import spaces
from jaxtyping import Array, Float
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from amp_sbx.algorithm.timeouts import TimeoutBootstrap
from amp_sbx.common.critic_infos import critic_observations
from amp_sbx.common.errors import AMPError
from amp_sbx.common.vec_infos import amp_observations, check_width


@partial(jax.jit, static_argnums=(0, 1, 2))
def sample_actions(
    actor_apply: Any,
    critic_apply: Any,
    resample_noise: bool,
    actor_params: dict,
    critic_params: dict,
    observations: Float[Array, "env *obs"],
    key: Array,
    noise_key: Array,
    critic_obs: Float[Array, "env critic"] | None = None,
) -> tuple[Array, Array, Array, Array, Array]:
    """Sample actions for one step.

    The keys advance inside the call: splitting them outside costs as much as a small network. The
    critic sees `critic_obs`, or the observations if it is None.

    Returns:
        `(actions, log_probs, values, key, noise_key)`.
    """
    if resample_noise:
        key, noise_key = jax.random.split(key)
    distribution = actor_apply(actor_params, observations)
    actions = distribution.sample(seed=noise_key)
    seen = observations if critic_obs is None else critic_obs
    values = critic_apply(critic_params, seen).reshape(-1)
    return actions, distribution.log_prob(actions), values, key, noise_key


@partial(jax.jit, static_argnums=0)
def predict_values(
    critic_apply: Any, critic_params: dict, observations: Float[Array, "batch *obs"]
) -> Array:
    """Values (batch,) of what the critic sees."""
    return critic_apply(critic_params, observations).reshape(-1)


def collect_rollout(
    model: Any,
    env: VecEnv,
    callback: BaseCallback,
    rollout_buffer: RolloutBuffer,
    n_rollout_steps: int,
) -> bool:
    """Fill a rollout buffer; see `AMPPPO.collect_rollouts`.

    Events come in SBX's order, and callbacks see its local names. Rewards are stored raw.
    """
    if model._last_obs is None or (model.critic_obs and model._last_critic_obs is None):
        raise AMPError("collect_rollouts() was called before a reset; call learn() instead.")
    policy, n_envs = model.policy, env.num_envs
    is_box = isinstance(model.action_space, spaces.Box)
    low, high = (model.action_space.low, model.action_space.high) if is_box else (None, None)
    timeouts = TimeoutBootstrap(critic_obs=model.critic_obs)
    n_steps = 0
    rollout_buffer.reset()
    if model.use_sde:
        policy.reset_noise()
    callback.on_rollout_start()

    while n_steps < n_rollout_steps:
        resample = (
            not model.use_sde
            or not is_box
            or (model.sde_sample_freq > 0 and n_steps % model.sde_sample_freq == 0)
        )
        obs_tensor, _ = policy.prepare_obs(model._last_obs)
        *sampled, policy.key, policy.noise_key = sample_actions(
            policy.actor_state.apply_fn,
            policy.vf_state.apply_fn,
            resample,
            policy.actor_state.params,
            policy.vf_state.params,
            obs_tensor,
            policy.key,
            policy.noise_key,
            model._last_critic_obs,
        )
        actions, log_probs, values = (np.array(x) for x in jax.device_get(sampled))
        actions = actions.reshape(n_envs, *model.action_space.shape)
        # The environment gets clipped actions; the buffer keeps the sampled ones, as in SB3.
        clipped_actions = np.clip(actions, low, high) if is_box else actions
        # Stored before the step, because an environment may reuse its observation buffer.
        rollout_buffer.observations[n_steps] = obs_tensor.reshape(
            rollout_buffer.observations.shape[1:]
        )
        if model.critic_obs:
            model._critic_obs = _stored(model._critic_obs, model, n_steps, model._last_critic_obs)

        new_obs, rewards, dones, infos = env.step(clipped_actions)
        model.num_timesteps += n_envs
        callback.update_locals(locals() | {"self": model})
        if not callback.on_step():
            return False

        done_ids = np.flatnonzero(dones)
        if done_ids.size:
            model._update_info_buffer([infos[index] for index in done_ids], dones[done_ids])
            timeouts.record(n_steps, done_ids, infos)
        if model.learner is not None:
            _store_amp_obs(model, env, infos, n_steps)
        rollout_buffer.actions[n_steps] = actions.reshape(n_envs, -1)
        rollout_buffer.rewards[n_steps] = rewards
        rollout_buffer.episode_starts[n_steps] = model._last_episode_starts
        rollout_buffer.values[n_steps] = values
        rollout_buffer.log_probs[n_steps] = log_probs
        n_steps += 1
        rollout_buffer.pos = n_steps
        model._last_obs, model._last_episode_starts = new_obs, dones
        see_for_critic(model, env, infos)

    rollout_buffer.full = True
    model._bootstrap = [
        timeouts.values(
            rollout_buffer.rewards.shape,
            np.asarray if model.critic_obs else lambda seen: policy.prepare_obs(seen)[0],
            partial(predict_values, critic.apply_fn, critic.params),
            model.gamma,
        )
        for critic in model._critics
    ]
    callback.update_locals(locals() | {"self": model})
    callback.on_rollout_end()
    return True


def _store_amp_obs(model: Any, env: VecEnv, infos: list[dict[str, Any]], step: int) -> None:
    amp_obs = amp_observations(env, infos, env.num_envs)
    check_width(amp_obs, model.learner.feature_dim)
    model._amp_obs = _stored(model._amp_obs, model, step, amp_obs)


def _stored(array: np.ndarray | None, model: Any, step: int, rows: np.ndarray) -> np.ndarray:
    """A rollout's array (time, env, column) with the rows of a step; made where it does not fit."""
    shape = (model.n_steps, *rows.shape)
    if array is None or array.shape != shape:
        array = np.zeros(shape, dtype=np.float32)
    array[step] = rows
    return array


def see_for_critic(model: Any, env: VecEnv, infos: list[dict[str, Any]] | None = None) -> None:
    """Keep what the critic sees beside the model's last observations.

    Args:
        model: the algorithm.
        env: its environments.
        infos: infos of the last step; None after a reset.
    """
    if model.critic_obs:
        begun = model._last_episode_starts  # after a reset all
        model._last_critic_obs = critic_observations(
            env, infos or [{}] * env.num_envs, begun, model.critic_inputs.dim
        )


def collect_amp_obs(model: Any) -> np.ndarray:
    """AMP observations of one more rollout; see `AMPPPO.collect_amp_observations`."""
    env = model.env
    if model._last_obs is None:
        model._last_obs = env.reset()
        model._last_episode_starts = np.ones(env.num_envs, dtype=bool)
        see_for_critic(model, env)
    kept = model.num_timesteps, model.ep_info_buffer, model.ep_success_buffer
    model.ep_info_buffer, model.ep_success_buffer = deque(), deque()
    try:
        callback = model._init_callback(None)
        collect_rollout(model, env, callback, model.rollout_buffer, model.n_steps)
    finally:
        model.num_timesteps, model.ep_info_buffer, model.ep_success_buffer = kept
    return np.array(model._amp_obs).reshape(-1, model.learner.feature_dim)
