"""One whole learning iteration as one pure function: style reward, GAE, PPO's epochs, discriminator steps, metrics."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from flax import struct
from flax.training.train_state import TrainState
from jaxtyping import Array, Float
from sbx.common.utils import copy_naturecnn_params

from amp_sbx.algorithm.advantage import gae
from amp_sbx.algorithm.losses import clipped_surrogate, normalize_advantages, value_loss
from amp_sbx.common.metrics import approx_kl, explained_variance
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.network import score_in_chunks
from amp_sbx.discriminator.sampler import ReferenceSampler
from amp_sbx.discriminator.state import AMPState, style_rewards
from amp_sbx.discriminator.update import all_finite, commit, train_discriminator

# Bounds and step of the KL-adaptive learning rate are SBX's (KLAdaptiveLR; from rsl_rl).
KL_MARGIN, KL_FACTOR, KL_MIN_LR, KL_MAX_LR = 2.0, 1.5, 1e-5, 1e-2


@struct.dataclass
class Rollout:
    """What one iteration collected. `amp_obs` is None without AMP."""

    observations: Float[Array, "time env *obs"]
    actions: Array  # (time, env, action_dim); discrete actions (time, env)
    rewards: Float[Array, "time env"]  # the task's, raw
    bootstrap: Float[
        Array, "time env"
    ]  # gamma V(terminal observation) where an episode timed out, else 0
    style_bootstrap: (
        Float[Array, "time env"] | None
    )  # the same by the style's own critic, if it has one
    episode_starts: Float[Array, "time env"]
    values: Float[Array, "time env"]
    log_probs: Float[Array, "time env"]
    last_observations: Float[Array, "env *obs"]
    last_dones: Float[Array, " env"]
    amp_obs: Float[Array, "time env feature"] | None


@struct.dataclass
class Hyperparameters:
    """Numbers that may change between iterations without a recompilation."""

    learning_rate: Array | float
    clip_range: Array | float
    clip_range_vf: Array | float | None
    ent_coef: Array | float
    vf_coef: Array | float
    gamma: Array | float
    gae_lambda: Array | float
    style_weight: Array | float
    task_weight: Array | float


@dataclass(frozen=True)
class Settings:
    """What shapes the compiled program."""

    n_epochs: int
    batch_size: int
    normalize_advantage: bool = True
    target_kl: float | None = None
    share_features_extractor: bool = False  # CnnPolicy: actor and critic share the CNN


@struct.dataclass
class Batch:
    observations: Array
    actions: Array
    old_values: tuple[Array, ...]  # by each critic
    old_log_probs: Array
    advantages: Array
    returns: tuple[Array, ...]  # that each critic is to foretell


Critics = tuple[TrainState, ...]
"""The critic of all rewards; or the task's and the style's own."""


def total_rewards(
    task: Float[Array, "time env"],
    style: Float[Array, "time env"] | None,
    bootstrap: Float[Array, "time env"],
    task_weight: Array | float,
    style_weight: Array | float,
) -> Float[Array, "time env"]:
    """`task_weight * task + style_weight * style + bootstrap`: the bootstrap is a value, so no weight touches it."""
    rewards = task_weight * task + bootstrap
    return rewards if style is None else rewards + style_weight * style


def set_learning_rate(state: TrainState, learning_rate: Array | float) -> TrainState:
    """Set the rate in SBX's optimiser, `chain(clip_by_global_norm, inject_hyperparams(...))`."""
    clip_state, inject_state = state.opt_state
    rate = jnp.asarray(learning_rate, inject_state.hyperparams["learning_rate"].dtype)
    hyperparams = inject_state.hyperparams | {"learning_rate": rate}
    return state.replace(opt_state=(clip_state, inject_state._replace(hyperparams=hyperparams)))


def _minibatch_step(
    settings: Settings, hyper: Hyperparameters, actor: TrainState, critics: Critics, batch: Batch
) -> tuple[TrainState, Critics, dict[str, Array]]:
    """One gradient step of the actor, then one of each critic (SBX keeps them apart, each with its own norm clip)."""
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
            values = critic.apply_fn(params, batch.observations).reshape(-1)
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
    """Divide the rate where the policy moved too far, multiply where too little (arXiv:1707.02286, as SBX)."""
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
    """All epochs over flat `data`; returns `(actor, critics, learning rate, metrics averaged over all minibatches)`.

    Every epoch has its own shuffle; what does not fill a last minibatch is dropped from that shuffle.
    """
    num_samples = data.advantages.shape[0]
    num_batches = num_samples // settings.batch_size
    used = num_batches * settings.batch_size

    def minibatch(carry: tuple, rows: Array) -> tuple[tuple, dict[str, Array]]:
        actor, critics, learning_rate = carry
        actor, *rated = (set_learning_rate(state, learning_rate) for state in (actor, *critics))
        batch = jax.tree.map(lambda x: x[rows], data)
        actor, critics, metrics = _minibatch_step(settings, hyper, actor, tuple(rated), batch)
        learning_rate = _adapt_learning_rate(settings, learning_rate, metrics["approx_kl"])
        return (actor, critics, learning_rate), metrics

    def epoch(carry: tuple, epoch_key: Array) -> tuple[tuple, dict[str, Array]]:
        rows = jax.random.permutation(epoch_key, num_samples)[:used].reshape(
            num_batches, settings.batch_size
        )
        return jax.lax.scan(minibatch, carry, rows)

    carry = (actor, critics, jnp.asarray(hyper.learning_rate, jnp.float32))
    carry, metrics = jax.lax.scan(epoch, carry, jax.random.split(key, settings.n_epochs))
    return *carry, jax.tree.map(jnp.mean, metrics)


