"""Advantages and returns of a rollout, from task and style rewards."""

from flax.training.train_state import TrainState
from jaxtyping import Array, Float

from amp_sbx.algorithm.advantage import gae
from amp_sbx.algorithm.data import Critics, Hyperparameters, Rollout
from amp_sbx.algorithm.losses import normalize_advantages
from amp_sbx.discriminator.network import score_in_chunks


def total_rewards(
    task: Float[Array, "time env"],
    style: Float[Array, "time env"] | None,
    bootstrap: Float[Array, "time env"],
    task_weight: Array | float,
    style_weight: Array | float,
) -> Float[Array, "time env"]:
    """`task_weight * task + style_weight * style + bootstrap`.

    The bootstrap is a value, so it has no weight.
    """
    rewards = task_weight * task + bootstrap
    return rewards if style is None else rewards + style_weight * style


def estimate(
    rollout: Rollout,
    style: Float[Array, "time env"] | None,
    critics: Critics,
    hyper: Hyperparameters,
) -> tuple[Float[Array, "time env"], tuple[Array, ...], tuple[Array, ...]]:
    """Advantages of a rollout, and values and returns for each critic.

    One critic gives advantages of the weighted sum of rewards. Two critics give one advantage each,
    which are normalized and then weighted. The weights then do not depend on the scale of a reward
    (multi-critic PPO, Zargarbashi et al. 2024, arXiv:2407.11562).

    Args:
        rollout: what was collected.
        style: style rewards; None without AMP.
        critics: one critic, or the task's and the style's.
        hyper: discount factors and weights.

    Returns:
        `(advantages, values by critic, returns by critic)`.
    """

    def advantages_of(critic: TrainState, rewards: Array, values: Array) -> tuple[Array, Array]:
        last_values = critic.apply_fn(critic.params, rollout.last_seen_by_critic).reshape(-1)
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
    seen = rollout.seen_by_critic
    flat = seen.reshape(-1, *seen.shape[2:])
    style_values = score_in_chunks(
        lambda chunk: own.apply_fn(own.params, chunk).reshape(-1), flat
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
