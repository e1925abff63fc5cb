"""`WildRobotTrack-v0` as pure functions.

Following a clip in physics, with nothing but the robot's own servos.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Float, Int

from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import (
    axis_quat,
    gravity_direction,
    quat_mul,
    rotate,
    to_heading,
    yaw_of,
    yaw_quat,
)
from wildrobot_gym.task import history
from wildrobot_gym.task.amp_window import AmpWindow
from wildrobot_gym.task.clip_frames import ClipFrames, clip_errors
from wildrobot_gym.task.config import TrackEnvConfig
from wildrobot_gym.task.contact import foot_forces
from wildrobot_gym.task.control import ServoControl
from wildrobot_gym.task.fitting import fitted
from wildrobot_gym.task.gait import gait_metrics
from wildrobot_gym.task.observations import CLIP, observation_dim, observation_mirror, observe
from wildrobot_gym.task.protocol import Seen, StepOutput, episode_steps, sharing_key
from wildrobot_gym.task.randomization.world import World
from wildrobot_gym.task.reflection import SCALAR, VECTOR, joint_image
from wildrobot_gym.task.resets import Start, anywhere
from wildrobot_gym.task.reward_terms import reward_terms
from wildrobot_gym.task.state import TaskState
from wildrobot_gym.task.step import (
    first_task_state,
    loaded_feet,
    paid,
    reward_inputs,
    support_times,
)
from wildrobot_gym.task.terminations import terminated
from wildrobot_gym.task.track_rewards import TrackRewardInputs


@struct.dataclass
class TrackState(TaskState):
    """What the task remembers.

    Also the frame that the robot should be in, and its clip's turn about z.
    """

    frame: Int[Array, "*b"]
    yaw: Float[Array, "*b"]  # rad


@struct.dataclass
class TrackStart(Start):
    """A frame to begin in."""

    frame: Int[Array, "*b"]
    yaw: Float[Array, "*b"]  # rad, turns the whole clip about z


class TrackTask:
    """The task of following clips; a `Task`.

    The observation is the walking task's, with the clip's command in the
    frame. For each step of `horizon`
    follow the clip's joint positions minus the robot's, root velocity and gravity direction. Its
    height minus the robot's, in dm, ends each step. The last two numbers are sine and cosine of the
    heading error: `3n + 12 + len(horizon) (n + 7) + 2` in all.

    Args:
        robot: The robot.
        config: All settings.
        clips: The frames of all clips.
        max_episode_steps: Control steps after which an episode is truncated; None: at the clip's
            end.

    Raises:
        ConfigError: the config does not fit the robot.
    """

    def __init__(
        self,
        robot: RobotModel,
        config: TrackEnvConfig,
        clips: ClipFrames,
        max_episode_steps: int | None = None,
    ) -> None:
        config = fitted(config, robot)
        config.rewards.terms()  # a missing module is found here, not in the first step
        self.robot, self.config = robot, config
        self.clips = jax.tree.map(jnp.asarray, clips)
        self.max_episode_steps = episode_steps(max_episode_steps)
        self.control = ServoControl(robot, config.action)
        self.world = World(
            *(robot, config.randomization, config.disturbances, config.control_dt),
            config.randomization_fraction,
        )
        self.amp = AmpWindow(robot, config.features, config.control_dt)
        self.layout, self.feature_dim = self.amp.layout, self.amp.dim
        self.critic_dim = 0
        self.obs_dim = observation_dim(robot) + len(config.horizon) * (robot.num_joints + 7) + 2

    def sharing_key(self) -> str | None:
        """What the functions depend on, as text; None with a user's own reward terms."""
        return sharing_key(self.robot, self.config, self.clips)

    def mirror(self) -> dict[str, list[Any]]:
        """Reflection y -> -y of observation, action and AMP window, by index lists and signs."""
        ahead = [joint_image(self.robot), VECTOR, VECTOR, SCALAR]
        further = [*ahead * len(self.config.horizon), (range(2), (-1.0, 1.0))]
        return observation_mirror(self.robot, further) | self.amp.mirror()

    def blank(self, key: jax.Array) -> TrackState:
        """A task state for `begin` to start the first episode from."""
        first = first_task_state(key, self.robot, self.amp, self.world, self.max_episode_steps)
        return TrackState(**vars(first), frame=jnp.int32(0), yaw=jnp.float32(0.0))

    def draw_start(self, key: jax.Array) -> TrackStart:
        """Any frame that has a next one, with the reset's noise, in any heading."""
        keys = jax.random.split(key, 5)
        frame = jax.random.randint(keys[0], (), 0, self.clips.last.shape[0])
        frame = jnp.minimum(frame, self.clips.last[frame] - 1)
        yaw = jax.random.uniform(keys[1], minval=-jnp.pi, maxval=jnp.pi) * self.amp.any_heading
        start = self.start_at(frame, yaw)
        reset, n = self.config.reset, self.robot.num_joints
        joints = start.qpos[7:] + reset.joint_noise * jax.random.uniform(keys[2], (n,), minval=-1.0)
        push = reset.velocity_noise * jax.random.uniform(
            keys[3], (start.qvel.shape[0],), minval=-1.0
        )
        roll, pitch = reset.tilt_noise * jax.random.uniform(keys[4], (2,), minval=-1.0)
        tilt = quat_mul(axis_quat(roll, 0), axis_quat(pitch, 1))
        base = jnp.concatenate([start.qpos[:3], quat_mul(start.qpos[3:7], tilt)])
        joints = jnp.clip(joints, self.control.low, self.control.high)
        return dataclasses.replace(
            start,
            qpos=anywhere(key, self.robot, jnp.concatenate([base, joints])),
            qvel=start.qvel + push,
            **self.world.start(key, joints),
        )

    def start_at(self, frame: Int[Array, ""], yaw: Float[Array, ""] | float = 0.0) -> TrackStart:
        """The exact state of one frame, the clip turned by `yaw` rad.

        Randomization draws the same for one frame each time.
        """
        yaw = jnp.asarray(yaw, jnp.float32)
        qpos, qvel = self.clips.qpos[frame], self.clips.qvel[frame]
        turn = yaw_quat(yaw)
        qpos = jnp.concatenate([jnp.zeros(2), qpos[2:3], quat_mul(turn, qpos[3:7]), qpos[7:]])
        return TrackStart(
            qpos=qpos,
            qvel=qvel.at[:3].set(rotate(turn, qvel[:3])),
            from_reference=jnp.array(True),
            command=self.clips.command[frame],
            features=jnp.zeros(self.amp.past_shape[1]),
            history=jnp.zeros(self.amp.past_shape),
            phase=jnp.float32(0.0),
            frame=frame,
            yaw=yaw,
            **self.world.start(jax.random.fold_in(jax.random.PRNGKey(0), frame), qpos[7:]),
        )

    def begin(
        self, before: TrackState, start: TrackStart, state: PhysicsState, episode_limit: Any = None
    ) -> tuple[TrackState, Seen]:
        """Task state of a new episode and what it shows, once physics stands at `start`."""
        frame = self.amp.first_frame(state, command=start.command)
        past = self.amp.fill(frame)
        limit = self.max_episode_steps if episode_limit is None else episode_limit
        task = dataclasses.replace(
            self.blank(before.key),
            episode_limit=jnp.int32(limit),
            command=start.command,
            history=past,
            previous_qpos=self.amp.remembered(state),
            frame=start.frame,
            yaw=start.yaw,
            draws=start.draws,
            world=start.world,
        )
        return task, Seen(self._observe(task, state), self.amp.window(past, frame))

    def target(
        self, task: TrackState, action: Float[Array, "joint"]
    ) -> tuple[Float[Array, "joint"], Drive]:
        """Filtered action, and what acts on the robot: the clip's targets with the action added."""
        filtered = self.control.filtered(task.action, action)
        targets = self.control.targets(self.clips.target[task.frame], filtered)
        return filtered, self.world.drive(task.draws, task.world, targets)

    def advance(
        self, task: TrackState, state: PhysicsState, action: Float[Array, "joint"]
    ) -> tuple[TrackState, StepOutput]:
        """Task state and output after physics took one control step with the filtered `action`."""
        frame = jnp.minimum(task.frame + 1, self.clips.last[task.frame])
        want = jax.tree.map(lambda values: values[frame], self.clips)
        wanted = want.base_lin_vel_h
        load = foot_forces(state.pad_forces, self.robot.pad_ids_of_foot) / self.robot.weight
        errors = clip_errors(state, load, want, task.yaw)
        # The walking terms measure velocities against the clip's own in this frame.
        command = jnp.stack([wanted[0], wanted[1], want.base_ang_vel_w[2]])
        dt = self.config.control_dt
        inputs = reward_inputs(self.robot, self.world, task, state, action, command, dt)
        config = self.config.rewards
        x = TrackRewardInputs(**inputs, errors=errors)
        terms = paid(state, reward_terms(x, config))
        features = self.amp.next_frame(task, state, task.command)
        forward = state.base_lin_vel_h[0]
        limits = self.config.termination
        lost = terminated(state, limits) | (errors["joint_pos"] > limits.max_joint_error)
        step_count = task.step_count + 1
        over = (step_count >= task.episode_limit) | (frame >= want.last)
        next_task = dataclasses.replace(
            task,
            step_count=step_count,
            action=action,
            command=want.command,
            history=history.push(task.history, features),
            previous_qpos=self.amp.remembered(state),
            frame=frame,
            world=self.world.advance(
                task, self.control.targets(self.clips.target[task.frame], action)
            ),
            **support_times(task, loaded_feet(self.robot, state), self.config.control_dt),
        )
        output = StepOutput(
            obs=self._observe(next_task, state),
            reward=sum(terms.values(), start=jnp.float32(0.0)),
            terminated=lost,
            truncated=over & ~lost,
            amp_obs=self.amp.window(task.history, features),
            critic_obs=None,
            terms=terms,
            metrics={
                "forward_velocity": forward,
                "velocity_error": jnp.abs(forward - wanted[0]),
                "joint_error": errors["joint_pos"],
                "is_success": (~lost).astype(jnp.float32),
                **gait_metrics(self.robot, x, self.config.control_dt),
            },
        )
        return next_task, output

    def _observe(self, task: TrackState, state: PhysicsState) -> Float[Array, "obs"]:
        parts = [observe(self.control.home, state, task.command, task.action)]
        for ahead in self.config.horizon:
            frame = jnp.minimum(task.frame + ahead, self.clips.last[task.frame])
            qpos, qvel = self.clips.qpos[frame], self.clips.qvel[frame]
            parts += [
                qpos[7:] - state.joint_pos,
                to_heading(qpos[3:7], qvel[:3]),
                gravity_direction(qpos[3:7]),
                10.0 * (qpos[2:3] - state.base_height[None]),  # dm
            ]
        error = yaw_of(self.clips.qpos[task.frame, 3:7]) + task.yaw - state.yaw
        parts.append(jnp.stack([jnp.sin(error), jnp.cos(error)]))
        return jnp.clip(jnp.concatenate(parts), -CLIP, CLIP)
