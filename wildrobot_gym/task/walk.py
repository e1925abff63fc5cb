"""WildRobot-v0 as pure functions: what the environment classes and both physics engines share.

Everything is written for one environment; ``WildRobotVectorEnv`` vmaps and jits it once. A control step is

    target -> physics -> advance -> (where the episode ended) draw_start -> physics reset -> begin
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Bool, Float

from wildrobot_gym.config import EnvConfig
from wildrobot_gym.errors import ConfigError, unknown_name
from wildrobot_gym.physics.state import PhysicsState, TaskState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import to_heading
from wildrobot_gym.task import features as features_module
from wildrobot_gym.task import history
from wildrobot_gym.task.commands import sample_command
from wildrobot_gym.task.contact import LOADED_FRACTION, foot_forces
from wildrobot_gym.task.observations import observation_dim, observation_mirror, observe
from wildrobot_gym.task.resets import ReferenceStates, Start, draw_start
from wildrobot_gym.task.rewards import RewardInputs, reward_terms
from wildrobot_gym.task.terminations import terminated

SUCCESS_VELOCITY_ERROR = 0.10  # m/s, EVALUATION.md's bar for a success
NO_LIMIT = jnp.iinfo(jnp.int32).max


@struct.dataclass
class StepOutput:
    """What one control step yields for one environment, before any autoreset."""

    obs: Float[Array, "*b obs"]
    reward: Float[Array, "*b"]
    terminated: Bool[Array, "*b"]
    truncated: Bool[Array, "*b"]
    amp_obs: Float[Array, "*b window"]
    terms: dict[str, Float[Array, "*b"]]
    metrics: dict[str, Float[Array, "*b"]]


class WalkTask:
    """The walking task of one robot under one config.

    Args:
        max_episode_steps: control steps after which an episode is truncated; None: never.
        reference: frames for reference-state initialisation; needed when ``config.reset.reference_fraction`` is above 0.
    """

    def __init__(
        self,
        robot: RobotModel,
        config: EnvConfig,
        max_episode_steps: int | None = None,
        reference: ReferenceStates | None = None,
    ) -> None:
        if config.reset.reference_fraction > 0 and reference is None:
            raise ConfigError(
                f"reset.reference_fraction is {config.reset.reference_fraction} but no reference motion was given: pass"
                " reference=<dataset file>, or set the share to 0."
            )
        low, high, home = (
            config.termination.min_height,
            config.termination.max_height,
            float(robot.home_qpos[2]),
        )
        if not low < home < high:
            raise ConfigError(
                f"termination.min_height {low} and max_height {high} do not enclose {robot.name}'s base in its home keyframe,"
                f" {home:.3f} m up: episodes would end as they begin. Set them to the robot's size."
            )
        self.robot, self.config = robot, config
        self.reference = (
            None
            if reference is None
            else jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), reference)
        )
        self.max_episode_steps = int(
            NO_LIMIT if max_episode_steps is None else min(max_episode_steps, NO_LIMIT)
        )
        self.layout = features_module.feature_layout(robot, config.features, config.control_dt)
        self.obs_dim = observation_dim(robot)
        self.feature_dim = features_module.feature_dim(self.layout)
        self.past_shape = (config.features.history.num_past, features_module.frame_dim(self.layout))
        self._frame_features = features_module.make_frame_features(
            robot, config.features, config.control_dt
        )
        self._any_heading = (
            config.features.velocity_frame == "heading"
        )  # else the reference's own: its velocities are unturned
        self._differences = config.features.velocities == "finite_difference"
        self._scale = jnp.array(_action_scale(robot, config))
        self._home = jnp.asarray(robot.home_joint_pos, jnp.float32)
        self._low, self._high = jnp.asarray(robot.joint_range.T, jnp.float32)
        self._resample_every = min(
            max(1, round(config.commands.resample_interval_s / config.control_dt)), int(NO_LIMIT)
        )

    def mirror(self) -> dict[str, list]:
        """The reflection of observation, action and AMP window (:func:`.observation.observation_mirror`, `feature_mirror`)."""
        return observation_mirror(self.robot) | features_module.feature_mirror(
            self.robot, self.layout
        )

    def target(
        self, task: TaskState, action: Float[Array, "joint"]
    ) -> tuple[Float[Array, "joint"], Float[Array, "joint"]]:
        """Filtered action and the joint targets in rad for one raw action in -1 ... 1."""
        fraction = self.config.action.filter
        filtered = fraction * jnp.clip(action, -1.0, 1.0) + (1.0 - fraction) * task.action
        return filtered, jnp.clip(self._home + self._scale * filtered, self._low, self._high)

    def actions_for(
        self, targets: Float[Array, "step *b joint"]
    ) -> tuple[Float[Array, "step *b joint"], Float[Array, "step *b joint"]]:
        """:meth:`target` turned round: filtered and raw actions that ask for these joint targets one after the other.

        Before the first step the filter is taken to be at rest. What lies out of reach is asked for as far as it goes.
        """
        filtered = jnp.clip((targets - self._home) / self._scale, -1.0, 1.0)
        before = jnp.concatenate([filtered[:1], filtered[:-1]])
        fraction = self.config.action.filter
        return filtered, jnp.clip((filtered - (1.0 - fraction) * before) / fraction, -1.0, 1.0)

    def observe(
        self, state: PhysicsState, command: Float[Array, "*b 3"], action: Float[Array, "*b joint"]
    ) -> Float[Array, "*b obs"]:
        """The observation in ``state`` under ``command``, after the filtered ``action``."""
        return observe(self._home, state, command, action)

    def advance(
        self, task: TaskState, state: PhysicsState, action: Float[Array, "joint"]
    ) -> tuple[TaskState, StepOutput]:
        """After physics took one control step with filtered ``action``: reward, features, episode ends, next command."""
        support, events = self._support(task, state)
        inputs = self._reward_inputs(task, state, action, events)
        # A blown-up simulation has been put back to the home pose; no learner may be paid for that pose.
        terms = {
            k: jnp.where(state.diverged, 0.0, v)
            for k, v in reward_terms(inputs, self.config.rewards).items()
        }
        frame = self._next_frame(task, state)
        forward = to_heading(state.base_quat_w, state.qvel[:3])[0]
        step_count = task.step_count + 1
        fell = terminated(state, self.config.termination)
        timed_out = (step_count >= task.episode_limit) & ~fell
        error_sum = task.velocity_error_sum + forward - task.command[0]
        error = task.velocity_error_closed + jnp.abs(
            error_sum
        )  # too fast for one command makes up for nothing under the next
        key, command_key = jax.random.split(task.key)
        resample = (step_count % self._resample_every == 0) & ~task.command_held
        command = jnp.where(
            resample, sample_command(command_key, self.config.commands), task.command
        )
        next_task = TaskState(
            key=key,
            step_count=step_count,
            episode_limit=task.episode_limit,
            command=command,
            command_held=task.command_held,
            action=action,
            **support,
            velocity_error_sum=jnp.where(resample, 0.0, error_sum),
            velocity_error_closed=jnp.where(resample, error, task.velocity_error_closed),
            history=history.push(task.history, frame),
            previous_qpos=self._remembered(state),
        )
        output = StepOutput(
            obs=self.observe(state, command, action),
            reward=sum(terms.values(), start=jnp.float32(0.0)),
            terminated=fell,
            truncated=timed_out,
            amp_obs=history.window(task.history, frame, self.config.features.history),
            terms=terms,
            metrics={
                "forward_velocity": forward,
                "velocity_error": jnp.abs(forward - task.command[0]),
                "is_success": (~fell & (error / step_count <= SUCCESS_VELOCITY_ERROR)).astype(
                    jnp.float32
                ),
            },
        )
        return next_task, output

    def blank(self, key: jax.Array) -> TaskState:
        """A task state for :meth:`begin` to start the first episode from."""
        return TaskState(
            key=key,
            step_count=jnp.int32(0),
            episode_limit=jnp.int32(self.max_episode_steps),
            command=jnp.zeros(3),
            command_held=jnp.array(False),
            action=jnp.zeros(self.robot.num_joints),
            foot_air_time=jnp.zeros(len(self.robot.foot_names)),
            double_support_time=jnp.float32(
                jnp.inf
            ),  # the first liftoff of an episode is not judged
            velocity_error_sum=jnp.float32(0.0),
            velocity_error_closed=jnp.float32(0.0),
            history=jnp.zeros(self.past_shape),
            previous_qpos=jnp.zeros(self.robot.model.nq) if self._differences else None,
        )

    def draw_start(self, key: jax.Array) -> Start:
        """Where a new episode begins."""
        return draw_start(
            key, self.robot, self.config.reset, self.reference, self.past_shape, self._any_heading
        )

    def begin(
        self, before: TaskState, start: Start, state: PhysicsState, episode_limit: Any = None
    ) -> tuple[TaskState, Float[Array, "obs"], Float[Array, "window"]]:
        """Task state, observation and AMP window of a new episode, once physics stands at ``start``.

        From the task state ``before`` only the random stream and a held command go on.
        """
        key, command_key = jax.random.split(before.key)
        # A reference frame's own features: a robot that has just been put there carries another load, and maybe stands lifted.
        frame = jnp.where(start.from_reference, start.features, self._frame_features(state))
        # In a reference frame the robot is asked to go on as the reference does; the next draw is free.
        command = jnp.where(
            start.from_reference, start.command, sample_command(command_key, self.config.commands)
        )
        command = jnp.where(before.command_held, before.command, command)
        past = jnp.where(
            start.from_reference, start.history, history.fill(frame, self.config.features.history)
        )
        action = jnp.clip((state.joint_pos - self._home) / self._scale, -1.0, 1.0)
        task = dataclasses.replace(
            self.blank(key),
            episode_limit=jnp.int32(
                self.max_episode_steps if episode_limit is None else episode_limit
            ),
            command=command,
            command_held=before.command_held,
            action=jnp.where(start.from_reference, action, 0.0),
            history=history.push(past, frame),
            previous_qpos=self._remembered(state),
        )
        obs = self.observe(state, command, task.action)
        return task, obs, history.window(past, frame, self.config.features.history)

    def _next_frame(self, task: Any, state: PhysicsState) -> Float[Array, "feature"]:
        """Features of the frame after a control step; of one that diverged the past's last, where a past is kept: no
        discriminator may see the home pose that the robot was put back to."""
        frame = self._frame_features(state, task.previous_qpos)
        return jnp.where(state.diverged, task.history[-1], frame) if len(task.history) else frame

    def _support(
        self, task: TaskState, state: PhysicsState
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """The task state's times in the air and on both feet after this step, and what the reward is told of them."""
        loaded, dt = self._loaded(state), self.config.control_dt
        lifted = jnp.any((task.foot_air_time == 0) & ~loaded)
        times = {
            "foot_air_time": jnp.where(loaded, 0.0, task.foot_air_time + dt),
            "double_support_time": jnp.where(loaded.all(), task.double_support_time + dt, 0.0),
        }
        events = {
            "touchdown_air_time": jnp.where(
                loaded & (task.foot_air_time > 0), task.foot_air_time, 0.0
            ),
            "liftoff_double_support": jnp.where(lifted, task.double_support_time, jnp.inf),
        }
        return times, events

    def _reward_inputs(
        self,
        task: TaskState,
        state: PhysicsState,
        action: Float[Array, "joint"],
        events: dict[str, Array],
    ) -> RewardInputs:
        return RewardInputs(
            state=state,
            command=task.command,
            action=action,
            previous_action=task.action,
            force_limit=jnp.asarray(self.robot.force_limit, jnp.float32),
            foot_loaded=self._loaded(state),
            **events,
            weight=jnp.float32(self.robot.weight),
        )

    def _remembered(self, state: PhysicsState) -> Float[Array, "*b nq"] | None:
        """The pose that the next step's velocities are taken from, where they are."""
        return state.qpos if self._differences else None

    def _loaded(self, state: PhysicsState) -> Bool[Array, "foot"]:
        return (
            foot_forces(state.pad_forces, self.robot.pad_ids_of_foot)
            > LOADED_FRACTION * self.robot.weight
        )


def _action_scale(robot: RobotModel, config: EnvConfig) -> list[float]:
    """Scale of each joint; a waist named in the config that this robot lacks is no error, a misspelt joint is."""
    known = {*robot.joint_names, "waist_yaw"}
    for name in config.action.joint_scale:
        if name not in known:
            raise ConfigError(unknown_name("joint in action.joint_scale", name, known))
    return [config.action.joint_scale.get(name, config.action.scale) for name in robot.joint_names]
