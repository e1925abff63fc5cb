"""One learning iteration as one pure function: rewards, advantages, PPO and the discriminator."""

from functools import partial

import jax
import jax.numpy as jnp
from flax.training.train_state import TrainState
from jaxtyping import Array, Bool, Float

from amp_sbx.algorithm.data import Batch, Critics, Hyperparameters, Rollout, Settings
from amp_sbx.algorithm.epochs import train_policy
from amp_sbx.algorithm.returns import estimate
from amp_sbx.common.metrics import explained_variance
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.sampler import ReferenceSampler
from amp_sbx.discriminator.state import AMPState, style_rewards
from amp_sbx.discriminator.update import all_finite, commit, train_discriminator


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
    allowed: Bool[Array, ""] | bool = True,
) -> tuple[TrainState, Critics, AMPState | None, dict[str, dict[str, Array]]]:
    """Learn from one rollout.

    The style rewards come from the discriminator as it was while collecting, so its update affects
    the next rollout only. `AMPConfig.order` can change that. If anything is not finite, all states
    are returned unchanged and `metrics["finite"]` says what.

    Args:
        settings: settings of the compiled program.
        config: AMP settings; None without AMP.
        actor: the actor.
        critics: one critic, or the task's and the style's.
        amp_state: the discriminator's state; None without AMP.
        rollout: what was collected.
        reference: sampler of the reference; None without AMP.
        hyper: numbers of this iteration.
        key: random key of the shuffles.
        allowed: whether this iteration counts; otherwise all states are returned unchanged.

    Returns:
        `(actor, critics, amp_state, {"train": ..., "amp": ..., "finite": ...})`.
    """
    old = (actor, critics)
    finite = {
        "observations": all_finite((rollout.observations, rollout.last_observations)),
        "rewards": all_finite(rollout.rewards),
        "values of terminal observations": all_finite((rollout.bootstrap, rollout.style_bootstrap)),
    }
    if rollout.critic_obs is not None:
        finite["critic observations"] = all_finite((rollout.critic_obs, rollout.last_critic_obs))
    amp_metrics: dict[str, Array] = {}
    style, samples, new_amp_state = None, None, amp_state
    if (
        config is not None
        and amp_state is not None
        and reference is not None
        and rollout.amp_obs is not None
    ):
        finite["AMP observations"] = all_finite(rollout.amp_obs)
        amp_obs = settings.devices.whole(rollout.amp_obs)
        amp_obs = amp_obs.reshape(-1, amp_obs.shape[-1])
        new_amp_state, samples, amp_metrics = train_discriminator(
            config, amp_state, amp_obs, reference
        )
        finite["discriminator update"] = all_finite(
            (new_amp_state.params, amp_metrics["disc_loss"])
        )
        judge = new_amp_state if config.order == "update_first" else amp_state
        style = settings.devices.each(partial(_style_rewards, config), axis=1)(
            judge, rollout.amp_obs
        )
        amp_metrics |= {"reward_mean": style.mean(), "reward_std": style.std()}

    advantages, values, returns = estimate(rollout, style, critics, hyper)
    data = Batch(
        rollout.observations,
        rollout.actions,
        values,
        rollout.log_probs,
        advantages,
        returns,
        rollout.critic_obs,
    )
    # Every device needs all samples, because a minibatch is drawn from all environments.
    data = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), settings.devices.whole(data))
    actor, critics, learning_rate, metrics = train_policy(
        settings, hyper, actor, critics, data, key
    )
    metrics |= {
        "explained_variance": explained_variance(values[0], returns[0]),
        "learning_rate": learning_rate,
    }
    finite["policy update"] = all_finite((actor.params, [critic.params for critic in critics]))

    ok = jnp.all(jnp.stack([*finite.values(), jnp.asarray(allowed)]))
    actor, critics = jax.tree.map(partial(jnp.where, ok), (actor, critics), old)
    if samples is not None and amp_state is not None and new_amp_state is not None:
        new_amp_state = commit(amp_state, new_amp_state, samples, ok)
    return actor, critics, new_amp_state, {"train": metrics, "amp": amp_metrics, "finite": finite}


def _style_rewards(
    config: AMPConfig, judge: AMPState, amp_obs: Float[Array, "time env feature"]
) -> Float[Array, "time env"]:
    flat = amp_obs.reshape(-1, amp_obs.shape[-1])
    return style_rewards(config, judge, flat).reshape(amp_obs.shape[:2])


# The checks of `iteration`, causes before effects. jit returns its dict in alphabetical order.
CAUSES = (
    "observations",
    "critic observations",
    "rewards",
    "values of terminal observations",
    "AMP observations",
    "discriminator update",
    "policy update",
)

# The AMP state is donated, because its replay buffer can be 100 MB and would be copied every
# iteration. Actor and critic are small and remain readable after the update.
iteration_jit = jax.jit(iteration, static_argnums=(0, 1), donate_argnums=4)
