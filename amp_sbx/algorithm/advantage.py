"""Generalized advantage estimation (Schulman et al. 2016, arXiv:1506.02438)."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def gae(
    rewards: Float[Array, "time *env"],
    values: Float[Array, "time *env"],
    episode_starts: Float[Array, "time *env"],
    last_values: Float[Array, "*env"],
    last_dones: Float[Array, "*env"],
    gamma: float | Float[Array, ""],
    gae_lambda: float | Float[Array, ""],
) -> tuple[Float[Array, "time *env"], Float[Array, "time *env"]]:
    """Advantages and lambda-returns.

    `delta_t = r_t + gamma V_{t+1} (1 - done_t) - V_t`,
    `A_t = delta_t + gamma lambda (1 - done_t) A_{t+1}`, `return_t = A_t + V_t`.
    A time-out counts as done: its `gamma V(terminal)` is in `rewards`.

    Args:
        rewards: all rewards, with the bootstrap of time-outs.
        values: values of the observations when they were collected.
        episode_starts: 1 where the observation is the first of an episode; `done_t` is
            `episode_starts[t + 1]`.
        last_values: values of the observations after the last step.
        last_dones: 1 where the last step ended an episode.
        gamma: discount factor.
        gae_lambda: factor of the exponential average over steps.

    Returns:
        `(advantages, returns)`.
    """
    dones = jnp.concatenate([episode_starts[1:], last_dones[None]])
    next_values = jnp.concatenate([values[1:], last_values[None]])
    continues = 1.0 - dones
    deltas = rewards + gamma * next_values * continues - values

    def step(carry: Array, item: tuple[Array, Array]) -> tuple[Array, Array]:
        delta, alive = item
        advantage = delta + gamma * gae_lambda * alive * carry
        return advantage, advantage

    _, advantages = jax.lax.scan(
        step, jnp.zeros_like(last_values), (deltas, continues), reverse=True
    )
    return advantages, advantages + values
