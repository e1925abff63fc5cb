"""The discriminator's learning state, and as pure functions its scores, rewards and update: for `update` and `learner`."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import struct
from jaxtyping import Array, Bool, Float

from amp_sbx.common.metrics import auc, discriminator_metrics
from amp_sbx.discriminator import health, replay_buffer
from amp_sbx.discriminator.adapt import Drive, in_force
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.losses import DISCRIMINATOR_LOSSES, scores_and_r1, wgan_gp
from amp_sbx.discriminator.network import Discriminator, init_discriminator, score_in_chunks
from amp_sbx.discriminator.normalizer import Normalizer
from amp_sbx.discriminator.replay_buffer import ReplayBuffer
from amp_sbx.discriminator.rewards import STYLE_REWARDS, probability_of_real
from amp_sbx.discriminator.sampler import ReferenceSampler

REPLAY_TURNOVER = 10
"""An iteration writes at most a tenth of the replay buffer, so that it always spans ten iterations or more."""


@struct.dataclass
class AMPState:
    """Everything about the discriminator that changes while training, and the fixed normaliser.

    `mask` and `drive` are changed between updates only, by `AMPLearner.observe`.
    """

    params: dict
    batch_stats: dict
    opt_state: Any
    replay: ReplayBuffer  # normalised features, all of them: masked only where they are looked at
    normalizer: Normalizer
    key: Array
    mask: Float[Array, " feature"]  # 1: the discriminator sees it; 0: not yet (`reintroduce`)
    drive: Drive


def make_discriminator(config: AMPConfig) -> Discriminator:
    return Discriminator(config.discriminator_hidden, config.normalization, config.activation)


def make_optimizer(config: AMPConfig) -> optax.GradientTransformation:
    """Adam, or AdamW, behind a clip of the global gradient norm (over all layers together, not per element)."""
    adam = (
        optax.adamw(config.disc_lr, weight_decay=config.weight_decay)
        if config.weight_decay
        else optax.adam(config.disc_lr)
    )
    return optax.chain(optax.clip_by_global_norm(config.max_grad_norm), adam)


@partial(jax.jit, static_argnums=0)  # op by op it would compile each layer's initialiser on its own
def init_state(config: AMPConfig, normalizer: Normalizer, key: Array) -> AMPState:
    """Fresh discriminator, optimiser and empty replay buffer for the normaliser's feature width."""
    key, init_key = jax.random.split(key)
    feature_dim = normalizer.mean.shape[0]
    params, batch_stats = init_discriminator(make_discriminator(config), feature_dim, init_key)
    return AMPState(
        params=params,
        batch_stats=batch_stats,
        opt_state=make_optimizer(config).init(params),
        replay=replay_buffer.init(config.replay_buffer_size, feature_dim),
        normalizer=normalizer,
        key=key,
        mask=jnp.ones(feature_dim, jnp.float32),
        drive=Drive.neutral(),
    )


def discriminator_scores(
    config: AMPConfig, state: AMPState, features: Float[Array, "samples feature"]
) -> Float[Array, " samples"]:
    """The discriminator's output for raw (not normalised) features. Changes nothing."""
    return score_in_chunks(lambda rows: _score(config, state, state.normalizer(rows)), features)


def _score(
    config: AMPConfig, state: AMPState, normalized: Float[Array, "rows feature"]
) -> Float[Array, " rows"]:
    return jnp.asarray(_apply(config, state.params, state.batch_stats, state.mask, normalized))


def _apply(
    config: AMPConfig,
    params: dict,
    batch_stats: dict,
    mask: Array | None,
    normalized: Array,
    **how: Any,
) -> Any:
    """The network on normalised features: the one place where it looks at any."""
    variables = {"params": params, "batch_stats": batch_stats}
    return make_discriminator(config).apply(variables, visible(config, mask, normalized), **how)


def visible(
    config: AMPConfig,
    mask: Float[Array, " feature"] | None,
    normalized: Float[Array, "*rows feature"],
) -> Float[Array, "*rows feature"]:
    """What may be seen of normalised features: those that are masked are at the reference's mean, 0."""
    return normalized * mask if config.reintroduce and mask is not None else normalized


def style_rewards(
    config: AMPConfig, state: AMPState, features: Float[Array, "samples feature"]
) -> Float[Array, " samples"]:
    """Style reward of raw (not normalised) features under the state's discriminator. Changes nothing."""
    scores = discriminator_scores(config, state, features)
    real = probability_of_real(config.loss, scores, config.target_real, config.target_fake)
    return STYLE_REWARDS[config.reward](scores, real)


