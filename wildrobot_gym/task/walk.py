"""`WildRobot-v0` as pure functions: walking at a commanded velocity."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task import history
from wildrobot_gym.task.amp_window import AmpWindow
from wildrobot_gym.task.channels import Sample
from wildrobot_gym.task.commands import Commands, known_yaw
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.task.control import ServoControl
from wildrobot_gym.task.fitting import fitted
from wildrobot_gym.task.gait import gait_metrics
from wildrobot_gym.task.observations import Observer
from wildrobot_gym.task.protocol import (
    NO_LIMIT,
    Seen,
    StepOutput,
    episode_steps,
    sharing_key,
)
from wildrobot_gym.task.randomization.channels import seen
from wildrobot_gym.task.randomization.world import World
from wildrobot_gym.task.resets import ReferenceStates, Start, draw_start
from wildrobot_gym.task.reward_terms import reward_terms
from wildrobot_gym.task.rewards import RewardInputs
from wildrobot_gym.task.state import TaskState
from wildrobot_gym.task.step import (
    first_task_state,
    loaded_feet,
    paid,
    reward_inputs,
    support_times,
)
from wildrobot_gym.task.terminations import terminated

SUCCESS_VELOCITY_ERROR = 0.10  # m/s, EVALUATION.md's bar for a success


class WalkTask:
    """The walking task of one robot; a `Task`.

    Args:
        robot: The robot.
        config: All settings.
        max_episode_steps: Control steps after which an episode is truncated; None: never.
        reference: Frames to begin episodes in; needed where `config.reset.reference_fraction` is
            above 0.

    Raises:
        ConfigError: the config does not fit the robot, or reference frames are missing.
    """

    def __init__(
        self,
        robot: RobotModel,
        config: EnvConfig,
        max_episode_steps: int | None = None,
        reference: ReferenceStates | None = None,
    ) -> None:
        if config.commands.curriculum_start < 1 and max_episode_steps is None:
            raise ConfigError(
                "commands.curriculum_start needs episodes that end at a time limit of this"
                " environment: use gym.make_vec, or set it to 1."
            )
        if config.reset.reference_fraction > 0 and reference is None:
            raise ConfigError(
                f"reset.reference_fraction is {config.reset.reference_fraction} but no reference"
                " motion was"
                " given: pass reference=<dataset file>, or set the fraction to 0."
            )
        config = fitted(config, robot)
        config.rewards.terms()  # a missing module is found here, not in the first step
        self.robot, self.config = robot, config
        self.reference = jax.tree.map(jnp.asarray, reference)
        self.max_episode_steps = episode_steps(max_episode_steps)
        self.control = ServoControl(robot, config.action)
        self.world = World(
            *(robot, config.randomization, config.disturbances, config.control_dt),
            config.randomization_fraction,
        )
        self.amp = AmpWindow(robot, config.features, config.control_dt)
        self.layout, self.feature_dim = self.amp.layout, self.amp.dim
        self.commands = Commands(config.commands, config.control_dt)
        self.observer = Observer(robot, config, self.world.channels())
        self.obs_dim, self.critic_dim = self.observer.dim, self.observer.critic_dim
        interval = max(1, round(config.commands.resample_interval_s / config.control_dt))
        self._cycles_per_step = config.observation.clock_hz * config.control_dt
        self._resample_every = min(interval, NO_LIMIT)

    def sharing_key(self) -> str | None:
        """What the functions depend on, as text; None with a user's own reward terms."""
        return sharing_key(self.robot, self.config, self.reference)

    def mirror(self) -> dict[str, list[Any]]:
        """Reflection y -> -y of observation, action and AMP window, by index lists and signs."""
        return self.observer.mirror() | self.amp.mirror()

    def blank(self, key: jax.Array) -> TaskState:
        """A task state for `begin` to start the first episode from."""
        first = first_task_state(key, self.robot, self.amp, self.world, self.max_episode_steps)
        return dataclasses.replace(
            first, course=self.commands.blank(), memory=self.observer.blank()
        )

    def draw_start(self, key: jax.Array) -> Start:
        """Where a new episode begins."""
        amp = self.amp
        return draw_start(
            *(key, self.robot, self.config.reset, self.reference),
            *(amp.past_shape, self.world, amp.any_heading),
        )

    def begin(
        self, before: TaskState, start: Start, state: PhysicsState, episode_limit: Any = None
    ) -> tuple[TaskState, Seen]:
        """Task state of a new episode and what it shows, once physics stands at `start`.

        From the task state `before`, only the random stream, a held command and the curriculum's
        level stay.
        """
        key, command_key = jax.random.split(before.key)
        # A start in a reference frame has the frame's command; the next draw is free.
        kept_speed = (before.step_count >= before.episode_limit) & _keeps_speed(before)
        follows = jnp.where(start.from_reference, start.command, 0.0)
        drawn, course = self.commands.begin(
            command_key, before.course, kept_speed, state.yaw, follows
        )
        command = jnp.where(start.from_reference, follows, drawn)
        command = jnp.where(before.command_held, before.command, command)
        # Features of a reference frame are the frame's own: a robot that has just been put there
        # carries another load.
        own = self.amp.first_frame(state, command=self.commands.asked(command, course))
        frame = jnp.where(start.from_reference, start.features, own)
        past = jnp.where(start.from_reference, start.history, self.amp.fill(frame))
        limit = self.max_episode_steps if episode_limit is None else episode_limit
        action = jnp.where(start.from_reference, self.control.action_at(state.joint_pos), 0.0)
        task = dataclasses.replace(
            self.blank(key),
            episode_limit=jnp.int32(limit),
            start_phase=start.phase,
            command=command,
            command_held=before.command_held,
            action=action,
            history=history.push(past, frame),
            previous_qpos=self.amp.remembered(state),
            course=course,
            draws=start.draws,
            world=start.world,
        )
        sample = self._sample(task, state)
        memory, obs, critic_obs = self.observer.begin(_sensor_key(command_key), sample)
        seen = Seen(obs, self.amp.window(past, frame), critic_obs)
        return dataclasses.replace(task, memory=memory), seen

    def target(
        self, task: TaskState, action: Float[Array, "joint"]
    ) -> tuple[Float[Array, "joint"], Drive]:
        """Filtered action, and what acts on the robot, for one raw action in -1 to 1."""
        filtered = self.control.filtered(task.action, action)
        targets = self.control.targets(self.control.home, filtered)
        return filtered, self.world.drive(task.draws, task.world, targets)

    def _sample(self, task: TaskState, state: PhysicsState) -> Sample:
        """What the observation of `task` in `state` is read from."""
        yaw = known_yaw(state.yaw, task.draws, task.step_count * self.config.control_dt)
        command = self.commands.effective(task.command, task.course, yaw)
        drawn = seen(task.draws, task.world)
        return self.observer.sample(
            state, command, task.action, self._phase(task), drawn, task.mean_error
        )

    def _phase(self, task: TaskState, later: int = 0) -> Float[Array, ""]:
        """Cycles of the gait clock, some control steps later than `task`."""
        return task.start_phase + (task.step_count + later) * self._cycles_per_step

    def advance(
        self, task: TaskState, state: PhysicsState, action: Float[Array, "joint"]
    ) -> tuple[TaskState, StepOutput]:
        """Task state and output after physics took one control step with the filtered `action`."""
        dt = self.config.control_dt
        yaw = known_yaw(state.yaw, task.draws, (task.step_count + 1) * dt)
        wanted = self.commands.effective(task.command, task.course, yaw)
        phase = self._phase(task, later=1)
        inputs = RewardInputs(
            **reward_inputs(self.robot, self.world, task, state, action, wanted, dt, phase)
        )
        terms = paid(state, reward_terms(inputs, self.config.rewards))
        asked = self.commands.asked(task.command, task.course)
        frame = self.amp.next_frame(task, state, asked)
        forward = state.base_lin_vel_h[0]
        step_count = task.step_count + 1
        fell = terminated(state, self.config.termination)
        error_sum = task.velocity_error_sum + forward - asked[0]
        # A speed above one command does not make up for a speed below the next.
        error = task.velocity_error_closed + jnp.abs(error_sum)
        succeeded = ~fell & (error / step_count <= SUCCESS_VELOCITY_ERROR)
        key, command_key = jax.random.split(task.key)
        resample = (step_count % self._resample_every == 0) & ~task.command_held
        command, course = self.commands.next(
            command_key, task.command, task.course, resample, task.command_held, yaw
        )
        next_task = dataclasses.replace(
            task,
            key=key,
            step_count=step_count,
            command=command,
            action=action,
            **support_times(task, loaded_feet(self.robot, state), self.config.control_dt),
            mean_error=inputs.mean_error,
            velocity_error_sum=jnp.where(resample, 0.0, error_sum),
            velocity_error_closed=jnp.where(resample, error, task.velocity_error_closed),
            history=history.push(task.history, frame),
            previous_qpos=self.amp.remembered(state),
            course=course,
            world=self.world.advance(task, self.control.targets(self.control.home, action)),
        )
        memory, obs, critic_obs = self.observer.next(
            _sensor_key(command_key), task.memory, self._sample(next_task, state)
        )
        next_task = dataclasses.replace(next_task, memory=memory)
        output = StepOutput(
            obs=obs,
            reward=sum(terms.values(), start=jnp.float32(0.0)),
            terminated=fell,
            truncated=(step_count >= task.episode_limit) & ~fell,
            amp_obs=self.amp.window(task.history, frame),
            critic_obs=critic_obs,
            terms=terms,
            metrics={
                "forward_velocity": forward,
                "velocity_error": jnp.abs(forward - asked[0]),
                "is_success": succeeded.astype(jnp.float32),
                **gait_metrics(self.robot, inputs, self.config.control_dt),
            },
        )
        return next_task, output


def _keeps_speed(task: TaskState) -> Bool[Array, "*b"]:
    """Whether the mean speed of the episode so far is near its commands."""
    error = task.velocity_error_closed + jnp.abs(task.velocity_error_sum)
    return error <= SUCCESS_VELOCITY_ERROR * task.step_count


def _sensor_key(key: jax.Array) -> jax.Array:
    """A key for sensors, from that of the command. Unused where sensors are exact."""
    return jax.random.fold_in(key, 3)
