"""WildRobotTrack-v0 as pure functions: one robot follows a clip, so that its motion becomes one that was performed.

What physics, Gymnasium and the discriminator see is as in :mod:`.walk`; what is asked for is not a velocity but the next
frames of a clip. Nothing holds the robot: an episode ends when it falls or has lost the clip.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Float, Int

from wildrobot_gym.config import TrackEnvConfig, TrackRewardConfig
from wildrobot_gym.physics.state import PhysicsState, TaskState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import (
    AnyArray,
    gravity_direction,
    quat_mul,
    rotate,
    to_heading,
    yaw_of,
    yaw_quat,
)
from wildrobot_gym.task import history
from wildrobot_gym.task.contact import foot_forces
from wildrobot_gym.task.features import feature_mirror
from wildrobot_gym.task.observations import CLIP, observation_dim, observation_mirror, observe
from wildrobot_gym.task.reflection import SCALAR, VECTOR, joint_image
from wildrobot_gym.task.resets import Start, axis_quat
from wildrobot_gym.task.rewards import reward_terms
from wildrobot_gym.task.terminations import terminated
from wildrobot_gym.task.walk import StepOutput, WalkTask


@struct.dataclass
class ClipFrames:
    """The frames of all clips, one clip after the other, at the control rate; or one of them."""

    qpos: Float[Array, "*frame nq"]
    qvel: Float[Array, "*frame nv"]
    target: Float[
        Array, "*frame joint"
    ]  # servo targets that lead from a frame to the next, feed-forward, rad
    feet: Float[Array, "*frame foot 3"]  # see :func:`feet_in_heading`
    load: Float[Array, "*frame foot"]  # what each foot carries, as a share of the robot's weight
    command: Float[Array, "*frame 3"]  # the clip's
    last: Int[Array, "*frame"]  # row of the last frame of the same clip


@struct.dataclass
class TrackState(TaskState):
    """What the task remembers: also which frame the robot should be in, and how far its clip is turned about z."""

    frame: Int[Array, "*b"]
    yaw: Float[Array, "*b"]  # rad


@struct.dataclass
class TrackStart(Start):
    """A frame to begin in."""

    frame: Int[Array, "*b"]
    yaw: Float[Array, "*b"]  # rad, turns the whole clip about z


class TrackTask(WalkTask):
    """The task of following ``clips`` under one config.

    Observation: :mod:`.observation`'s (its command is the clip's), then for each entry of ``horizon`` the clip's joint
    positions less the robot's own, its root velocity and gravity direction, and its height less the robot's in dm; then sine and
    cosine of the heading that is missing. ``3n + 12 + len(horizon) (n + 7) + 2`` numbers.
    """

    config: TrackEnvConfig

    def __init__(
        self,
        robot: RobotModel,
        config: TrackEnvConfig,
        clips: ClipFrames,
        max_episode_steps: int | None = None,
    ) -> None:
        super().__init__(robot, config, max_episode_steps)
        self.clips = jax.tree.map(jnp.asarray, clips)
        self.obs_dim = observation_dim(robot) + len(config.horizon) * (robot.num_joints + 7) + 2

    def mirror(self) -> dict[str, list]:
        """As the walking task's: what follows a clip one way follows its mirror image the other way."""
        ahead = [joint_image(self.robot), VECTOR, VECTOR, SCALAR]
        further = [*ahead * len(self.config.horizon), (range(2), (-1.0, 1.0))]
        return observation_mirror(self.robot, further) | feature_mirror(self.robot, self.layout)

    def target(
        self, task: Any, action: Float[Array, "joint"]
    ) -> tuple[Float[Array, "joint"], Float[Array, "joint"]]:
        """Filtered action and joint targets in rad: the clip's, and what the action adds."""
        filtered, _ = super().target(task, action)
        return filtered, jnp.clip(
            self.clips.target[task.frame] + self._scale * filtered, self._low, self._high
        )

    def draw_start(self, key: jax.Array) -> TrackStart:
        """Any frame that has a next one, with the reset's noise, in any heading."""
        keys = jax.random.split(key, 5)
        frame = jax.random.randint(keys[0], (), 0, self.clips.last.shape[0])
        frame = jnp.minimum(frame, self.clips.last[frame] - 1)
        yaw = jax.random.uniform(keys[1], minval=-jnp.pi, maxval=jnp.pi) * self._any_heading
        start = self.start_at(frame, yaw)
        reset, n = self.config.reset, self.robot.num_joints
        joints = start.qpos[7:] + reset.joint_noise * jax.random.uniform(keys[2], (n,), minval=-1.0)
        push = reset.velocity_noise * jax.random.uniform(
            keys[3], (start.qvel.shape[0],), minval=-1.0
        )
        roll, pitch = reset.tilt_noise * jax.random.uniform(keys[4], (2,), minval=-1.0)
        tilt = quat_mul(axis_quat(roll, 0), axis_quat(pitch, 1))
        base = jnp.concatenate([start.qpos[:3], quat_mul(start.qpos[3:7], tilt)])
        qpos = jnp.concatenate([base, jnp.clip(joints, self._low, self._high)])
        return dataclasses.replace(start, qpos=qpos, qvel=start.qvel + push)

    def start_at(self, frame: Int[Array, ""], yaw: Float[Array, ""] | float = 0.0) -> TrackStart:
        """The very state of one frame, the clip turned by ``yaw`` rad."""
        yaw = jnp.asarray(yaw, jnp.float32)
        qpos, qvel = self.clips.qpos[frame], self.clips.qvel[frame]
        turn = yaw_quat(yaw)
        qpos = jnp.concatenate([jnp.zeros(2), qpos[2:3], quat_mul(turn, qpos[3:7]), qpos[7:]])
        return TrackStart(
            qpos=qpos,
            qvel=qvel.at[:3].set(rotate(turn, qvel[:3])),
            from_reference=jnp.array(True),
            command=self.clips.command[frame],
            features=jnp.zeros(self.past_shape[1]),
            history=jnp.zeros(self.past_shape),
            frame=frame,
            yaw=yaw,
        )

    def blank(self, key: jax.Array) -> TrackState:
        """A task state for :meth:`begin` to start the first episode from."""
        return TrackState(**vars(super().blank(key)), frame=jnp.int32(0), yaw=jnp.float32(0.0))

    def begin(
        self, before: Any, start: Any, state: PhysicsState, episode_limit: Any = None
    ) -> tuple[TrackState, Float[Array, "obs"], Float[Array, "window"]]:
        """Task state, observation and AMP window of a new episode, once physics stands at ``start``."""
        frame = self._frame_features(state)
        past = history.fill(frame, self.config.features.history)
        task = dataclasses.replace(
            self.blank(before.key),
            episode_limit=jnp.int32(
                self.max_episode_steps if episode_limit is None else episode_limit
            ),
            command=start.command,
            history=past,
            previous_qpos=self._remembered(state),
            frame=start.frame,
            yaw=start.yaw,
        )
        return (
            task,
            self._observe(task, state),
            history.window(past, frame, self.config.features.history),
        )

    def advance(
        self, task: Any, state: PhysicsState, action: Float[Array, "joint"]
    ) -> tuple[TrackState, StepOutput]:
        """After physics took one control step with filtered ``action``: reward, features, episode ends."""
        frame = jnp.minimum(task.frame + 1, self.clips.last[task.frame])
        want = jax.tree.map(lambda values: values[frame], self.clips)
        wanted = to_heading(want.qpos[3:7], want.qvel[:3])
        spin = rotate(want.qpos[3:7], want.qvel[3:6])
        support, events = self._support(task, state)
        inputs = self._reward_inputs(task, state, action, events)
        # Velocities are judged by the clip's own in this frame.
        inputs = dataclasses.replace(inputs, command=jnp.stack([wanted[0], wanted[1], spin[2]]))
        load = foot_forces(state.pad_forces, self.robot.pad_ids_of_foot) / self.robot.weight
        errors = clip_errors(state, load, want, task.yaw)
        terms = reward_terms(inputs, self.config.rewards) | clip_terms(errors, self.config.rewards)
        terms = {name: jnp.where(state.diverged, 0.0, value) for name, value in terms.items()}
        features = self._next_frame(task, state)
        forward = to_heading(state.base_quat_w, state.qvel[:3])[0]
        lost = terminated(state, self.config.termination) | (
            errors["joint_pos"] > self.config.termination.max_joint_error
        )
        step_count = task.step_count + 1
        over = (step_count >= task.episode_limit) | (frame >= want.last)
        next_task = dataclasses.replace(
            task,
            step_count=step_count,
            action=action,
            history=history.push(task.history, features),
            previous_qpos=self._remembered(state),
            frame=frame,
            **support,
        )
        output = StepOutput(
            obs=self._observe(next_task, state),
            reward=sum(terms.values(), start=jnp.float32(0.0)),
            terminated=lost,
            truncated=over & ~lost,
            amp_obs=history.window(task.history, features, self.config.features.history),
            terms=terms,
            metrics={
                "forward_velocity": forward,
                "velocity_error": jnp.abs(forward - wanted[0]),
                "joint_error": errors["joint_pos"],
                "is_success": (~lost).astype(jnp.float32),
            },
        )
        return next_task, output

    def _observe(self, task: Any, state: PhysicsState) -> Float[Array, "obs"]:
        quat, parts = state.base_quat_w, [observe(self._home, state, task.command, task.action)]
        for ahead in self.config.horizon:
            frame = jnp.minimum(task.frame + ahead, self.clips.last[task.frame])
            qpos, qvel = self.clips.qpos[frame], self.clips.qvel[frame]
            parts += [
                qpos[7:] - state.joint_pos,
                to_heading(qpos[3:7], qvel[:3]),
                gravity_direction(qpos[3:7]),
                10.0 * (qpos[2:3] - state.base_pos_w[2:3]),  # dm
            ]
        missing = yaw_of(self.clips.qpos[task.frame, 3:7]) + task.yaw - yaw_of(quat)
        parts.append(jnp.stack([jnp.sin(missing), jnp.cos(missing)]))
        return jnp.clip(jnp.concatenate(parts), -CLIP, CLIP)


