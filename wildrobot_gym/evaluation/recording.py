"""What the walk benchmark reads: a few arrays of physics state at each control step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import jax
import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import numpy_tilt, numpy_yaw
from wildrobot_gym.task.contact import foot_loads, sole_heights

Policy = Callable[[np.ndarray], np.ndarray]
"""Observations (num_envs, obs) to actions (num_envs, joint) in -1 ... 1."""


@dataclass(frozen=True)
class Recording:
    """Control steps of many environments: float32, world frame, SI units.

    Index t is the state after step t + 1. `alive` is true while the first episode lasts; the steps
    after a fall do not count.
    """

    alive: Bool[np.ndarray, "time env"]
    base_pos_w: Float[np.ndarray, "time env 3"]
    yaw: Float[np.ndarray, "time env"]  # rad, unwrapped over time by the reader
    tilt: Float[np.ndarray, "time env"]  # between the base's z and the world's, rad
    base_lin_vel_w: Float[np.ndarray, "time env 3"]
    base_ang_vel: Float[np.ndarray, "time env 3"]  # base frame, rad/s
    joint_pos: Float[np.ndarray, "time env joint"]
    joint_vel: Float[np.ndarray, "time env joint"]
    torque: Float[np.ndarray, "time env joint"]
    action: Float[np.ndarray, "time env joint"]  # as the policy gave it
    foot_force: Float[np.ndarray, "time env foot"]  # sum over the foot's pads, N
    # Tangential speed of the pads, weighted by the load each carries, m/s.
    foot_speed: Float[np.ndarray, "time env foot"]
    foot_pos_w: Float[np.ndarray, "time env foot 3"]
    # Of the sole's lowest corner over the ground under it, m.
    sole_height: Float[np.ndarray, "time env foot"]

    @property
    def num_steps(self) -> int:
        """Number of control steps."""
        return len(self.alive)

    @property
    def num_envs(self) -> int:
        """Number of environments."""
        return self.alive.shape[1]

    def envs(self, which: slice) -> Recording:
        """The recording of some of the environments."""
        return Recording(**{f.name: getattr(self, f.name)[:, which] for f in fields(self)})


def read_step(
    robot: RobotModel, state: PhysicsState, action: np.ndarray, alive: np.ndarray
) -> dict[str, np.ndarray]:
    """One step of a `Recording`, as copies of the engine's arrays."""
    qpos, qvel = np.asarray(state.qpos), np.asarray(state.qvel)
    pad_speed = np.linalg.norm(np.asarray(state.pad_vel_w)[..., :2], axis=-1)
    force, speed = foot_loads(np.asarray(state.pad_forces), pad_speed, robot.pad_ids_of_foot)
    return {
        "alive": alive.copy(),
        "base_pos_w": qpos[:, :3].copy(),
        "yaw": numpy_yaw(qpos[:, 3:7]),
        "tilt": numpy_tilt(qpos[:, 3:7]),
        "base_lin_vel_w": qvel[:, :3].copy(),
        "base_ang_vel": qvel[:, 3:6].copy(),
        "joint_pos": qpos[:, 7:].copy(),
        "joint_vel": qvel[:, 6:].copy(),
        "torque": np.array(state.actuator_forces),
        "action": np.array(action, np.float32),
        "foot_force": force,
        "foot_speed": speed,
        "foot_pos_w": np.array(state.foot_pos_w),
        "sole_height": sole_heights(robot, jax.tree.map(np.asarray, state)),
    }


def record(
    env: WildRobotVectorEnv,
    policy: Policy,
    commands: Float[np.ndarray, "env 3"] | Float[np.ndarray, "time env 3"],
    num_steps: int,
    seed: int,
    on_step: Callable[[int, PhysicsState], Any] | None = None,
    start: tuple[Float[np.ndarray, "env nq"], Float[np.ndarray, "env nv"]] | None = None,
    until_all_fell: bool = False,
) -> Recording:
    """Run a policy at given commands and keep what the metrics need.

    Args:
        env: The environment, with autoreset DISABLED: a robot that falls stays down.
        policy: Maps observations to actions.
        commands: Command of each environment, for all steps or for each step: vx and vy in m/s,
            yaw rate in rad/s.
        num_steps: Number of control steps.
        seed: Random seed of the initial states.
        on_step: Called after every step with its number and the state, for video and progress.
        start: Positions and velocities to begin with; by default the environment draws them.
        until_all_fell: End the recording where no robot is left.
    """
    script = commands if commands.ndim == 3 else commands[None]
    obs = env.begin_with(script[0], seed, start)
    alive = np.ones(env.num_envs, bool)
    rows = []
    for step in range(num_steps):
        if 0 < step < len(script) and (script[step] != script[step - 1]).any():
            env.set_commands(script[step])
        action = np.asarray(policy(obs))
        obs, _, terminated, _, _ = env.step(action)
        state = env.physics_state
        alive &= ~terminated
        rows.append(read_step(env.robot, state, action, alive))
        if on_step is not None:
            on_step(step, state)
        if until_all_fell and not alive.any():
            break
    return Recording(**{name: np.stack([row[name] for row in rows]) for name in rows[0]})
