"""Collects a rollout of functional environments inside a compiled program."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from gymnasium import spaces
from jaxtyping import Array, Bool, Float

from amp_sbx.algorithm.collect import sample_actions
from amp_sbx.algorithm.data import Critics, Rollout
from amp_sbx.algorithm.devices import Devices
from amp_sbx.common.functional import step_infos

TIMEOUT_FRACTION = 16
"""Time-outs of up to a sixteenth of the environments are valued without the others."""


@dataclass(frozen=True)
class Collector:
    """What shapes the collecting part of a fused program. It is hashable, for jit.

    Attributes:
        step: `(states, actions) -> (states, Step)` of all environments of a device.
        n_steps: steps of a rollout.
        low: lower limits of the actions; None for discrete ones.
        high: upper limits of the actions.
        num_episodes: number of the newest finished episodes to report.
        with_amp: whether the rollout holds AMP observations.
        critic_obs: whether the critics see `critic_obs` in place of the observations.
        devices: devices that share the environments.
    """

    step: Callable
    n_steps: int
    low: tuple[float, ...] | None
    high: tuple[float, ...] | None
    num_episodes: int
    with_amp: bool
    critic_obs: bool
    devices: Devices

    @classmethod
    def of(cls, model: Any, step: Callable, devices: Devices) -> "Collector":
        """A model's collector."""
        low = high = None
        if isinstance(model.action_space, spaces.Box):
            low, high = (
                tuple(x.tolist()) for x in (model.action_space.low, model.action_space.high)
            )
        episodes, amp = model._stats_window_size, model.learner is not None
        return cls(step, model.n_steps, low, high, episodes, amp, model.critic_obs, devices)

    def clip(self, actions: Array) -> Array:
        """Actions within the limits."""
        if self.low is None:
            return actions
        return jnp.clip(actions, jnp.array(self.low), jnp.array(self.high))


@struct.dataclass
class RolloutState:
    """What a rollout changes beside its data.

    Attributes:
        env: states of all environments.
        dones: whether the last step ended an episode, per environment.
        key: the policy's random key.
        noise_key: the key of the last action noise.
    """

    env: Any
    dones: Bool[Array, " env"]
    key: Array
    noise_key: Array


@struct.dataclass
class Summary:
    """What the host sees of a rollout.

    Attributes:
        num_episodes: number of episodes that ended.
        episodes: the newest of them by name, (num_episodes,) each; older ones first. If fewer
            ended, the first entries have no meaning.
        infos: each numeric info, averaged over the rollout, (env,).
        episode_returns: return so far of the running episodes, (env,).
        episode_lengths: steps so far of the running episodes, (env,).
        task_reward: mean reward.
        paid: whether any reward was not 0.
    """

    num_episodes: Array
    episodes: dict[str, Array]
    infos: dict[str, Float[Array, " env"]]
    episode_returns: Float[Array, " env"]
    episode_lengths: Array
    task_reward: Float[Array, ""]
    paid: Bool[Array, ""]


