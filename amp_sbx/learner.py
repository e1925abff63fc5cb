"""The discriminator's learning state and its pure update, shared by `AMPPPO` and `AMPCallback`."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import struct
from jaxtyping import Array, Bool, Float

from amp_sbx import health, replay_buffer
from amp_sbx.config import AMPConfig
from amp_sbx.discriminator import Discriminator, init_discriminator, score_in_chunks
from amp_sbx.errors import FeatureError, NonFiniteError
from amp_sbx.health import HealthMonitor
from amp_sbx.losses import DISCRIMINATOR_LOSSES, scores_and_r1, wgan_gp
from amp_sbx.metrics import auc, discriminator_metrics
from amp_sbx.normalizer import Normalizer, fit_normalizer
from amp_sbx.reference import ReferenceFeatures, hold_out, with_images
from amp_sbx.replay_buffer import ReplayBuffer
from amp_sbx.sampler import ReferenceSampler, make_sampler
from amp_sbx.style_reward import STYLE_REWARDS, probability_of_real
from amp_sbx.symmetry import feature_reflection

REPLAY_TURNOVER = 10
"""An iteration writes at most a tenth of the replay buffer, so that it always spans ten iterations or more."""


@struct.dataclass
class AMPState:
    """Everything about the discriminator that changes while training, and the fixed normaliser."""

    params: dict
    batch_stats: dict
    opt_state: Any
    replay: ReplayBuffer  # normalised features
    normalizer: Normalizer
    key: Array


def make_discriminator(config: AMPConfig) -> Discriminator:
    return Discriminator(config.discriminator_hidden, config.normalization, config.activation)


def make_optimizer(config: AMPConfig) -> optax.GradientTransformation:
    """Adam, or AdamW, behind a clip of the global gradient norm (over all layers together, not per element)."""
    adam = optax.adamw(config.disc_lr, weight_decay=config.weight_decay) if config.weight_decay else optax.adam(config.disc_lr)
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
    )


def discriminator_scores(
    config: AMPConfig, state: AMPState, features: Float[Array, "samples feature"]
) -> Float[Array, " samples"]:
    """The discriminator's output for raw (not normalised) features. Changes nothing."""
    return score_in_chunks(lambda rows: _score(config, state, state.normalizer(rows)), features)