def estimate(
    rollout: Rollout,
    style: Float[Array, "time env"] | None,
    critics: Critics,
    hyper: Hyperparameters,
) -> tuple[Float[Array, "time env"], tuple[Array, ...], tuple[Array, ...]]:
    """Advantages, and values and returns for each critic.

    With one critic, advantages of the weighted sum of rewards. With two, each its own, normalised and then weighted: what a
    weight means no longer depends on the scale of a reward (the multi-critic PPO of Zargarbashi et al. 2024,
    arXiv:2407.11562).
    """

    def advantages_of(critic: TrainState, rewards: Array, values: Array) -> tuple[Array, Array]:
        last_values = critic.apply_fn(critic.params, rollout.last_observations).reshape(-1)
        ends = rollout.last_dones
        return gae(
            rewards,
            values,
            rollout.episode_starts,
            last_values,
            ends,
            hyper.gamma,
            hyper.gae_lambda,
        )

    if len(critics) == 1 or style is None or rollout.style_bootstrap is None:
        rewards = total_rewards(
            rollout.rewards, style, rollout.bootstrap, hyper.task_weight, hyper.style_weight
        )
        advantages, returns = advantages_of(critics[0], rewards, rollout.values)
        return advantages, (rollout.values,), (returns,)

    own = critics[1]
    flat = rollout.observations.reshape(-1, *rollout.observations.shape[2:])
    style_values = score_in_chunks(
        lambda rows: own.apply_fn(own.params, rows).reshape(-1), flat
    ).reshape(style.shape)
    task_advantages, task_returns = advantages_of(
        critics[0], rollout.rewards + rollout.bootstrap, rollout.values
    )
    style_advantages, style_returns = advantages_of(
        own, style + rollout.style_bootstrap, style_values
    )
    advantages = hyper.task_weight * normalize_advantages(task_advantages)
    advantages += hyper.style_weight * normalize_advantages(style_advantages)
    return advantages, (rollout.values, style_values), (task_returns, style_returns)


def iteration(
    settings: Settings,
    config: AMPConfig | None,
    actor: TrainState,
    critics: Critics,
    amp_state: AMPState | None,
    rollout: Rollout,
    reference: ReferenceSampler | None,
    hyper: Hyperparameters,
    key: Array,
) -> tuple[TrainState, Critics, AMPState | None, dict[str, dict[str, Array]]]:
    """Learn from one rollout.

    Order (seed v0.6.0): style rewards from the discriminator in force while collecting, GAE, PPO; the discriminator's steps
    touch the next rollout's rewards only, unless `AMPConfig.order` says otherwise. If anything is not finite, the states
    come back unchanged and `metrics["finite"]` says what.

    Returns:
        `(actor, critics, amp_state, {"train": ..., "amp": ..., "finite": ...})`.
    """
    old = (actor, critics)
    finite = {
        "observations": all_finite((rollout.observations, rollout.last_observations)),
        "rewards": all_finite(rollout.rewards),
        "values of terminal observations": all_finite((rollout.bootstrap, rollout.style_bootstrap)),
    }
    amp_metrics: dict[str, Array] = {}
    style, samples, new_amp_state = None, None, amp_state
    if (
        config is not None
        and amp_state is not None
        and reference is not None
        and rollout.amp_obs is not None
    ):
        finite["AMP features"] = all_finite(rollout.amp_obs)
        features = rollout.amp_obs.reshape(-1, rollout.amp_obs.shape[-1])
        new_amp_state, samples, amp_metrics = train_discriminator(
            config, amp_state, features, reference
        )
        finite["discriminator update"] = all_finite(
            (new_amp_state.params, amp_metrics["disc_loss"])
        )
        paying = new_amp_state if config.order == "update_first" else amp_state
        style = style_rewards(config, paying, features).reshape(rollout.rewards.shape)
        amp_metrics |= {"reward_mean": style.mean(), "reward_std": style.std()}

    advantages, values, returns = estimate(rollout, style, critics, hyper)
    data = Batch(
        rollout.observations, rollout.actions, values, rollout.log_probs, advantages, returns
    )
    data = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), data)
    actor, critics, learning_rate, metrics = train_policy(
        settings, hyper, actor, critics, data, key
    )
    metrics |= {
        "explained_variance": explained_variance(values[0], returns[0]),
        "learning_rate": learning_rate,
    }
    finite["policy update"] = all_finite((actor.params, [critic.params for critic in critics]))

    ok = jnp.all(jnp.stack(list(finite.values())))
    actor, critics = jax.tree.map(partial(jnp.where, ok), (actor, critics), old)
    if samples is not None and amp_state is not None and new_amp_state is not None:
        new_amp_state = commit(amp_state, new_amp_state, samples, ok)
    return actor, critics, new_amp_state, {"train": metrics, "amp": amp_metrics, "finite": finite}


# What `iteration` finds not to be finite, causes before effects; jit hands back its dict in the order of the alphabet.
CAUSES = (
    "observations",
    "rewards",
    "values of terminal observations",
    "AMP features",
    "discriminator update",
    "policy update",
)

# The AMP state is donated: its replay buffer can be 100 MB and would be copied every iteration. Actor and critic are
# small and stay readable for whoever kept a reference to them across an update.
iteration_jit = jax.jit(iteration, static_argnums=(0, 1), donate_argnums=4)
