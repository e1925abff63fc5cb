"""The discriminator's update of one iteration, as pure functions."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float

from amp_sbx.common.metrics import auc
from amp_sbx.common.shuffle import shuffled
from amp_sbx.discriminator import replay_buffer
from amp_sbx.discriminator.adapt import adapted_settings
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.health_metrics import NUM_SAMPLES, health_metrics
from amp_sbx.discriminator.objective import discriminator_loss
from amp_sbx.discriminator.replay_buffer import ReplayBuffer
from amp_sbx.discriminator.sampler import ReferenceSampler
from amp_sbx.discriminator.state import AMPState, make_optimizer, normalized_scores, visible

REPLAY_TURNOVER = 10
"""An iteration replaces at most a tenth of the replay buffer, so it spans at least ten of them."""


def train_discriminator(
    config: AMPConfig,
    state: AMPState,
    amp_obs: Float[Array, "samples feature"],
    reference: ReferenceSampler,
) -> tuple[AMPState, Float[Array, "new feature"], dict[str, Array]]:
    """`update_steps` optimizer steps on new and replayed policy samples and the reference.

    With `amp.adapt`, the number of steps, the learning rate and the penalty come from
    `state.adaptation`. They are traced, so a change compiles nothing.

    Args:
        config: AMP settings.
        state: the discriminator's state.
        amp_obs: this iteration's raw AMP observations of the policy.
        reference: sampler of the reference.

    Returns:
        `(state, samples for the replay buffer, metrics averaged over the steps)`. `commit` stores
        the samples once the whole update is known to be finite.
    """
    key, step_key, subset_key, health_key, reflect_key = jax.random.split(state.key, 5)
    new = state.normalizer(reference.reflect_half(reflect_key, amp_obs))
    optimizer = make_optimizer(config)
    adapted = adapted_settings(config, state.adaptation) if config.adapt else None

    def step(carry: tuple, step_key: Array) -> tuple[tuple, dict[str, Array]]:
        params, batch_stats, opt_state = carry
        real_key, policy_key, real_noise, policy_noise, gp_key = jax.random.split(step_key, 5)
        real = reference.sample(real_key, config.batch_size)
        policy = _draw_policy_samples(config, state.replay, new, policy_key)
        if config.disc_input_noise_std > 0:
            real += config.disc_input_noise_std * jax.random.normal(real_noise, real.shape)
            policy += config.disc_input_noise_std * jax.random.normal(policy_noise, policy.shape)
        gradient_fn = jax.value_and_grad(partial(discriminator_loss, config), has_aux=True)
        coefficient = None if adapted is None else adapted.penalty
        arguments = (params, batch_stats, real, policy, gp_key, state.mask, coefficient)
        (_, (batch_stats, metrics)), gradients = gradient_fn(*arguments)
        updates, opt_state = optimizer.update(gradients, opt_state, params)
        if adapted is not None:  # the steps of Adam and AdamW are linear in the rate
            updates = jax.tree.map(
                lambda update: update * (adapted.disc_lr / config.disc_lr), updates
            )
        return (optax.apply_updates(params, updates), batch_stats, opt_state), metrics

    carry = (state.params, state.batch_stats, state.opt_state)
    if adapted is None or config.adapt_bounds is None:
        carry, metrics = jax.lax.scan(step, carry, jax.random.split(step_key, config.update_steps))
        taken = None
    else:
        step_keys = jax.random.split(step_key, config.adapt_bounds.update_steps[1])
        taken = jnp.arange(len(step_keys)) < adapted.update_steps
        carry, metrics = jax.lax.scan(partial(_step_if, step), carry, (taken, step_keys))
    params, batch_stats, opt_state = carry
    change = optax.tree.norm(jax.tree.map(jnp.subtract, params, state.params)) / optax.tree.norm(
        state.params
    )

    state = replace(state, params=params, batch_stats=batch_stats, opt_state=opt_state, key=key)
    reduced = _over_steps(metrics, taken) | {"change": change}
    reduced |= _health(config, state, new, amp_obs, reference, jax.random.split(health_key, 3))
    # In the environment's own units.
    reduced["still_value"] = amp_obs[:, reduced["still_index"]].mean()
    num_new = min(amp_obs.shape[0], -(-config.replay_buffer_size // REPLAY_TURNOVER))
    kept = new[shuffled(subset_key, amp_obs.shape[0])[:num_new]]
    return state, kept, reduced


def _draw_policy_samples(config: AMPConfig, replay: ReplayBuffer, new: Array, key: Array) -> Array:
    """A batch of policy samples: `replay_buffer_ratio` of it replayed, the rest new."""
    new_key, replay_key = jax.random.split(key)
    batch = new[jax.random.randint(new_key, (config.batch_size,), 0, new.shape[0])]
    num_replayed = round(config.batch_size * config.replay_buffer_ratio)
    if config.replay_buffer_size == 0 or num_replayed == 0:
        return batch
    replayed = replay_buffer.sample(replay, replay_key, num_replayed)
    replayed = jnp.where(replay.size > 0, replayed, batch[:num_replayed])
    return jnp.concatenate([replayed, batch[num_replayed:]])


def _step_if(
    step: Callable, carry: tuple, given: tuple[Array, Array]
) -> tuple[tuple, dict[str, Array]]:
    """`step` if its flag is set; otherwise nothing is computed and the metrics are zeros."""
    taken, key = given
    shapes = jax.eval_shape(step, carry, key)[1]
    return jax.lax.cond(
        taken, step, lambda carry, _: (carry, jax.tree.map(jnp.zeros_like, shapes)), carry, key
    )


def _over_steps(metrics: dict[str, Array], taken: Bool[Array, " step"] | None) -> dict[str, Array]:
    """Means over the steps taken (None: all of them), and the extreme scores."""
    low, high = metrics["logit_min"], metrics["logit_max"]
    if taken is None:
        return {name: values.mean() for name, values in metrics.items()} | {
            "logit_min": low.min(),
            "logit_max": high.max(),
        }
    means = {
        name: jnp.where(taken, values, 0.0).sum() / taken.sum() for name, values in metrics.items()
    }
    return means | {
        "logit_min": jnp.where(taken, low, jnp.inf).min(),
        "logit_max": jnp.where(taken, high, -jnp.inf).max(),
    }


def _health(
    config: AMPConfig,
    state: AMPState,
    new: Float[Array, "samples feature"],
    amp_obs: Float[Array, "samples feature"],
    reference: ReferenceSampler,
    keys: Array,
) -> dict[str, Array]:
    """Metrics of this iteration's policy samples against the reference.

    Args:
        config: AMP settings.
        state: the state after the update.
        new: normalized policy samples, half of them mirrored with `amp.symmetry`.
        amp_obs: raw policy samples, none mirrored.
        reference: sampler of the reference.
        keys: three random keys.
    """
    drawn = jax.random.randint(keys[0], (NUM_SAMPLES,), 0, new.shape[0])
    policy = new[drawn]
    real = reference.sample(keys[1], NUM_SAMPLES)
    look = partial(visible, config, state.mask)
    unmirrored = None if reference.reflection is None else look(state.normalizer(amp_obs[drawn]))
    metrics = health_metrics(
        look(policy), look(real), (look(reference.low), look(reference.high)), unmirrored
    )
    if config.reintroduce:  # hidden columns are inside; count the visible ones only
        metrics["outside"] /= state.mask.mean()
    scores = normalized_scores(config, state, policy)
    # `disc_auc` is measured with input noise and replayed samples, this one without.
    metrics["learned_auc"] = auc(normalized_scores(config, state, real), scores)
    if reference.held_out is not None:
        unseen = reference.held_out.sample(keys[2], NUM_SAMPLES)
        metrics["held_out_auc"] = auc(normalized_scores(config, state, unseen), scores)
    return metrics


def all_finite(tree: Any) -> Bool[Array, ""]:
    """Whether every float in a pytree is finite."""
    checks = [
        jnp.isfinite(leaf).all()
        for leaf in jax.tree.leaves(tree)
        if jnp.issubdtype(leaf.dtype, jnp.inexact)
    ]
    return jnp.all(jnp.stack(checks)) if checks else jnp.array(True)


def commit(old: AMPState, new: AMPState, samples: Array, ok: Bool[Array, ""]) -> AMPState:
    """`new` with `samples` in its replay buffer if `ok`, else `old`. The buffer is not copied."""
    replay = replay_buffer.add(old.replay, samples, enabled=ok)
    keep = ("params", "batch_stats", "opt_state", "key")
    chosen = {
        name: jax.tree.map(partial(jnp.where, ok), getattr(new, name), getattr(old, name))
        for name in keep
    }
    return replace(old, replay=replay, **chosen)
