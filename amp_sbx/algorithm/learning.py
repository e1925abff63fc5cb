"""One learning iteration of an `AMPPPO`: builds its inputs, runs it, stores and logs the result."""

from dataclasses import replace
from typing import Any

import jax
import numpy as np
from gymnasium import spaces
from sbx.ppo.policies import CnnPolicy

from amp_sbx.algorithm.data import Critics, Hyperparameters, Rollout, Settings
from amp_sbx.algorithm.update import CAUSES, iteration_jit
from amp_sbx.common.errors import AMPError, NonFiniteError


def train_iteration(model: Any) -> None:
    """Learn from the collected rollout in one compiled call; see `AMPPPO.train`."""
    learner = model.learner
    rewards = model.rollout_buffer.rewards
    model.task_paid = model.task_paid or bool(rewards.any())
    hyper = hyperparameters(model, model.num_timesteps)
    if not model.task_paid:
        hyper = replace(hyper, task_weight=0.0)
    model.key, key = jax.random.split(model.key)
    actor_state, critics, amp_state, metrics = iteration_jit(
        compiled_settings(model),
        learner.compiled_config if learner else None,
        model.policy.actor_state,
        model._critics,
        learner.state if learner else None,
        make_rollout(model),
        learner.sampler if learner else None,
        hyper,
        key,
    )
    store_update(model, actor_state, critics, amp_state)
    finish_iteration(model, jax.device_get(metrics), hyper, rewards.size, float(rewards.mean()))


def compiled_settings(model: Any) -> Settings:
    """The settings that shape the compiled update."""
    return Settings(
        n_epochs=model.n_epochs,
        batch_size=model._batch_size,
        normalize_advantage=model.normalize_advantage,
        target_kl=model.target_kl,
        share_features_extractor=isinstance(model.policy, CnnPolicy),
    )


def hyperparameters(model: Any, num_timesteps: int) -> Hyperparameters:
    """The numbers of the iteration that ends at `num_timesteps`.

    The task weight is 0 instead until a task reward was paid: a separate critic's advantages are
    normalized, and for a task that never paid, they are only the critic's error, scaled up.
    """
    progress, learner = model._current_progress_remaining, model.learner
    adaptive = model.target_kl is not None
    rate = model.adaptive_lr.current_adaptive_lr if adaptive else model.lr_schedule(progress)
    clip_vf = model.clip_range_vf_schedule
    style_weight = learner.style_weight(num_timesteps) if learner else 0.0
    return Hyperparameters(
        learning_rate=float(rate),
        critic_learning_rate=model.critic_learning_rate,
        clip_range=model.clip_range_schedule(progress),
        clip_range_vf=None if clip_vf is None else clip_vf(progress),
        ent_coef=float(model.ent_coef),
        vf_coef=float(model.vf_coef),
        gamma=float(model.gamma),
        gae_lambda=float(model.gae_lambda),
        style_weight=float(style_weight),
        task_weight=learner.config.task_fraction(style_weight) if learner else 1.0,
    )


def store_update(model: Any, actor: Any, critics: Critics, amp_state: Any) -> None:
    """Put new states into the model. The discriminator's old one was donated."""
    model.policy.actor_state, model.policy.vf_state = actor, critics[0]
    if len(critics) > 1:
        model.style_critic = critics[1]
    if model.learner is not None:
        model.learner.state = amp_state


def finish_iteration(
    model: Any, metrics: dict, hyper: Hyperparameters, steps: int, task_reward: float
) -> None:
    """Check and log an iteration, and let the controllers judge it.

    Args:
        model: the algorithm, with the new states.
        metrics: what the update returned, on the host.
        hyper: the iteration's numbers.
        steps: environment steps of the rollout.
        task_reward: mean raw task reward per step.

    Raises:
        NonFiniteError: something was not finite, so that the update was not applied.
    """
    broken = sorted((name for name, ok in metrics["finite"].items() if not ok), key=CAUSES.index)
    if broken:
        raise NonFiniteError(
            f"NaN or infinity in: {', '.join(broken)}, in iteration "
            f"{model._n_updates // model.n_epochs + 1}, which ends at {model.num_timesteps:,} "
            "steps. This update was not applied, and all parameters are as before. Check the first "
            "item: the environment's numbers, or a learning rate that is too high."
        )
    if model.target_kl is not None:
        model.adaptive_lr.current_adaptive_lr = float(metrics["train"]["learning_rate"])
    model._n_updates += model.n_epochs
    _log(model, metrics, hyper, steps, task_reward)


def make_rollout(model: Any) -> Rollout:
    """The collected arrays as float32 and int32. Arrays of these types are not copied."""
    buffer, bootstraps, last_dones = (
        model.rollout_buffer,
        model._bootstrap,
        model._last_episode_starts,
    )
    if bootstraps is None or last_dones is None or not buffer.full:
        raise AMPError("train() was called before a rollout was collected; call learn() instead.")
    actions = _cast(buffer.actions)
    if isinstance(buffer.action_space, spaces.Discrete):
        actions = actions[..., 0].astype(np.int32)
    arrays: dict[str, Any] = {
        "observations": _cast(buffer.observations),
        "actions": actions,
        "rewards": buffer.rewards,
        "bootstrap": bootstraps[0],
        "style_bootstrap": bootstraps[1] if len(bootstraps) > 1 else None,
        "episode_starts": buffer.episode_starts,
        "values": buffer.values,
        "log_probs": buffer.log_probs,
        "last_observations": _cast(model.policy.prepare_obs(model._last_obs)[0]),
        "last_dones": last_dones.astype(np.float32),
        "amp_obs": None if model.learner is None else model._amp_obs,
    }
    if model.critic_obs:
        arrays |= {"critic_obs": model._critic_obs, "last_critic_obs": model._last_critic_obs}
    return Rollout(**arrays)


def _cast(array: np.ndarray) -> Any:
    floating = np.issubdtype(array.dtype, np.floating)
    return array.astype(np.float32, copy=False) if floating else array


def _log(model: Any, metrics: dict, hyper: Hyperparameters, steps: int, task_reward: float) -> None:
    record = model.logger.record
    for name, value in metrics["train"].items():
        record(f"train/{name}", float(value))
    log_std = model.policy.actor_state.params["params"].get("log_std")
    if log_std is not None:
        record("train/std", float(np.exp(np.asarray(log_std)).mean()))
    record("train/n_updates", model._n_updates, exclude="tensorboard")
    record("train/clip_range", hyper.clip_range)
    if hyper.clip_range_vf is not None:
        record("train/clip_range_vf", hyper.clip_range_vf)
    if model.learner is not None:
        amp = {name: float(value) for name, value in metrics["amp"].items()}
        amp |= model.learner.observe(
            amp, model.num_timesteps, steps, task_reward, model.ep_info_buffer
        )
        for name, value in amp.items():
            record(f"amp/{name}", value)
        record("amp/weight", hyper.style_weight)
