"""rl_zoo3's hook for vector environments: robots in one batch, not in many environments."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker
from gymnasium.wrappers.common import TimeLimit
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, VecMonitor

from amp_sbx import GymnasiumVecEnv
from wildrobot_gym.errors import ConfigError

_OURS = "wildrobot_gym."
# What `gym.make` and SB3's `make_vec_env` add; the batch does without them.
_USUAL = (Monitor, OrderEnforcing, PassiveEnvChecker, TimeLimit)


def is_batched(env_id: str) -> bool:
    """Whether an environment is one of this package's, which step all robots together."""
    return str(gym.spec(env_id).vector_entry_point).startswith(_OURS)


def batched_vec_env(env_fns: Sequence[Callable[[], gym.Env]], **kwargs: Any) -> VecEnv:
    """One natively batched environment for as many robots as there are functions.

    It is called as SB3's classes are. Environments of other packages become what rl_zoo3 makes of
    them: a `DummyVecEnv` of one, or a `SubprocVecEnv`.

    Args:
        env_fns: Make one environment each. The first is called to see what it makes.
        **kwargs: For SB3's classes.

    Raises:
        ConfigError: The environments have wrappers, which a batch cannot have.
    """
    probe = env_fns[0]()
    spec = copy.copy(probe.unwrapped.spec)
    if spec is None or not is_batched(spec.id):
        probe.close()
        separate = DummyVecEnv if len(env_fns) == 1 else SubprocVecEnv
        return separate(list(env_fns), **kwargs)
    usual = _usual_wrappers(probe)
    probe.close()
    monitor, limit = usual.get(Monitor), usual.get(TimeLimit)
    spec.max_episode_steps = None if limit is None else limit._max_episode_steps
    env = GymnasiumVecEnv(
        gym.make_vec(
            spec,
            num_envs=len(env_fns),
            vectorization_mode="vector_entry_point",
            autoreset_mode=AutoresetMode.SAME_STEP,
        )
    )
    if env.vector_env.unwrapped.functional is not None:  # type: ignore[attr-defined]
        return env  # a wrapper would keep the loop from running on the device
    writer = None if monitor is None else monitor.results_writer
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The environment is already wrapped")
        if writer is None:
            return VecMonitor(env)
        keywords = () if monitor is None else monitor.info_keywords
        return VecMonitor(env, writer.file_handler.name, keywords)


def wrapper_error(names: str, env_id: str) -> ConfigError:
    """Wrappers around single environments, which would be left out without a word."""
    return ConfigError(
        f"env_wrapper asks for {names} around single environments, but {env_id} steps all robots"
        " in one. Use vec_env_wrapper or a setting in env_kwargs. Or pass --vec-env subproc, which"
        " steps single environments in processes."
    )


def _usual_wrappers(probe: gym.Env) -> dict[type[gym.Wrapper], Any]:
    """The wrappers that every environment has, by class.

    Raises:
        ConfigError: It has others.
    """
    usual: dict[type[gym.Wrapper], Any] = {}
    others, env = [], probe
    while isinstance(env, gym.Wrapper):
        kinds = [kind for kind in _USUAL if isinstance(env, kind)]
        if kinds:
            usual[kinds[0]] = env
        else:
            others.append(type(env).__name__)
        env = env.env
    if others:
        probe.close()
        raise wrapper_error(", ".join(others), str(getattr(env.spec, "id", env)))
    return usual
