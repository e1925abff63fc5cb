"""Which environments a fused loop can drive, and checks that they are what they claim to be."""

from typing import Any

import jax
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from stable_baselines3.common.vec_env import VecEnv

from amp_sbx.common.checks import check_choice, check_integer
from amp_sbx.common.errors import ConfigError, FeatureError
from amp_sbx.common.functional import functional_of
from amp_sbx.common.vec_env import GymnasiumVecEnv

COLLECT = ("auto", "fused", "host")
"""`collect` of `AMPPPO`."""

_STEP_FIELDS = (
    "obs", "final_obs", "reward", "terminated", "truncated", "amp_obs", "episode_return",
    "episode_length", "terms", "metrics",
)  # fmt: skip


def check_collect(collect: Any, iterations_per_call: Any, devices: Any) -> None:
    """Raise `ConfigError` unless all are allowed values."""
    check_choice("collect", collect, COLLECT)
    check_integer("iterations_per_call", iterations_per_call, 1)
    if devices is not None:
        check_integer("devices", devices, 1)


def fused_source(model: Any, env: VecEnv) -> VectorEnv | None:
    """The vector environment whose state a fused loop borrows; None to collect on the host.

    It has `functional` and `functional_state`.

    Raises:
        ConfigError: `collect` is "fused" and something is missing, or `iterations_per_call` is
            above 1 and the loop is not fused.
    """
    missing = None if model.collect == "host" else _missing(model, env)
    if model.collect == "fused" and missing is not None:
        raise ConfigError(f"collect is 'fused', but {missing}; allowed here: 'auto' or 'host'.")
    if model.collect == "host" or missing is not None:
        if model.iterations_per_call > 1:
            why = "collect is 'host'" if missing is None else missing
            raise ConfigError(
                f"iterations_per_call is {model.iterations_per_call}, which needs the fused loop, "
                f"but {why}. Set it to 1."
            )
        if (model.devices or 1) > 1:
            raise ConfigError(
                f"devices is {model.devices}, but only the fused loop uses more than one; leave it "
                "out."
            )
        if jax.process_count() > 1:
            raise ConfigError(
                f"only the fused loop runs in {jax.process_count()} processes, but "
                f"{missing or 'collect is host'}. Take a functional environment, for instance "
                "backend mjx."
            )
        return None
    source: VectorEnv = env.vector_env  # type: ignore[attr-defined]
    return source


def _missing(model: Any, env: VecEnv) -> str | None:
    """What keeps the fused loop from driving these environments; None if nothing does."""
    if type(env) is not GymnasiumVecEnv:
        return (
            f"the environment is a {type(env).__name__}, whose Python code the loop would bypass; "
            "give the vector environment itself, or FunctionalVectorEnv(env, num_envs)"
        )
    if functional_of(env.vector_env) is None:
        return (
            f"{type(env.vector_env).__name__} is no functional environment without wrappers: its "
            "`functional` is missing or None"
        )
    if not isinstance(env.observation_space, spaces.Box) or len(env.observation_space.shape) != 1:
        return f"the observation space is {env.observation_space}, not a Box of one axis"
    box = isinstance(env.action_space, spaces.Box) and len(env.action_space.shape) == 1
    if not box and not isinstance(env.action_space, spaces.Discrete):
        return f"the action space is {env.action_space}, not a Box of one axis or Discrete"
    if isinstance(env.action_space, spaces.Discrete) and env.action_space.start != 0:
        return f"the action space is {env.action_space}, whose first action is not 0"
    if model.use_sde:
        return "use_sde is on, whose noise the loop does not keep"
    return None