def discriminator_loss(
    config: AMPConfig,
    params: dict,
    batch_stats: dict,
    real: Float[Array, "batch feature"],
    fake: Float[Array, "batch feature"],
    key: Array,
    mask: Float[Array, " feature"] | None = None,
    penalty_coefficient: Array | float | None = None,
) -> tuple[Array, tuple[dict, dict[str, Array]]]:
    """Loss of one batch of normalised features: the GAN's, and the gradient penalty with its coefficient.

    Args:
        key: draws where `wgan_gp` looks.
        mask: see `AMPState`. It belongs to the function whose slope is penalised: in a hidden direction that has none.
        penalty_coefficient: in place of the configured `r1_gamma` or `gp_lambda`.

    Returns:
        `(loss, (new_batch_stats, metrics))`; spectral norm's power iteration advances by one step.
    """

    def score(rows: Array) -> Array:
        return jnp.asarray(_apply(config, params, batch_stats, mask, rows))

    coefficient: Array | float = 0.0
    if config.gradient_penalty == "r1":
        scores_real, penalty = scores_and_r1(score, real)
        coefficient = 0.5 * (
            config.r1_gamma if penalty_coefficient is None else penalty_coefficient
        )
    else:
        scores_real, penalty = score(real), jnp.float32(0.0)
    if config.gradient_penalty == "wgan_gp":
        penalty = wgan_gp(score, real, fake, key)
        coefficient = config.gp_lambda if penalty_coefficient is None else penalty_coefficient
    scores_fake, mutated = _apply(
        config, params, batch_stats, mask, fake, update_stats=True, mutable=["batch_stats"]
    )
    gan_loss = DISCRIMINATOR_LOSSES[config.loss](
        scores_real, scores_fake, config.smoothed_target, config.target_fake
    )
    loss = gan_loss + coefficient * penalty
    metrics = discriminator_metrics(scores_real, scores_fake, config.threshold)
    metrics |= {"disc_loss": loss, "grad_penalty": penalty}
    return loss, (mutated.get("batch_stats", {}), metrics)


def _draw_fakes(config: AMPConfig, replay: ReplayBuffer, fresh: Array, key: Array) -> Array:
    """A batch of policy samples: `replay_buffer_ratio` of it history (once there is any), the rest this iteration's."""
    fresh_key, replay_key = jax.random.split(key)
    batch = fresh[jax.random.randint(fresh_key, (config.batch_size,), 0, fresh.shape[0])]
    num_history = round(config.batch_size * config.replay_buffer_ratio)
    if config.replay_buffer_size == 0 or num_history == 0:
        return batch
    history = replay_buffer.sample(replay, replay_key, num_history)
    history = jnp.where(replay.size > 0, history, batch[:num_history])
    return jnp.concatenate([history, batch[num_history:]])


