"""The single measurements of the speed benchmark, in control steps of one robot per second."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import gymnasium as gym
import jax
import mujoco.batch
import numpy as np
import sbx
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import SubprocVecEnv

from amp_sbx import InfoMetricsCallback
from amp_sbx.algorithm.cloning import CloningConfig, clone
from amp_sbx.common.errors import AMPError
from amp_sbx.common.schedules import parse_schedule
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import RunError
from wildrobot_gym.paths import POLICIES
from wildrobot_gym.physics.base import substeps
from wildrobot_gym.training.config import RunConfig
from wildrobot_gym.training.model import make_model, make_reference, make_vec_env
from wildrobot_gym.training.policy import LoadedPolicy, load_policy
from wildrobot_gym.training.train import GROUPS, METRICS

SHIPPED = "walk"
SETTLE_STEPS = 100  # 2 s: robots are walking and spread over their strides
ITERATIONS = 1  # of learning in one timed repeat
IMITATION = CloningConfig(steps=2000)  # enough to walk


@dataclass
class Workload:
    """States of a walking policy with the actions and controls that follow.

    Attributes:
        env: The environment.
        policy: The shipped policy; None if it does not fit.
        source: Where the states come from, for people to read.
        state: The environment's state before the first action.
        observations: (time, env, obs), before each action.
        actions: (time, env, joint), from -1 to 1.
        controls: (time, env, joint), in rad.
    """

    env: WildRobotVectorEnv
    policy: LoadedPolicy | None
    source: str
    state: dict[str, np.ndarray]
    observations: np.ndarray
    actions: np.ndarray
    controls: np.ndarray

    def __post_init__(self) -> None:
        robot = self.env.robot
        self._batch = mujoco.batch.Batch(robot.simulated.model, self.env.num_envs, 0)
        self._ctrl = self._batch.bind("ctrl")
        self._substeps = substeps(robot, self.env.config.control_dt)

    def raw_physics(self) -> float:
        """Speed of `Batch.step` alone, on all threads: no sensors, rewards or resets."""
        self._batch.state[:] = self.state["physics_rows"]
        began = time.perf_counter()
        for controls in self.controls:
            self._ctrl[:] = controls
            self._batch.step(nstep=self._substeps)
        return self.actions.shape[0] * self.env.num_envs / (time.perf_counter() - began)

    def vector_env(self) -> float:
        """Speed of the whole environment, from the same states with the same actions."""
        self.env.set_state(self.state)
        began = time.perf_counter()
        for actions in self.actions:
            self.env.step(actions)
        return self.actions.shape[0] * self.env.num_envs / (time.perf_counter() - began)


def walking_workload(config: RunConfig, num_steps: int) -> Workload:
    """Record what the shipped policy does.

    Args:
        config: The run config whose environment is used.
        num_steps: Control steps to record.

    Returns:
        The recording; of small random actions if the policy does not fit.
    """
    policy, source = None, "no shipped policy fits: states and actions of small random actions"
    env: Any = make_vec_env(config).vector_env.unwrapped
    if (POLICIES / SHIPPED).is_dir():
        try:
            policy = load_policy(SHIPPED)
            if policy.model.observation_space == env.single_observation_space:
                source = f"states and actions of the shipped policy {SHIPPED!r}"
            else:
                policy = None
        except (AMPError, RunError) as error:
            source = f"{source} ({error})"
    rng = np.random.default_rng(0)

    def act(obs: np.ndarray) -> np.ndarray:
        if policy is not None:
            return policy(obs)
        return rng.uniform(-0.1, 0.1, (env.num_envs, env.robot.num_joints)).astype(np.float32)

    obs, _ = env.reset(seed=0)
    for _ in range(SETTLE_STEPS):
        obs, *_ = env.step(act(obs))
    state = env.get_state()
    ctrl, rows = env._simulation.physics.batch.bind("ctrl"), []
    for _ in range(num_steps):
        before, actions = obs, act(obs)
        obs, *_ = env.step(actions)
        rows.append((before, actions, ctrl.copy()))
    observations, actions, controls = map(np.array, zip(*rows, strict=True))
    return Workload(env, policy, source, state, observations, actions, controls)


def train_case(
    config: RunConfig, work: Workload, kind: Literal["amp", "no_amp", "sbx"]
) -> Callable[[], float]:
    """Prepare and compile a training.

    Args:
        config: The run config.
        work: The walk to start from, so that the robots do not lie on the floor.
        kind: With AMP, without it, or the stock `sbx.PPO` with the same hyperparameters.

    Returns:
        A function that runs one iteration, collection included, and returns its speed.
    """
    if kind != "amp":
        config = replace(config, amp=None, reference=None)
    env = make_vec_env(config)
    model: Any
    if kind == "sbx":
        arguments = config.ppo.arguments() | {
            "policy_kwargs": make_model(config, env, None).policy_kwargs
        }
        stock = inspect.signature(sbx.PPO.__init__).parameters
        arguments = {name: value for name, value in arguments.items() if name in stock}
        for name in ("learning_rate", "clip_range"):
            arguments[name] = parse_schedule(arguments[name], name)
        model = sbx.PPO(config.ppo.policy, env, seed=config.seed, **arguments)
    else:
        model = make_model(config, env, make_reference(config, env))
    if work.policy is not None:
        start_like(model, work.policy, work.observations, work.actions)
    model.set_logger(Logger(None, []))
    per_repeat = ITERATIONS * config.ppo.n_steps * config.env.n_envs

    def run() -> float:
        began = time.perf_counter()
        model.learn(
            per_repeat, InfoMetricsCallback(METRICS, groups=GROUPS), reset_num_timesteps=False
        )
        return per_repeat / (time.perf_counter() - began)

    for _ in range(2):  # compile
        run()
    return run


def start_like(
    model: Any, policy: LoadedPolicy, observations: np.ndarray, actions: np.ndarray
) -> None:
    """Begin as a policy does: with its networks, or by imitating it where a model has others.

    Args:
        model: An `AMPPPO` or `sbx.PPO`.
        policy: The policy.
        observations: (time, env, obs) that it saw.
        actions: (time, env, joint), what it did then.
    """
    shipped, own = policy.model.policy, model.policy
    theirs = shipped.actor_state.params, shipped.vf_state.params
    ours = own.actor_state.params, own.vf_state.params
    if jax.tree.map(np.shape, ours) == jax.tree.map(np.shape, theirs):
        own.actor_state = own.actor_state.replace(params=theirs[0])
        own.vf_state = own.vf_state.replace(params=theirs[1])
        return
    seen, done = (array.reshape(-1, array.shape[-1]) for array in (observations, actions))
    own.actor_state, _ = clone(IMITATION, own.actor_state, seen, done, jax.random.PRNGKey(0))


def subproc_speed(processes: int, num_steps: int) -> float:
    """Speed of SB3's SubprocVecEnv, with one process for each environment."""

    def make_one() -> gym.Env:
        import wildrobot_gym  # noqa: F401  (registers the environment in the worker)

        return gym.make("WildRobot-v0", num_threads=1)

    vec_env = SubprocVecEnv([make_one] * processes)
    try:
        vec_env.seed(0)
        vec_env.reset()
        rng = np.random.default_rng(0)
        shape = (processes, *(vec_env.action_space.shape or ()))
        for _ in range(5):
            vec_env.step(rng.uniform(-0.1, 0.1, shape))
        began = time.perf_counter()
        for _ in range(num_steps):
            vec_env.step(rng.uniform(-0.1, 0.1, shape))
        return num_steps * processes / (time.perf_counter() - began)
    finally:
        vec_env.close()


def mjx_speed(num_envs: int, num_steps: int) -> float:
    """Speed of the same environment on MJX, on JAX's default device."""
    env = WildRobotVectorEnv(num_envs, backend="mjx")
    actions = np.zeros((num_envs, env.robot.num_joints), np.float32)
    env.reset(seed=0)
    for _ in range(2):
        env.step(actions)
    began = time.perf_counter()
    for _ in range(num_steps):
        env.step(actions)
    env.close()
    return num_steps * num_envs / (time.perf_counter() - began)