def check_functional(model: Any, functional: Any, step: Any, states: Any) -> None:
    """Check by an abstract evaluation that a step fits the loop, before anything is compiled.

    Args:
        model: the algorithm.
        functional: the environment.
        step: its batched step.
        states: states of all environments.

    Raises:
        ConfigError: the step branches on a traced value, changes the state's structure, shapes or
            types, or its results do not fit the spaces.
        FeatureError: it gives no AMP observations, or others than the reference's; or no
            `critic_obs` of the critic's width.
    """
    name = type(functional).__name__
    kind = np.float32 if isinstance(model.action_space, spaces.Box) else np.int32
    actions = np.zeros((model.n_envs, *model.action_space.shape), kind)
    leaves, structure = jax.tree.flatten((states, actions))

    def look(*leaves: Any) -> tuple[()]:
        states, actions = jax.tree.unflatten(structure, leaves)
        after, result = step(states, actions)
        _check_state(name, states, after)
        if model.critic_inputs is not None:
            width = model.critic_inputs.dim
            _check_critic_obs(f"{name}'s state", states, (model.n_envs, width))
        _check_result(name, model, result)
        return ()

    try:
        jax.eval_shape(look, *leaves)
    except (
        jax.errors.ConcretizationTypeError,
        jax.errors.TracerArrayConversionError,
        jax.errors.TracerIntegerConversionError,
        jax.errors.NonConcreteBooleanIndexError,
    ) as error:
        raise ConfigError(
            f"{name}.step depends in Python on a value that is known only when it runs: "
            f"{str(error).splitlines()[0]} Use jax.lax.cond, jnp.where and jnp functions."
        ) from error


def _check_result(name: str, model: Any, result: Any) -> None:
    n_envs = model.n_envs
    if missing := [field for field in _STEP_FIELDS if not hasattr(result, field)]:
        raise ConfigError(f"{name}.step's second result has no {', '.join(missing)}.")
    shape = (n_envs, *model.observation_space.shape)
    for field in ("obs", "final_obs"):
        _check_shape(name, field, getattr(result, field).shape, shape)
    for field in ("reward", "terminated", "truncated", "episode_return", "episode_length"):
        _check_shape(name, field, getattr(result, field).shape, (n_envs,))
    if model.critic_inputs is not None:
        _check_critic_obs(f"{name}.step's result", result, (n_envs, model.critic_inputs.dim))
    if model.learner is None:
        return
    if result.amp_obs is None:
        raise FeatureError(
            f"no AMP observations: {name}.step gives amp_obs None. To train without AMP, pass "
            "amp=None."
        )
    if result.amp_obs.ndim != 2 or result.amp_obs.shape[1] != model.learner.feature_dim:
        raise FeatureError(
            f"{name}.step's amp_obs has {' x '.join(map(str, result.amp_obs.shape[1:]))} "
            f"columns, the reference has {model.learner.feature_dim}; build both with the same "
            "feature settings."
        )


def _check_critic_obs(owner: str, of: Any, wanted: tuple[int, ...]) -> None:
    seen = getattr(of, "critic_obs", None)
    if seen is None or seen.shape != wanted:
        got = "none" if seen is None else f"one of shape {seen.shape[1:]}"
        raise FeatureError(
            f"critic_obs is on, but {owner} has {got} in critic_obs; expected {wanted[1:]}, as "
            "critic_dim says. Both the state and the step give it."
        )


def _check_shape(name: str, field: str, got: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if got != wanted:
        raise ConfigError(
            f"{name}.step's {field} has shape {got[1:]}, allowed is {wanted[1:]} (one environment)."
        )


def _check_state(name: str, before: Any, after: Any) -> None:
    structures: list[Any] = [jax.tree.structure(tree) for tree in (before, after)]
    if structures[0] != structures[1]:
        raise ConfigError(
            f"{name}.step changes the structure of the state: {structures[0]} before, "
            f"{structures[1]} after. Return a state like the one that was given."
        )
    old, new = (jax.tree_util.tree_leaves_with_path(tree) for tree in (before, after))
    for (path, was), (_, now) in zip(old, new, strict=True):
        if was.shape != now.shape or was.dtype != now.dtype:
            raise ConfigError(
                f"{name}.step changes the state's entry {jax.tree_util.keystr(path)} from "
                f"{was.dtype}{was.shape[1:]} to {now.dtype}{now.shape[1:]}. Keep shapes and types, "
                "for instance with .astype()."
            )
    if not hasattr(before, "obs"):
        raise ConfigError(f"{name}'s state has no `obs`, the observation for the next action.")