def _score(config: AMPConfig, state: AMPState, normalized: Float[Array, "rows feature"]) -> Float[Array, " rows"]:
    variables = {"params": state.params, "batch_stats": state.batch_stats}
    return jnp.asarray(make_discriminator(config).apply(variables, normalized))


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
) -> tuple[Array, tuple[dict, dict[str, Array]]]:
    """Loss of one batch of normalised features: the GAN's, and the gradient penalty with its coefficient.

    `key` draws where `wgan_gp` looks.

    Returns:
        `(loss, (new_batch_stats, metrics))`; spectral norm's power iteration advances by one step.
    """
    model = make_discriminator(config)
    variables = {"params": params, "batch_stats": batch_stats}

    def score(rows: Array) -> Array:
        return jnp.asarray(model.apply(variables, rows))

    coefficient = 0.0
    if config.gradient_penalty == "r1":
        scores_real, penalty = scores_and_r1(score, real)
        coefficient = 0.5 * config.r1_gamma
    else:
        scores_real, penalty = score(real), jnp.float32(0.0)
    if config.gradient_penalty == "wgan_gp":
        penalty, coefficient = wgan_gp(score, real, fake, key), config.gp_lambda
    scores_fake, mutated = model.apply(variables, fake, update_stats=True, mutable=["batch_stats"])
    gan_loss = DISCRIMINATOR_LOSSES[config.loss](scores_real, scores_fake, config.smoothed_target, config.target_fake)
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
    config: AMPConfig, state: AMPState, features: Float[Array, "samples feature"], reference: ReferenceSampler
) -> tuple[AMPState, Float[Array, "new feature"], dict[str, Array]]:
    """`update_steps` optimiser steps on fresh and replayed policy samples against the reference.

    Args:
        features: this iteration's policy features, raw.

    Returns:
        `(state, samples for the replay buffer, metrics averaged over the steps)`. The samples are handed back, not yet
        stored: the caller stores them with `replay_buffer.add` once it knows that the whole update is finite.
    """
    fresh = reference.reflect_half(jax.random.fold_in(state.key, 2), state.normalizer(features))
    key, step_key, subset_key = jax.random.split(state.key, 3)
    health_keys = jax.random.split(jax.random.fold_in(state.key, 1), 3)
    optimizer = make_optimizer(config)

    def step(carry: tuple, step_key: Array) -> tuple[tuple, dict[str, Array]]:
        params, batch_stats, opt_state = carry
        real_key, fake_key, real_noise, fake_noise = jax.random.split(step_key, 4)
        real = reference.sample(real_key, config.batch_size)
        fake = _draw_fakes(config, state.replay, fresh, fake_key)
        if config.disc_input_noise_std > 0:
            real += config.disc_input_noise_std * jax.random.normal(real_noise, real.shape)
            fake += config.disc_input_noise_std * jax.random.normal(fake_noise, fake.shape)
        loss_fn = partial(discriminator_loss, config)
        gradient_fn = jax.value_and_grad(loss_fn, has_aux=True)
        (_, (batch_stats, metrics)), gradients = gradient_fn(params, batch_stats, real, fake, jax.random.fold_in(step_key, 0))
        updates, opt_state = optimizer.update(gradients, opt_state, params)
        return (optax.apply_updates(params, updates), batch_stats, opt_state), metrics

    carry = (state.params, state.batch_stats, state.opt_state)
    (params, batch_stats, opt_state), metrics = jax.lax.scan(
        step, carry, jax.random.split(step_key, config.update_steps)
    )
    reduced = {name: values.mean() for name, values in metrics.items()}
    reduced |= {"logit_min": metrics["logit_min"].min(), "logit_max": metrics["logit_max"].max()}

    state = replace(state, params=params, batch_stats=batch_stats, opt_state=opt_state, key=key)
    reduced |= _health(config, state, fresh, reference, health_keys)
    num_new = min(features.shape[0], -(-config.replay_buffer_size // REPLAY_TURNOVER))
    new = fresh[jax.random.permutation(subset_key, features.shape[0])[:num_new]]
    return state, new, reduced


def _health(
    config: AMPConfig,
    state: AMPState,
    fresh: Float[Array, "samples feature"],
    reference: ReferenceSampler,
    keys: Array,
) -> dict[str, Array]:
    """Figures of this iteration's policy samples (normalised) against the reference, under the discriminator as it is now."""
    policy = fresh[jax.random.randint(keys[0], (health.NUM_SAMPLES,), 0, fresh.shape[0])]
    found = health.figures(policy, reference.sample(keys[1], health.NUM_SAMPLES), (reference.low, reference.high))
    if reference.held_out is not None:
        rows = jax.random.randint(keys[2], (health.NUM_SAMPLES,), 0, reference.held_out.shape[0])
        found["held_out_auc"] = auc(_score(config, state, reference.held_out[rows]), _score(config, state, policy))
    return found


def all_finite(tree: Any) -> Bool[Array, ""]:
    """Whether every float leaf of a pytree is finite."""
    checks = [jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return jnp.all(jnp.stack(checks)) if checks else jnp.array(True)


def commit(old: AMPState, new: AMPState, samples: Array, ok: Bool[Array, ""]) -> AMPState:
    """`new` with `samples` added to its history if `ok`, else `old`. The replay buffer itself is not copied."""
    replay = replay_buffer.add(old.replay, samples, enabled=ok)
    keep = ("params", "batch_stats", "opt_state", "key")
    chosen = {name: jax.tree.map(partial(jnp.where, ok), getattr(new, name), getattr(old, name)) for name in keep}
    return replace(old, replay=replay, **chosen)


@partial(jax.jit, static_argnums=0)
def _rewards_jit(config: AMPConfig, state: AMPState, features: Array) -> Array:
    return style_rewards(config, state, features)


_scores_jit = jax.jit(discriminator_scores, static_argnums=0)


@partial(jax.jit, static_argnums=0, donate_argnums=1)
def _update_jit(config: AMPConfig, state: AMPState, features: Array, reference: ReferenceSampler) -> tuple:
    new_state, samples, metrics = train_discriminator(config, state, features, reference)
    ok = all_finite((new_state.params, metrics["disc_loss"]))
    return commit(state, new_state, samples, ok), metrics, ok


class AMPLearner:
    """Holder of an `AMPState` with its config and reference.

    Args:
        config: settings.
        reference: motion to imitate; None gives a learner that can score (once a checkpoint's state is restored into
            it) but not learn.
        seed: of the initial weights and of all sampling; a number or a PRNG key.
        feature_dim: needed only without a reference.
        mirror: what the environment declares as its reflection; needed with a reference where `config.symmetry` is on.
    """

    def __init__(
        self,
        config: AMPConfig,
        reference: ReferenceFeatures | None,
        seed: int | Array = 0,
        feature_dim: int | None = None,
        mirror: Mapping[str, Any] | None = None,
    ) -> None:
        self.config = config
        self._reflection: tuple[np.ndarray, np.ndarray] | None = None
        if reference is not None and config.symmetry:
            self._reflection = feature_reflection(mirror, reference.feature_dim)
            reference = with_images(reference, *self._reflection)
        if reference is not None:
            normalizer = fit_normalizer(
                reference.features, reference.weights, config.feature_min_std, config.feature_clip
            )
        elif feature_dim is not None:
            normalizer = Normalizer(jnp.zeros(feature_dim), jnp.ones(feature_dim), config.feature_clip)
        else:
            raise FeatureError("AMPLearner needs a reference, or a feature_dim to be restored from a checkpoint.")
        self.reference = reference
        self.health = HealthMonitor(None if reference is None else reference.layout)
        self._sampler: ReferenceSampler | None = None
        self.state = init_state(config, normalizer, jax.random.PRNGKey(seed) if isinstance(seed, int) else seed)

    @property
    def feature_dim(self) -> int:
        return self.state.normalizer.mean.shape[0]

    @property
    def sampler(self) -> ReferenceSampler:
        """The reference, normalised with the state's normaliser, on the device. Raises `FeatureError` without one."""
        if self.reference is None:
            raise FeatureError("no reference features: this model can act but not learn; pass reference= when loading.")
        if self._sampler is None:
            learned, held_out = hold_out(self.reference, self.config.held_out_share)
            self._sampler = make_sampler(learned, self.state.normalizer, held_out, self._reflection)
        return self._sampler

    def restore(self, state: AMPState) -> None:
        """Take over a loaded state. Its normaliser stays in force, whatever the present reference's statistics are."""
        self.state = state
        self._sampler = None

    def scores(self, features: np.ndarray) -> np.ndarray:
        """The discriminator's output (samples,) for raw features (samples, feature_dim)."""
        return np.asarray(_scores_jit(self.config, self.state, jnp.asarray(features, jnp.float32)))

    def rewards(self, features: np.ndarray) -> np.ndarray:
        """Style rewards (samples,) of raw features (samples, feature_dim) under the discriminator in force."""
        return np.asarray(_rewards_jit(self.config, self.state, jnp.asarray(features, jnp.float32)))

    def update(self, features: np.ndarray) -> dict[str, float]:
        """Train the discriminator on one rollout's raw features; returns the metrics of `amp/*`.

        Raises:
            NonFiniteError: NaN or infinity turned up; the state is unchanged.
        """
        rows = jnp.asarray(features, jnp.float32)
        self.state, metrics, ok = _update_jit(self.config, self.state, rows, self.sampler)
        if not ok:
            raise NonFiniteError(
                "the discriminator's update is not finite and was not applied; check the features "
                f"(finite: {bool(jnp.isfinite(rows).all())}), amp.disc_lr and the gradient penalty."
            )
        return {name: float(value) for name, value in jax.device_get(metrics).items()}