def collect(
    collector: Collector, actor: Any, critics: Critics, state: RolloutState, gamma: Array | float
) -> tuple[RolloutState, Rollout, Summary]:
    """A rollout of all environments, with the numbers of `collect_rollout` in `collect`.

    Args:
        collector: settings of the compiled program.
        actor: the actor.
        critics: one critic, or the task's and the style's.
        state: environments and keys; new ones are returned.
        gamma: discount factor.
    """

    devices = collector.devices
    step_all = devices.each(lambda _, env, actions: collector.step(env, actions))
    values_of = [
        devices.each(lambda params, *rows, apply=c.apply_fn: timeout_values(apply, params, *rows))
        for c in critics
    ]

    def seen_by_critic(of: Any) -> Array | None:
        return of.critic_obs.astype(jnp.float32) if collector.critic_obs else None

    def one_step(state: RolloutState, _: None) -> tuple[RolloutState, dict[str, Any]]:
        observations = _floats(state.env.obs)
        critic_obs = seen_by_critic(state.env)
        actions, log_probs, values, key, noise_key = sample_actions(
            actor.apply_fn,
            critics[0].apply_fn,
            True,
            actor.params,
            critics[0].params,
            observations,
            state.key,
            state.noise_key,
            critic_obs,
        )
        env, step = step_all((), state.env, collector.clip(actions))
        terminated, truncated = step.terminated.astype(bool), step.truncated.astype(bool)
        timed_out = truncated & ~terminated
        final_obs = _floats(step.final_obs) if critic_obs is None else seen_by_critic(step)
        done = terminated | truncated
        row = {
            "observations": observations,
            "actions": actions,
            "rewards": step.reward.astype(jnp.float32),
            "bootstrap": [
                gamma * value(critic.params, final_obs, timed_out)
                for value, critic in zip(values_of, critics, strict=True)
            ],
            "episode_starts": state.dones.astype(jnp.float32),
            "critic_obs": critic_obs,
            "values": values,
            "log_probs": log_probs,
            "amp_obs": step.amp_obs.astype(jnp.float32) if collector.with_amp else None,
            "done": done,
            "episode": {"r": step.episode_return, "l": step.episode_length}
            | {name: x for name, x in (step.metrics or {}).items() if name == "is_success"},
            "infos": {
                name: jnp.asarray(value, jnp.float32)
                for name, value in step_infos(step).items()
                if jnp.ndim(value) == 1
            },
        }
        return RolloutState(env, done, key, noise_key), row

    state, rows = jax.lax.scan(one_step, state, length=collector.n_steps)
    bootstraps = rows["bootstrap"]
    rollout = Rollout(
        observations=rows["observations"],
        actions=rows["actions"],
        rewards=rows["rewards"],
        bootstrap=bootstraps[0],
        style_bootstrap=bootstraps[1] if len(bootstraps) > 1 else None,
        episode_starts=rows["episode_starts"],
        values=rows["values"],
        log_probs=rows["log_probs"],
        last_observations=_floats(state.env.obs),
        last_dones=state.dones.astype(jnp.float32),
        amp_obs=rows["amp_obs"],
        critic_obs=rows["critic_obs"],
        last_critic_obs=seen_by_critic(state.env),
    )
    return state, rollout, _summary(collector, rows, state.dones)


def timeout_values(
    critic_apply: Any,
    critic_params: Any,
    final_obs: Float[Array, "env *obs"],
    timed_out: Bool[Array, " env"],
) -> Float[Array, " env"]:
    """The critic's value of what it sees finally at time-outs, 0 elsewhere.

    Time-outs come a few at a time, so mostly a small batch is enough. An observation that is no
    time-out's is not read: it may be NaN.
    """
    few = max(1, final_obs.shape[0] // TIMEOUT_FRACTION)

    def of(observations: Array) -> Array:
        return critic_apply(critic_params, observations).reshape(-1)

    def of_few() -> Array:
        ids = jnp.nonzero(timed_out, size=few, fill_value=final_obs.shape[0])[0]
        values = of(final_obs.at[ids].get(mode="clip"))
        return jnp.zeros(timed_out.shape, values.dtype).at[ids].set(values, mode="drop")

    def of_all() -> Array:
        return jnp.where(timed_out, of(final_obs), 0.0)

    return jax.lax.cond(timed_out.sum() <= few, of_few, of_all)


def _summary(collector: Collector, rows: dict[str, Any], last_dones: Array) -> Summary:
    done = rows["done"]
    ended = done.reshape(-1)
    newest = jnp.nonzero(ended[::-1], size=collector.num_episodes, fill_value=0)[0][::-1]
    places = ended.size - 1 - newest  # unused entries come first, and are the last sample
    episodes = {name: values.reshape(-1)[places] for name, values in rows["episode"].items()}
    running = {
        name: jnp.where(last_dones, 0, rows["episode"][name][-1]).astype(kind)
        for name, kind in (("r", jnp.float32), ("l", jnp.int32))
    }
    return Summary(
        num_episodes=ended.sum(),
        episodes=episodes,
        infos={name: values.mean(axis=0) for name, values in rows["infos"].items()},
        episode_returns=running["r"],
        episode_lengths=running["l"],
        task_reward=rows["rewards"].mean(),
        paid=(rows["rewards"] != 0).any(),
    )


def _floats(array: Array) -> Array:
    floating = jnp.issubdtype(array.dtype, jnp.floating)
    return array.astype(jnp.float32) if floating else array
