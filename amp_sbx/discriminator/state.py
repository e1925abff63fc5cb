"""The discriminator's learning state, its scores and its style rewards, as pure functions."""

from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import struct
from jaxtyping import Array, Float

from amp_sbx.discriminator import replay_buffer
from amp_sbx.discriminator.adapt import Adaptation
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.network import Discriminator, init_discriminator, score_in_chunks
from amp_sbx.discriminator.normalizer import Normalizer
from amp_sbx.discriminator.replay_buffer import ReplayBuffer
from amp_sbx.discriminator.rewards import STYLE_REWARDS, probability_of_real


@struct.dataclass
class AMPState:
    """Everything about the discriminator that changes in training, and the fixed normalizer.

    `Controller.observe` changes `mask` and `adaptation` between updates; nothing else does.

    Attributes:
        params: network parameters.
        batch_stats: state of spectral normalization; empty without it.
        opt_state: the optimizer's state.
        replay: past policy samples, normalized and unmasked.
        normalizer: statistics of the reference.
        key: random key.
        mask: 1 for columns that the discriminator sees, 0 for hidden ones (`reintroduce`).
        adaptation: changes of the settings (`adapt`).
    """

    params: dict
    batch_stats: dict
    opt_state: Any
    replay: ReplayBuffer
    normalizer: Normalizer
    key: Array
    mask: Float[Array, " feature"]
    adaptation: Adaptation


_NOT_COMPILED = (
    "weight", "task_weight", "mix", "schedule", "critic", "symmetry", "held_out_fraction",
    "feature_min_std", "feature_clip", "single_motion", "adapt_every", "adapt_auc",
)  # fmt: skip


@lru_cache(maxsize=256)
def compiled_config(config: AMPConfig) -> AMPConfig:
    """The config with defaults for all settings that the compiled functions do not read.

    It is their static argument, so that a change of these settings compiles nothing.
    """
    return replace(config, **{name: getattr(AMPConfig(), name) for name in _NOT_COMPILED})


def make_discriminator(config: AMPConfig) -> Discriminator:
    """The network that the config describes."""
    return Discriminator(config.discriminator_hidden, config.normalization, config.activation)


def make_optimizer(config: AMPConfig) -> optax.GradientTransformation:
    """Adam, or AdamW with weight decay, after a clip of the global gradient norm."""
    adam = (
        optax.adamw(config.disc_lr, weight_decay=config.weight_decay)
        if config.weight_decay
        else optax.adam(config.disc_lr)
    )
    return optax.chain(optax.clip_by_global_norm(config.max_grad_norm), adam)


@partial(jax.jit, static_argnums=0)  # without jit, each layer's initializer would compile alone
def init_state(config: AMPConfig, normalizer: Normalizer, key: Array) -> AMPState:
    """A new discriminator and optimizer with an empty replay buffer."""
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
        adaptation=Adaptation.neutral(),
    )


def apply_network(
    config: AMPConfig,
    params: dict,
    batch_stats: dict,
    mask: Array | None,
    normalized: Array,
    **how: Any,
) -> Any:
    """The network's output for normalized AMP observations; the only place that calls it."""
    variables = {"params": params, "batch_stats": batch_stats}
    return make_discriminator(config).apply(variables, visible(config, mask, normalized), **how)


def visible(
    config: AMPConfig,
    mask: Float[Array, " feature"] | None,
    normalized: Float[Array, "*batch feature"],
) -> Float[Array, "*batch feature"]:
    """Normalized AMP observations with hidden columns at the reference's mean, 0."""
    return normalized * mask if config.reintroduce and mask is not None else normalized


def normalized_scores(
    config: AMPConfig, state: AMPState, normalized: Float[Array, "batch feature"]
) -> Float[Array, " batch"]:
    """The discriminator's scores of normalized AMP observations."""
    return jnp.asarray(
        apply_network(config, state.params, state.batch_stats, state.mask, normalized)
    )


def discriminator_scores(
    config: AMPConfig, state: AMPState, amp_obs: Float[Array, "samples feature"]
) -> Float[Array, " samples"]:
    """The discriminator's scores of raw AMP observations. The state does not change."""
    return score_in_chunks(
        lambda chunk: normalized_scores(config, state, state.normalizer(chunk)), amp_obs
    )


def style_rewards(
    config: AMPConfig, state: AMPState, amp_obs: Float[Array, "samples feature"]
) -> Float[Array, " samples"]:
    """Style rewards of raw AMP observations. The state does not change."""
    scores = discriminator_scores(config, state, amp_obs)
    real = probability_of_real(config.loss, scores, config.target_real, config.target_fake)
    return STYLE_REWARDS[config.reward](scores, real)
