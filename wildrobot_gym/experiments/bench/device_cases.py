"""The single measurements of a device's benchmark."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger

from wildrobot_gym.env.functional import FunctionalWildRobot
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.engine import Engine
from wildrobot_gym.physics.mjx import MjxEngine, MjxState
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.model import make_model, make_reference, make_vec_env

AMPLITUDE = 0.1  # of the random actions: the robots stand for a while


def rollout_speeds(engine: str, num_envs: int, steps: int, rounds: int) -> dict[str, Any]:
    """Speed of bare physics, of the functional environment and of the vector environment.

    Args:
        engine: Name of the physics engine.
        num_envs: Number of environments.
        steps: Control steps of a timed rollout.
        rounds: Timed rollouts of each kind, taken in turns.

    Returns:
        Control steps of one robot per second, by kind. Beside them are the seconds that compiling
        took, the device's peak memory in bytes if it tells, and the median of the rounds' ratios.
    """
    env = FunctionalWildRobot(engine=engine)
    state = jax.jit(jax.vmap(env.reset))(jax.random.split(jax.random.key(0), num_envs))
    jax.block_until_ready(state)
    cases = {
        "physics": _physics(env.engine, state, steps),
        "functional": _functional(env, state, num_envs, steps),
        "vector_env": _vector_env(engine, num_envs, steps),
    }
    compiled = {f"{name}_first_s": _timed(case) for name, case in cases.items()}
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            seconds[name].append(_timed(case))
    speeds = {
        f"{name}_steps_per_s": num_envs * steps / statistics.median(times)
        for name, times in seconds.items()
    }
    ratios = {
        f"{name}_over_physics": statistics.median(
            a / b for a, b in zip(seconds["physics"], seconds[name], strict=True)
        )
        for name in ("functional", "vector_env")
    }
    stats = jax.devices()[0].memory_stats() or {}
    return speeds | ratios | compiled | {"peak_bytes": stats.get("peak_bytes_in_use")}


class Training:
    """AMP-PPO by the fused loop, for as many iterations as the run config has.

    Args:
        config: Name of the run config.
        engine: Name of the physics engine.
        num_envs: Number of environments.
        overrides: Changes to the run config.

    Attributes:
        steps_per_iteration: Control steps of one robot in an iteration.
        env_kwargs: Settings of the environment.
    """

    def __init__(
        self, config: str, engine: str, num_envs: int, overrides: Sequence[str] = ()
    ) -> None:
        usual = run_config.load(config)
        changes = [f"n_envs={num_envs}", f"env_kwargs.backend={engine}", "collect=fused"]
        loaded = run_config.load(config, [*changes, *overrides])
        env = make_vec_env(loaded)
        self.model: Any = make_model(loaded, env, make_reference(loaded, env))
        self.model.set_logger(Logger(None, []))
        self.steps_per_iteration = loaded.ppo.n_steps * num_envs
        self._steps = loaded.n_timesteps * num_envs // usual.env.n_envs
        self.env_kwargs = loaded.env.arguments()

    def learn(self, judge: Callable[[float], bool]) -> None:
        """Learn until the end.

        Args:
            judge: Gets the seconds of each iteration; False ends the training.
        """
        self.model.learn(self._steps, Iterations(judge))

    def policy(self, obs: np.ndarray) -> np.ndarray:
        """The policy's mean actions."""
        return np.asarray(self.model.predict(obs, deterministic=True)[0])


class Iterations(BaseCallback):
    """Hands the seconds of each iteration to a function, which says whether to continue."""

    def __init__(self, judge: Callable[[float], bool]) -> None:
        super().__init__()
        self._judge, self._began = judge, 0.0

    def _on_rollout_start(self) -> None:
        self._began = time.perf_counter()

    def _on_step(self) -> bool:
        return self._judge(time.perf_counter() - self._began)


def _physics(engine: Engine, state: Any, steps: int) -> Callable[[], Any]:
    """Physics alone, with the servos holding the pose: for MJX, a scan of its step."""
    targets = state.physics.joint_pos

    def one(data: Any, target: Any) -> Any:
        if isinstance(engine, MjxEngine):
            return MjxState.of(engine.physics(data, Drive(target)))
        return engine.step(data, Drive(target))[0]

    def control_step(data: Any, _: None) -> tuple[Any, None]:
        return jax.vmap(one)(data, targets), None

    rollout = jax.jit(lambda data: jax.lax.scan(control_step, data, None, steps)[0])
    return lambda: rollout(state.engine)


def _functional(
    env: FunctionalWildRobot, state: Any, num_envs: int, steps: int
) -> Callable[[], Any]:
    def control_step(state: Any, key: Any) -> tuple[Any, Any]:
        shape = (num_envs, env.robot.num_joints)
        state, step = jax.vmap(env.step)(
            state, jax.random.uniform(key, shape, jnp.float32, -AMPLITUDE, AMPLITUDE)
        )
        return state, step.reward

    keys = jax.random.split(jax.random.key(1), steps)
    rollout = jax.jit(lambda state: jax.lax.scan(control_step, state, keys))
    return lambda: rollout(state)


def _vector_env(engine: str, num_envs: int, steps: int) -> Callable[[], Any]:
    env = WildRobotVectorEnv(num_envs, backend=engine, autoreset_mode="SAME_STEP")
    shape = (steps, num_envs, env.robot.num_joints)
    actions = np.random.default_rng(0).uniform(-AMPLITUDE, AMPLITUDE, shape).astype(np.float32)
    env.reset(seed=0)
    return lambda: [env.step(action)[1] for action in actions]


def _timed(function: Callable[[], Any]) -> float:
    began = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - began
