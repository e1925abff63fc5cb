"""Environments as pure JAX functions, and the form in which `AMPPPO` takes them.

A functional environment keeps no state itself, so a whole training iteration can be one
compiled program (see `amp_sbx.algorithm.fused`).
"""

from functools import lru_cache
from typing import Any, NamedTuple, Protocol, runtime_checkable

import gymnasium as gym
import jax
from gymnasium.vector import VectorEnv, VectorWrapper
from jaxtyping import Array, Bool, Float, Int

from amp_sbx.common.errors import ConfigError


class Step(Protocol):
    """What `FunctionalEnv.step` returns beside the state; all values are of one environment.

    Attributes:
        obs: observation for the next action; the new episode's first one after a restart.
        final_obs: observation from before any restart.
        reward: reward of the step.
        terminated: whether the episode ended in a terminal state.
        truncated: whether a time limit ended the episode.
        amp_obs: AMP observation from before any restart; None without AMP.
        episode_return: sum of the episode's rewards, this step included.
        episode_length: number of the episode's steps, this step included.
        terms: reward terms by name.
        metrics: other numbers by name, logged by `InfoMetricsCallback`. `is_success` counts where
            an episode ends.

    For `AMPPPO(critic_obs=True)`, it also has `critic_obs`, (critic_dim,), from before any restart:
    what the critic sees beside `final_obs`.
    """

    obs: Float[Array, "*obs"]
    final_obs: Float[Array, "*obs"]
    reward: Float[Array, ""]
    terminated: Bool[Array, ""]
    truncated: Bool[Array, ""]
    amp_obs: Float[Array, " feature"] | None
    episode_return: Float[Array, ""]
    episode_length: Int[Array, ""]
    terms: dict[str, Array]
    metrics: dict[str, Array]


class FunctionalStep(NamedTuple):
    """A ready-made `Step` for your own environment, with the same attributes.

    `amp_obs`, `terms`, `metrics` and `critic_obs` can be left out.

    Example:
        >>> step = FunctionalStep(obs, final_obs, reward, fell, timed_out, total, length)
    """

    obs: Any
    final_obs: Any
    reward: Any
    terminated: Any
    truncated: Any
    episode_return: Any
    episode_length: Any
    amp_obs: Any = None
    terms: dict[str, Any] = {}  # noqa: RUF012
    metrics: dict[str, Any] = {}  # noqa: RUF012
    critic_obs: Any = None


@runtime_checkable
class FunctionalEnv(Protocol):
    """One environment as pure JAX functions, used under `vmap`, `scan` and `jit`.

    It is hashable: equal environments share their compiled functions. It may have `amp_layout`,
    `mirror` and `critic_dim`, as vector environments do.

    Attributes:
        observation_space: space of one environment's observation.
        action_space: space of one environment's action.
    """

    observation_space: gym.spaces.Space[Any]
    action_space: gym.spaces.Space[Any]

    def reset(self, key: Array) -> Any:
        """A state at the start of an episode.

        It is one pytree of arrays, whose `obs` is the observation for the next action. For
        `AMPPPO(critic_obs=True)`, its `critic_obs` is what the critic sees then.
        """

    def step(self, state: Any, action: Array) -> tuple[Any, Step]:
        """One step. An episode that ends is restarted inside; `Step` says what was before."""


class BatchedFunctions(NamedTuple):
    """`reset` and `step` of a batch of environments, each compiled once for each shape.

    The leading axis of all arguments and results is the environments'.
    """

    reset: Any
    step: Any


@lru_cache(maxsize=16)
def _batched(env: Any) -> BatchedFunctions:
    return BatchedFunctions(jax.jit(jax.vmap(env.reset)), jax.jit(jax.vmap(env.step)))


def batched(env: Any) -> BatchedFunctions:
    """The batched functions of `env`, shared by equal environments.

    Raises:
        ConfigError: the environment is not hashable.
    """
    try:
        return _batched(env)
    except TypeError as error:
        if "unhashable" not in str(error):
            raise
        raise ConfigError(
            f"{type(env).__name__} is not hashable ({error}); a functional environment needs a "
            "hash, for instance object's own: make it a plain class, or a dataclass with eq=False."
        ) from error


def step_infos(step: Step) -> dict[str, Any]:
    """The infos of a step by name: its reward terms as `reward_<name>`, then its metrics."""
    terms = {f"reward_{name}": value for name, value in (step.terms or {}).items()}
    diverged = getattr(step, "diverged", None)  # WildRobot's: a simulation that blew up
    return terms | dict(step.metrics or {}) | ({} if diverged is None else {"diverged": diverged})


def functional_of(vector_env: VectorEnv) -> FunctionalEnv | None:
    """The functional environment behind a vector environment without wrappers, or None.

    It is also None where a subclass has a `step` or `reset` of its own, which a program that calls
    the functional environment would bypass.
    """
    functional = getattr(vector_env, "functional", None)
    if isinstance(vector_env, VectorWrapper) or functional is None:
        return None
    kind = type(vector_env)
    takes_state = next((base for base in kind.__mro__ if "functional_state" in vars(base)), kind)
    changed = any(
        getattr(kind, name) is not getattr(takes_state, name) for name in ("step", "reset")
    )
    return None if changed else functional
