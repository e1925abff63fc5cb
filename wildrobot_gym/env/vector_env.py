"""WildRobotVectorEnv: many robots that walk at commanded velocities."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wildrobot_gym.env.arguments import velocity_commands
from wildrobot_gym.env.robot_vector_env import RobotVectorEnv
from wildrobot_gym.env.simulation import HostSimulation
from wildrobot_gym.env.tasks import walk_task
from wildrobot_gym.errors import ActionError, ConfigError
from wildrobot_gym.task.walk import WalkTask


class WildRobotVectorEnv(RobotVectorEnv):
    """`num_envs` walking robots, stepped together. `WildRobotEnv` has the specification.

    The infos of every step hold, for all environments and from before any autoreset:

    - `amp_obs` (num_envs, feature_dim)
    - `reward_<term>` (num_envs,) for each reward term; they sum to the reward
    - `gait_<metric>` (num_envs,) for each gait metric
    - `forward_velocity`, `velocity_error`, `is_success` and `diverged` (num_envs,)

    With `privileged` channels they also hold `critic_obs` (num_envs, critic_dim), which belongs to
    the observations beside it. After a restart it is the new episode's, and `final_info` has the
    one from before.

    All arrays that `reset` and `step` return are copies: a later step changes none of them, and
    writing into them changes no later step.

    Args:
        num_envs: Number of robots, 1 or more.
        max_episode_steps: Time limit in control steps; None: none.
        backend: Physics engine: 'native' (MuJoCo's batch on threads), 'mjx' (JAX), 'native-jax'
            (MuJoCo's batch inside JAX programs), or 'auto': 'mjx' where JAX's default device is an
            accelerator, and 'native' otherwise.
        num_threads: Threads of 'native'; 0 takes every CPU.
        autoreset_mode: NEXT_STEP (Gymnasium's default), SAME_STEP (which Stable-Baselines3 needs),
            or DISABLED (reset finished environments by `reset(options={"reset_mask": mask})`).
        reference: Motions to begin episodes in (`reset.reference_fraction`): a file, or a shipped
            name.
        render_mode: None, 'rgb_array', or 'human' (a window on the first environment).
        width: Width of a picture, pixels.
        height: Height of a picture, pixels.
        camera: Name of the camera.
        **settings: The fields of `wildrobot_gym.task.config.EnvConfig`, as objects or as plain
            mappings.

    Raises:
        ConfigError: a setting is unknown or out of range.

    Example:
        >>> env = gym.make_vec("WildRobot-v0", num_envs=1024)
        >>> env.set_commands(vx=0.6)
        >>> obs, infos = env.reset(seed=0)
    """

    task: WalkTask

    @property
    def command(self) -> np.ndarray:
        """Present commands (num_envs, 3): vx m/s, vy m/s, yaw rate rad/s."""
        if self._simulation.task_state is None:
            raise ActionError("command was read before reset().")
        return np.array(self._simulation.task_state.command)

    def set_commands(
        self, commands: Any = None, *, vx: Any = None, vy: Any = None, yaw_rate: Any = None
    ) -> None:
        """Command a velocity in every environment and hold it until `release_commands`.

        Held commands survive resets. Observations show them from the next step or reset on. Before
        the first reset this resets all environments.

        Args:
            commands: (num_envs, 3) velocities: vx m/s, vy m/s, yaw rate rad/s.
            vx: Forward velocity, m/s: one number, or (num_envs,). 0 by default.
            vy: Velocity to the left, m/s: one number, or (num_envs,). 0 by default.
            yaw_rate: Turning rate to the left, rad/s: one number, or (num_envs,). 0 by default.

        Raises:
            ConfigError: both forms or none are given, a shape does not fit, or a number is not
                finite.

        Example:
            >>> env.set_commands(vx=0.6)
            >>> env.set_commands(vx=np.linspace(0.2, 0.8, env.num_envs), yaw_rate=0.3)
        """
        wanted = velocity_commands(self.num_envs, commands, vx, vy, yaw_rate)
        if self._simulation.task_state is None:
            self.reset()
        task = self._simulation.task_state
        # A velocity error under the old command counts as closed (`is_success`).
        changed = jnp.any(task.command != wanted, axis=1)
        closed = jnp.where(changed, jnp.abs(task.velocity_error_sum), 0.0)
        self._simulation.task_state = dataclasses.replace(
            task,
            command=jnp.asarray(wanted),
            command_held=jnp.ones(self.num_envs, bool),
            velocity_error_sum=jnp.where(changed, 0.0, task.velocity_error_sum),
            velocity_error_closed=task.velocity_error_closed + closed,
        )

    def release_commands(self) -> None:
        """Let resets and the resampling interval draw commands again."""
        if self._simulation.task_state is not None:
            self._simulation.task_state = dataclasses.replace(
                self._simulation.task_state, command_held=jnp.zeros(self.num_envs, bool)
            )

    def push(self, force: Any) -> None:
        """Push the base of every robot until the next call or a reset, for viewers.

        Args:
            force: (3,) or (num_envs, 3) at the base's center of mass, N, in the world frame.

        Raises:
            ConfigError: the backend is not 'native'.
        """
        if not isinstance(self._simulation, HostSimulation):
            raise ConfigError(f"backend is {self.backend!r}; push needs 'native'.")
        wrench = np.zeros((self.num_envs, 6))
        wrench[:, :3] = force
        self._simulation.physics.push_base(wrench)

    def begin_with(
        self, commands: Any, seed: int, start: tuple[Any, Any] | None = None
    ) -> np.ndarray:
        """Begin new episodes everywhere with these commands held.

        Args:
            commands: (num_envs, 3), as `set_commands` takes them.
            seed: Of the reset.
            start: Positions (num_envs, nq) and velocities (num_envs, nv) to begin at, without
                noise; by default a reset draws them. As at any reset, a robot whose soles are
                more than 1 mm in the floor is lifted to that depth.

        Returns:
            The first observations, which show the commands.
        """
        self.reset(seed=seed)
        self.set_commands(commands)
        obs, _ = self.reset()
        if start is None:
            return obs
        drawn = jax.vmap(self.task.draw_start)(self._simulation.task_state.key)
        qpos, qvel = (jnp.asarray(part, jnp.float32) for part in start)
        placed = dataclasses.replace(
            drawn, qpos=qpos, qvel=qvel, from_reference=jnp.zeros(self.num_envs, bool)
        )
        self._simulation.begin_at(placed, self._whole_episodes)
        return self._seen("obs")

    def _make_task(self, reference: str | None, max_episode_steps: int | None) -> WalkTask:
        return walk_task(self.robot, self.config, reference, max_episode_steps)