def feet_in_heading(
    base_quat_w: Float[AnyArray, "*b 4"],
    base_pos_w: Float[AnyArray, "*b 3"],
    foot_pos_w: Float[AnyArray, "*b foot 3"],
) -> Float[AnyArray, "*b foot 3"]:
    """Where the feet are, ahead and to the left of the base in its heading frame, and above the floor; m."""
    over_base = base_pos_w[..., None, :] * jnp.array([1.0, 1.0, 0.0])
    quat = jnp.broadcast_to(base_quat_w[..., None, :], (*foot_pos_w.shape[:-1], 4))
    return to_heading(quat, foot_pos_w - over_base)


def clip_errors(
    state: PhysicsState, load: Float[Array, "foot"], want: ClipFrames, yaw: Float[Array, ""]
) -> dict[str, Float[Array, ""]]:
    """Distances between a state, whose feet carry ``load``, and one frame of a clip, the clip turned by ``yaw`` rad.

    rad and rad/s for the joints, root mean square over them; m/s and rad/s for the root, each in its own heading frame; m;
    for feet and loads the norm over both feet. Where on the floor a robot is is no matter.
    """
    quat, ref = state.base_quat_w, want.qpos[3:7]
    turn = yaw_of(quat) - yaw_of(ref) - yaw
    spin = to_heading(quat, rotate(quat, state.qvel[3:6])) - to_heading(
        ref, rotate(ref, want.qvel[3:6])
    )
    return {
        "joint_pos": jnp.sqrt(jnp.mean(jnp.square(state.joint_pos - want.qpos[7:]))),
        "joint_vel": jnp.sqrt(jnp.mean(jnp.square(state.joint_vel - want.qvel[6:]))),
        "lin_vel": jnp.linalg.norm(
            to_heading(quat, state.qvel[:3]) - to_heading(ref, want.qvel[:3])
        ),
        "ang_vel": jnp.linalg.norm(spin),
        "attitude": jnp.linalg.norm(gravity_direction(quat) - gravity_direction(ref)),
        "height": jnp.abs(state.base_pos_w[2] - want.qpos[2]),
        "heading": jnp.abs(jnp.arctan2(jnp.sin(turn), jnp.cos(turn))),
        "feet": jnp.linalg.norm(
            feet_in_heading(quat, state.base_pos_w, state.foot_pos_w) - want.feet
        ),
        "load": jnp.linalg.norm(load - want.load),
    }


def clip_terms(
    errors: dict[str, Float[Array, ""]], config: TrackRewardConfig
) -> dict[str, Float[Array, ""]]:
    """Every clip term that has a weight, weighted and scaled: exp(-(error / sigma)^2)."""
    return {
        f"clip_{name}": config.scale
        * getattr(config, f"clip_{name}")
        * jnp.exp(-jnp.square(error / getattr(config, f"clip_{name}_sigma")))
        for name, error in errors.items()
        if getattr(config, f"clip_{name}") != 0
    }