def train_discriminator(
    config: AMPConfig,
    state: AMPState,
    features: Float[Array, "samples feature"],
    reference: ReferenceSampler,
) -> tuple[AMPState, Float[Array, "new feature"], dict[str, Array]]:
    """`update_steps` optimiser steps on fresh and replayed policy samples against the reference.

    With `amp.adapt` their number, the learning rate and the penalty are those in force by `state.drive`; they are traced, so
    that a move compiles nothing anew.

    Args:
        features: this iteration's policy features, raw.

    Returns:
        `(state, samples for the replay buffer, metrics averaged over the steps)`. The samples are handed back, not yet
        stored: the caller stores them with `replay_buffer.add` once it knows that the whole update is finite.
    """
    key, step_key, subset_key, health_key, reflect_key = jax.random.split(state.key, 5)
    fresh = state.normalizer(reference.reflect_half(reflect_key, features))
    optimizer = make_optimizer(config)
    moving = in_force(config, state.drive) if config.adapt else None

    def step(carry: tuple, step_key: Array) -> tuple[tuple, dict[str, Array]]:
        params, batch_stats, opt_state = carry
        real_key, fake_key, real_noise, fake_noise, gp_key = jax.random.split(step_key, 5)
        real = reference.sample(real_key, config.batch_size)
        fake = _draw_fakes(config, state.replay, fresh, fake_key)
        if config.disc_input_noise_std > 0:
            real += config.disc_input_noise_std * jax.random.normal(real_noise, real.shape)
            fake += config.disc_input_noise_std * jax.random.normal(fake_noise, fake.shape)
        gradient_fn = jax.value_and_grad(partial(discriminator_loss, config), has_aux=True)
        coefficient = None if moving is None else moving.penalty
        arguments = (params, batch_stats, real, fake, gp_key, state.mask, coefficient)
        (_, (batch_stats, metrics)), gradients = gradient_fn(*arguments)
        updates, opt_state = optimizer.update(gradients, opt_state, params)
        if moving is not None:  # Adam's and AdamW's steps are linear in the rate
            updates = jax.tree.map(
                lambda update: update * (moving.disc_lr / config.disc_lr), updates
            )
        return (optax.apply_updates(params, updates), batch_stats, opt_state), metrics

    carry = (state.params, state.batch_stats, state.opt_state)
    if moving is None or config.adapt_bounds is None:
        carry, metrics = jax.lax.scan(step, carry, jax.random.split(step_key, config.update_steps))
        taken = None
    else:
        step_keys = jax.random.split(step_key, config.adapt_bounds.update_steps[1])
        taken = jnp.arange(len(step_keys)) < moving.update_steps
        carry, metrics = jax.lax.scan(partial(_step_if, step), carry, (taken, step_keys))
    params, batch_stats, opt_state = carry
    change = optax.tree.norm(jax.tree.map(jnp.subtract, params, state.params)) / optax.tree.norm(
        state.params
    )

    state = replace(state, params=params, batch_stats=batch_stats, opt_state=opt_state, key=key)
    reduced = _over_steps(metrics, taken) | {"change": change}
    reduced |= _health(config, state, fresh, features, reference, jax.random.split(health_key, 3))
    reduced["still_value"] = features[
        :, reduced["still_index"]
    ].mean()  # as the environment makes it
    num_new = min(features.shape[0], -(-config.replay_buffer_size // REPLAY_TURNOVER))
    new = fresh[jax.random.permutation(subset_key, features.shape[0])[:num_new]]
    return state, new, reduced


def _step_if(
    step: Callable, carry: tuple, given: tuple[Array, Array]
) -> tuple[tuple, dict[str, Array]]:
    """`step` where it is to be taken; else nothing is done, and nothing is spent, and the metrics are zeros."""
    taken, key = given
    shapes = jax.eval_shape(step, carry, key)[1]
    return jax.lax.cond(
        taken, step, lambda carry, _: (carry, jax.tree.map(jnp.zeros_like, shapes)), carry, key
    )


def _over_steps(metrics: dict[str, Array], taken: Bool[Array, " step"] | None) -> dict[str, Array]:
    """Means over the steps that were taken (None: all), and the extremes of the scores."""
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
    fresh: Float[Array, "samples feature"],
    features: Float[Array, "samples feature"],
    reference: ReferenceSampler,
    keys: Array,
) -> dict[str, Array]:
    """Figures of this iteration's policy samples (normalised) against the reference, under the discriminator as it is now.

    `fresh`: as the discriminator sees them, half of them mirrored with `amp.symmetry`; `features`: raw.
    """
    rows = jax.random.randint(keys[0], (health.NUM_SAMPLES,), 0, fresh.shape[0])
    policy = fresh[rows]
    real = reference.sample(keys[1], health.NUM_SAMPLES)
    look = partial(visible, config, state.mask)
    made = None if reference.reflection is None else look(state.normalizer(features[rows]))
    found = health.figures(
        look(policy), look(real), (look(reference.low), look(reference.high)), made
    )
    if config.reintroduce:  # what is masked lies inside: the share is that of what is seen
        found["outside"] /= state.mask.mean()
    own = _score(config, state, policy)
    found["learned_auc"] = auc(
        _score(config, state, real), own
    )  # disc_auc is with input noise and replayed samples
    if reference.held_out is not None:
        unseen = reference.held_out.sample(keys[2], health.NUM_SAMPLES)
        found["held_out_auc"] = auc(_score(config, state, unseen), own)
    return found


def all_finite(tree: Any) -> Bool[Array, ""]:
    """Whether every float leaf of a pytree is finite."""
    checks = [
        jnp.isfinite(leaf).all()
        for leaf in jax.tree.leaves(tree)
        if jnp.issubdtype(leaf.dtype, jnp.inexact)
    ]
    return jnp.all(jnp.stack(checks)) if checks else jnp.array(True)


def commit(old: AMPState, new: AMPState, samples: Array, ok: Bool[Array, ""]) -> AMPState:
    """`new` with `samples` added to its history if `ok`, else `old`. The replay buffer itself is not copied."""
    replay = replay_buffer.add(old.replay, samples, enabled=ok)
    keep = ("params", "batch_stats", "opt_state", "key")
    chosen = {
        name: jax.tree.map(partial(jnp.where, ok), getattr(new, name), getattr(old, name))
        for name in keep
    }
    return replace(old, replay=replay, **chosen)
