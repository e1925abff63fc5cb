"""Instants of real rollouts, to compare an exported policy with the one it was made of."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, fields
from typing import Any

import jax
import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.evaluation.benchmark import make_env
from wildrobot_gym.rotations import rotate_inverse
from wildrobot_gym.training.policy import LoadedPolicy

FASTEST = 0.8  # m/s; a policy that was trained for less still shows how it is exported
SIDEWAYS, TURNING = 0.1, 0.5  # m/s, rad/s; of some of the robots


@dataclass(frozen=True)
class Instants:
    """What robots sensed, and what the environment and the policy made of it.

    Episodes from their start, one robot after the other. The sensors are those of
    `wildrobot_gym.deploy.Sensors`. All arrays but `begins` are float32.
    """

    begins: Bool[np.ndarray, " instant"]  # an episode's first

    joint_pos: Float[np.ndarray, "instant joint"]  # rad
    joint_vel: Float[np.ndarray, "instant joint"]  # rad/s
    quat: Float[np.ndarray, "instant 4"]  # of the base, wxyz
    gyro: Float[np.ndarray, "instant 3"]  # base frame, rad/s
    lin_vel: Float[np.ndarray, "instant 3"]  # of the base in its own frame, m/s
    foot_switches: Float[np.ndarray, "instant pad"]  # 1 where closed
    command: Float[np.ndarray, "instant 3"]  # vx m/s, vy m/s, yaw rate rad/s
    observation: Float[np.ndarray, "instant obs"]
    action: Float[np.ndarray, "instant joint"]  # the policy's, raw
    filtered: Float[np.ndarray, "instant joint"]
    target: Float[np.ndarray, "instant joint"]  # rad

    def arrays(self) -> dict[str, Any]:
        """All arrays by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def first(self, robots: int, steps: int) -> Instants:
        """The first `steps` of `robots` episodes, evenly spread over all."""
        starts = np.flatnonzero(self.begins)
        chosen = starts[np.linspace(0, len(starts) - 1, robots).round().astype(int)]
        ends = np.append(starts[1:], len(self.begins))
        rows = [np.arange(i, min(i + steps, ends[ends > i][0])) for i in chosen]
        every = np.concatenate(rows)
        return Instants(**{name: array[every] for name, array in self.arrays().items()})


def record_instants(policy: LoadedPolicy, num_envs: int, num_steps: int, seed: int = 0) -> Instants:
    """Run a policy in MuJoCo at speeds from 0 to 0.8 m/s.

    Some robots also turn or go sideways, as far as the policy was trained to. The sensors are
    exact. A robot that falls is left out from then.

    Args:
        policy: The policy.
        num_envs: Number of robots.
        num_steps: Control steps of each.
        seed: Random seed of the initial states.
    """
    commands = np.zeros((num_envs, 3), np.float32)
    commands[:, 0] = np.linspace(0.0, FASTEST, num_envs)
    trained = policy.command
    commands[1::3, 2] = np.clip(TURNING, *trained.yaw_rate)
    commands[2::3, 1] = np.clip(SIDEWAYS, *trained.vy)
    steps: list[dict[str, Any]] = []
    with closing(make_env(policy.env_kwargs, num_envs, num_steps=num_steps)) as env:
        control = env.task.control  # type: ignore[attr-defined]

        def filter_and_targets(before: Any, action: Any) -> tuple[Any, Any]:
            filtered = control.filtered(before, action)
            return filtered, control.targets(control.home, filtered)

        applied = jax.jit(jax.vmap(filter_and_targets))
        obs = env.begin_with(commands, seed)
        filtered = np.zeros((num_envs, env.robot.num_joints), np.float32)
        alive = np.ones(num_envs, bool)
        switch_force = env.config.observation.switch_force
        for i in range(num_steps):
            state = env.physics_state
            qpos, qvel = np.array(state.qpos), np.array(state.qvel)
            action = policy(obs)
            filtered, target = (np.array(x) for x in applied(filtered, action))
            step = {
                "robot": np.arange(num_envs),
                "begins": np.full(num_envs, i == 0),
                "joint_pos": qpos[:, 7:],
                "joint_vel": qvel[:, 6:],
                "quat": qpos[:, 3:7],
                "gyro": qvel[:, 3:6],
                "lin_vel": np.array(rotate_inverse(qpos[:, 3:7], qvel[:, :3])),
                "foot_switches": np.asarray(state.pad_forces) > switch_force,
                "command": commands,
                "observation": obs,
                "action": action,
                "filtered": filtered,
                "target": target,
            }
            steps.append({name: array[alive] for name, array in step.items()})
            obs, _, terminated, _, _ = env.step(action)
            alive &= ~terminated
    whole = {name: np.concatenate([step[name] for step in steps]) for name in steps[0]}
    order = np.argsort(whole.pop("robot"), kind="stable")
    kept = {name: array[order].astype(np.float32) for name, array in whole.items()}
    return Instants(**kept | {"begins": whole["begins"][order]})
