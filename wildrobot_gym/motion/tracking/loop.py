"""A clip made endless: one period to track, with the targets for the servos.

Frames are stored relative to the heading: height, tilt, joints, loads, and the steps between them
(forward, left, turn). So the end of a clip joins its start wherever it has led to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.dynamics import pad_loads, servo_targets
from wildrobot_gym.motion.states import CONTROL_DT, clip_states
from wildrobot_gym.motion.tracking.legs import Legs
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import base_in_heading, feet_in_heading, numpy_yaw
from wildrobot_gym.task.contact import LOADED_FRACTION, foot_forces, lowest_corner

_MARGIN = 4  # frames of the neighboring periods, for velocities and accelerations at the seam.
# rad, RMS over the joints. Frames that differ more do not join. Among those that differ less, the
# longest loop is best.
_CYCLE_MISS, _CYCLE_GOOD = 0.1, 0.05
_MIN_CYCLE_S = 0.5


@dataclass(frozen=True)
class Loop:
    """One period of a clip that repeats, at the control rate. Frame 0 follows the last one.

    Attributes:
        qpos: Poses, with x and y from 0 and the lowest corner of a sole on the floor.
        qvel: Velocities.
        up_h: z axis of the base in the heading frame.
        rate_h: Its angular velocity there (x, y), in rad/s.
        velocity_h: Its velocity there (x, y), in m/s.
        feet_h: Feet relative to the base in the heading frame (x, y), in m.
        targets: Joint positions that the step from a frame leads to, in rad.
        weight_targets: What the servos need in addition to carry the weight, in rad.
        motion_targets: What they need in addition to move like the clip, in rad.
        stance: Whether the clip has each foot on the ground.
    """

    qpos: Float[np.ndarray, "frame nq"]
    qvel: Float[np.ndarray, "frame nv"]
    up_h: Float[np.ndarray, "frame 3"]
    rate_h: Float[np.ndarray, "frame 2"]
    velocity_h: Float[np.ndarray, "frame 2"]
    feet_h: Float[np.ndarray, "frame foot 2"]
    targets: Float[np.ndarray, "frame joint"]
    weight_targets: Float[np.ndarray, "frame joint"]
    motion_targets: Float[np.ndarray, "frame joint"]
    stance: Bool[np.ndarray, "frame foot"]

    def __len__(self) -> int:
        return len(self.qpos)


@dataclass(frozen=True)
class _Strip:
    """Frames (height 1, tilt vector 3, joints, pad loads if known) and the steps between
    neighbors: forward, left, turn, and the command 3.
    """

    frames: Float[np.ndarray, "frame column"]
    steps: Float[np.ndarray, "step 6"]


def make_loop(robot: RobotModel, clip: MotionClip, how: str, blend_s: float) -> Loop | None:
    """Return a clip as a loop, or None if `how` is `cycle` and it has no cycle.

    Args:
        robot: The robot.
        clip: The clip, at any frame rate.
        how: `cycle` or `neutral`.
        blend_s: Duration of a blend, in seconds.

    Raises:
        MotionError: The clip does not fit the robot.
    """
    found = _period(robot, clip, how, blend_s)
    if found is None:
        return None
    clip, period = found
    size = len(period.frames)
    around = np.arange(-_MARGIN, size + _MARGIN) % size
    inside = slice(_MARGIN, _MARGIN + size)
    states = clip_states(robot, _unrolled(robot, clip, period.frames[around], period.steps[around]))
    if np.isnan(states.pad_forces).any():
        states = replace(states, pad_forces=pad_loads(robot, states, CONTROL_DT))  # type: ignore[arg-type]
    qpos, qvel = np.array(states.qpos[inside], float), np.array(states.qvel[inside], float)
    pads, feet = np.asarray(states.pad_pos_w), np.asarray(states.foot_quat_w)
    low = lowest_corner(robot, pads, feet)
    qpos[:, :2] = 0.0
    qpos[:, 2] -= low[inside].min(axis=-1)
    view = base_in_heading(qpos, qvel)
    plain = np.asarray(states.qpos, float)[1:, 7:]
    still = replace(states, qvel=np.zeros_like(states.qvel))  # type: ignore[arg-type]
    carrying = servo_targets(robot, still, CONTROL_DT)
    moving = servo_targets(robot, states, CONTROL_DT)
    forces = foot_forces(np.asarray(states.pad_forces), robot.pad_ids_of_foot)
    return Loop(
        qpos=qpos,
        qvel=qvel,
        up_h=view.up,
        rate_h=view.rate[:, :2],
        velocity_h=view.velocity[:, :2],
        feet_h=feet_in_heading(
            view.yaw, np.asarray(states.base_pos_w)[inside], np.asarray(states.foot_pos_w)[inside]
        ),
        targets=plain[inside],
        weight_targets=(carrying - plain)[inside],
        motion_targets=(moving - carrying)[inside],
        stance=forces[inside] > LOADED_FRACTION * robot.weight,
    )


def endless(
    robot: RobotModel, clip: MotionClip, how: str, blend_s: float, duration_s: float
) -> MotionClip | None:
    """Repeat a clip for `duration_s` at the control rate, or return None if it has no cycle.

    Raises:
        MotionError: The clip does not fit the robot.
    """
    found = _period(robot, clip, how, blend_s)
    if found is None:
        return None
    clip, period = found
    rows = np.arange(round(duration_s / CONTROL_DT) + 1) % len(period.frames)
    return _unrolled(robot, clip, period.frames[rows], period.steps[rows])


def turned(clip: MotionClip, legs: Legs, turn: float) -> MotionClip:
    """Make one leg swing further by the fraction `turn`, and the other less.

    Both swings change about the mean of the thigh, and the soles keep their pitch. Physics decides
    how far that bends the path.
    """
    if turn == 0.0:
        return clip
    side = np.linspace(1.0, -1.0, len(legs.step))
    thigh = -clip.joint_pos @ legs.hip_pitch.T  # positive forward
    return replace(
        clip,
        joint_pos=clip.joint_pos + (turn * side * (thigh - thigh.mean(axis=0))) @ legs.step,
        qvel=None,
    )


def _period(
    robot: RobotModel, clip: MotionClip, how: str, blend_s: float
) -> tuple[MotionClip, _Strip] | None:
    """Return the clip at the control rate and one period with its blends, or None without a
    cycle.
    """
    clip = clip.check(robot).resampled(1.0 / CONTROL_DT)
    strip, count = _strip(clip), max(1, round(blend_s / CONTROL_DT))
    period = (
        _through_neutral(robot, strip, count)
        if how == "neutral"
        else _at_cycle(robot, strip, count)
    )
    return None if period is None else (clip, period)


def _strip(clip: MotionClip) -> _Strip:
    rotation = Rotation.from_quat(clip.root_quat, scalar_first=True)
    yaw = np.unwrap(numpy_yaw(clip.root_quat))
    tilt = (Rotation.from_euler("z", -yaw[:, None]) * rotation).as_rotvec()
    moved = np.diff(clip.root_pos[:, :2], axis=0)
    cos, sin = np.cos(yaw[:-1]), np.sin(yaw[:-1])
    forward, left = cos * moved[:, 0] + sin * moved[:, 1], -sin * moved[:, 0] + cos * moved[:, 1]
    loads = [] if clip.pad_forces is None else [clip.pad_forces]
    frames = np.concatenate([clip.root_pos[:, 2:], tilt, clip.joint_pos, *loads], axis=-1)
    moves = np.stack([forward, left, np.diff(yaw)], axis=-1)
    return _Strip(frames, np.concatenate([moves, clip.commands_at(clip.fps)[:-1]], axis=-1))


def _ramp(count: int) -> Float[np.ndarray, "count 1"]:
    """Rise from above 0 to below 1, flat at both ends.

    A straight line would make the velocity jump.
    """
    return (0.5 - 0.5 * np.cos(np.pi * np.arange(1, count + 1) / (count + 1)))[:, None]


def _through_neutral(robot: RobotModel, strip: _Strip, count: int) -> _Strip:
    """Return the clip, a blend to the home pose, and one back to the clip.

    The speed goes to zero and back with the pose.
    """
    home = np.concatenate([robot.home_qpos[2:3], np.zeros(3), robot.home_joint_pos])
    loads = strip.frames.shape[1] - len(home)
    home = np.concatenate([home, np.full(loads, robot.weight / max(loads, 1))])
    rise, first, last = _ramp(count), strip.frames[0], strip.frames[-1]
    frames = [strip.frames, last + rise * (home - last), home[None], home + rise * (first - home)]
    rise = _ramp(count + 1)
    steps = [strip.steps, rise[::-1] * strip.steps[-1], rise * strip.steps[0]]
    return _Strip(np.concatenate(frames), np.concatenate(steps))


def _at_cycle(robot: RobotModel, strip: _Strip, count: int) -> _Strip | None:
    """Return the longest part whose end is like its start, with a blend; None if no pose comes
    back.

    The joints must be alike over the whole blend, so that both pose and direction agree.
    """
    joints = strip.frames[:, 4 : 4 + robot.num_joints]
    shortest, frames = max(round(_MIN_CYCLE_S / CONTROL_DT), count), len(joints) - count
    if frames <= shortest:
        return None
    apart = cdist(joints, joints, "sqeuclidean") / robot.num_joints
    misses = np.sqrt(sum(apart[k : k + frames, k : k + frames] for k in range(count)) / count)
    misses[np.tri(frames, k=shortest - 1, dtype=bool)] = (
        np.inf
    )  # an end comes so much later than its beginning
    if misses.min() > _CYCLE_MISS:
        return None
    first, end = np.argwhere(misses <= max(misses.min(), _CYCLE_GOOD)).T
    longest = np.argmax(end - first)
    first, end = first[longest], end[longest]
    rise = _ramp(count)
    frames_in, steps_in = strip.frames[first:end].copy(), strip.steps[first:end].copy()
    frames_in[:count] = strip.frames[end : end + count] * (1 - rise) + frames_in[:count] * rise
    steps_in[:count] = strip.steps[end : end + count] * (1 - rise) + steps_in[:count] * rise
    return _Strip(frames_in, steps_in)


def _unrolled(
    robot: RobotModel,
    clip: MotionClip,
    frames: Float[np.ndarray, "frame column"],
    steps: Float[np.ndarray, "frame 6"],
) -> MotionClip:
    """Return a clip that walks `steps` from frame to frame, from the origin."""
    yaw = np.concatenate([[0.0], np.cumsum(steps[:-1, 2])])
    cos, sin = np.cos(yaw[:-1]), np.sin(yaw[:-1])
    moved = np.stack(
        [cos * steps[:-1, 0] - sin * steps[:-1, 1], sin * steps[:-1, 0] + cos * steps[:-1, 1]],
        axis=-1,
    )
    path = np.concatenate([np.zeros((1, 2)), np.cumsum(moved, axis=0)])
    rotation = Rotation.from_euler("z", yaw[:, None]) * Rotation.from_rotvec(frames[:, 1:4])
    loads = frames[:, 4 + robot.num_joints :]
    return replace(
        clip,
        root_pos=np.concatenate([path, frames[:, :1]], axis=-1),
        root_quat=rotation.as_quat(scalar_first=True),
        joint_pos=frames[:, 4 : 4 + robot.num_joints],
        pad_forces=loads if loads.size else None,
        commands=None if clip.commands is None else steps[:, 3:],
        qvel=None,
    )
