"""PPO's epochs of minibatch steps, as a pure function."""

import jax
import jax.numpy as jnp
from flax.training.train_state import TrainState
from jaxtyping import Array
from sbx.common.utils import copy_naturecnn_params

from amp_sbx.algorithm.data import Batch, Critics, Hyperparameters, Settings
from amp_sbx.algorithm.losses import clipped_surrogate, normalize_advantages, value_loss
from amp_sbx.common.metrics import approx_kl
from amp_sbx.common.shuffle import shuffled

# Bounds and step of the KL-adaptive learning rate are SBX's (KLAdaptiveLR, from rsl_rl).
KL_MARGIN, KL_FACTOR, KL_MIN_LR, KL_MAX_LR = 2.0, 1.5, 1e-5, 1e-2


def set_learning_rate(state: TrainState, learning_rate: Array | float) -> TrainState:
    """Set the rate in SBX's optimizer, `chain(clip_by_global_norm, inject_hyperparams(...))`."""
    clip_state, inject_state = state.opt_state
    rate = jnp.asarray(learning_rate, inject_state.hyperparams["learning_rate"].dtype)
    hyperparams = inject_state.hyperparams | {"learning_rate": rate}
    return state.replace(opt_state=(clip_state, inject_state._replace(hyperparams=hyperparams)))


def _minibatch_step(
    settings: Settings, hyper: Hyperparameters, actor: TrainState, critics: Critics, batch: Batch
) -> tuple[TrainState, Critics, dict[str, Array]]:
    """One gradient step of the actor, then one of each critic, each with its own clip as in SBX."""
    advantages = (
        normalize_advantages(batch.advantages) if settings.normalize_advantage else batch.advantages
    )

    def actor_loss(params: dict) -> tuple[Array, tuple[Array, Array, Array]]:
        distribution = actor.apply_fn(params, batch.observations)
        log_ratio = distribution.log_prob(batch.actions) - batch.old_log_probs
        policy = clipped_surrogate(jnp.exp(log_ratio), advantages, hyper.clip_range)
        entropy = -jnp.mean(distribution.entropy())
        return policy + hyper.ent_coef * entropy, (policy, entropy, log_ratio)

    (pg_loss, (policy, entropy, log_ratio)), gradients = jax.value_and_grad(
        actor_loss, has_aux=True
    )(actor.params)
    actor = actor.apply_gradients(grads=gradients)
    if settings.share_features_extractor:
        critics = (copy_naturecnn_params(actor, critics[0]), *critics[1:])

    def critic_step(
        critic: TrainState, old_values: Array, returns: Array
    ) -> tuple[TrainState, Array]:
        def critic_loss(params: dict) -> Array:
            values = critic.apply_fn(params, batch.seen_by_critic).reshape(-1)
            return hyper.vf_coef * value_loss(values, old_values, returns, hyper.clip_range_vf)

        loss, gradients = jax.value_and_grad(critic_loss)(critic.params)
        return critic.apply_gradients(grads=gradients), loss

    steps = [
        critic_step(*each) for each in zip(critics, batch.old_values, batch.returns, strict=True)
    ]
    critics, vf_losses = tuple(critic for critic, _ in steps), [loss for _, loss in steps]
    if settings.share_features_extractor:
        actor = copy_naturecnn_params(critics[0], actor)

    metrics = {
        "entropy_loss": entropy,
        "policy_gradient_loss": policy,
        "value_loss": vf_losses[0],
        "pg_loss": pg_loss,
        "approx_kl": approx_kl(log_ratio),
        "clip_fraction": jnp.mean(jnp.abs(jnp.expm1(log_ratio)) > hyper.clip_range),
    }
    if len(vf_losses) > 1:
        metrics["style_value_loss"] = vf_losses[1]
    return actor, critics, metrics


def _adapt_learning_rate(settings: Settings, learning_rate: Array, kl: Array) -> Array:
    """Lower the rate after a step that was too large, raise it after one that was too small.

    See arXiv:1707.02286; bounds and factor are SBX's.
    """
    if settings.target_kl is None:
        return learning_rate
    slower = jnp.where(
        kl > settings.target_kl * KL_MARGIN, learning_rate / KL_FACTOR, learning_rate
    )
    adapted = jnp.where(kl < settings.target_kl / KL_MARGIN, learning_rate * KL_FACTOR, slower)
    return jnp.clip(adapted, KL_MIN_LR, KL_MAX_LR)


def train_policy(
    settings: Settings,
    hyper: Hyperparameters,
    actor: TrainState,
    critics: Critics,
    data: Batch,
    key: Array,
) -> tuple[TrainState, Critics, Array, dict[str, Array]]:
    """Run all epochs over flat `data`.

    Every epoch has its own shuffle. Samples that do not fill a last minibatch are dropped from it.

    Returns:
        `(actor, critics, learning rate, metrics averaged over all minibatches)`.
    """
    num_samples = data.advantages.shape[0]
    num_batches = num_samples // settings.batch_size
    used = num_batches * settings.batch_size

    def minibatch(carry: tuple, ids: Array) -> tuple[tuple, dict[str, Array]]:
        actor, critics, learning_rate = carry
        actor = set_learning_rate(actor, learning_rate)
        own = hyper.critic_learning_rate
        rated = [set_learning_rate(c, learning_rate if own is None else own) for c in critics]
        batch = jax.tree.map(lambda x: x[settings.devices.split(ids)], data)
        actor, critics, metrics = _minibatch_step(settings, hyper, actor, tuple(rated), batch)
        learning_rate = _adapt_learning_rate(settings, learning_rate, metrics["approx_kl"])
        return (actor, critics, learning_rate), metrics

    def epoch(carry: tuple, epoch_key: Array) -> tuple[tuple, dict[str, Array]]:
        ids = shuffled(epoch_key, num_samples)[:used]
        return jax.lax.scan(minibatch, carry, ids.reshape(num_batches, settings.batch_size))

    carry = (actor, critics, jnp.asarray(hyper.learning_rate, jnp.float32))
    carry, metrics = jax.lax.scan(epoch, carry, jax.random.split(key, settings.n_epochs))
    return *carry, jax.tree.map(jnp.mean, metrics)
