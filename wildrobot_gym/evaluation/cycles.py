"""Gait cycles: joint angles from one touchdown of the left foot to its next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.evaluation.gait_events import find_events
from wildrobot_gym.evaluation.metrics import SUCCESS_CADENCE, measured_steps
from wildrobot_gym.evaluation.recording import Recording
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.command_kinds import WALK, kind_of_clip
from wildrobot_gym.motion.states import clip_states
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.contact import foot_forces, lowest_corner

LEFT = 0  # a robot's first foot
MAX_CYCLE_S = 1.0 / SUCCESS_CADENCE[0]  # with more time between, the robot stood
POINTS = 51  # 0 to 100 % of a cycle in steps of 2 %
NEAR_SPEED = 0.05  # m/s; clips that much farther from the command than the nearest count, too

Cycle = Float[np.ndarray, "time joint"]
"""Joint angles in rad at the control rate, from one touchdown to the next, both included."""


def recorded_cycles(
    recording: Recording, robot: RobotModel, control_dt: float
) -> list[list[Cycle]]:
    """The cycles of each environment whose touchdowns both lie in its measured steps."""
    events = find_events(recording.foot_force, recording.sole_height, robot.weight, control_dt)
    touchdown = events.touchdown[..., LEFT] & measured_steps(recording, control_dt)
    return [
        cut_cycles(recording.joint_pos[:, i], touchdown[:, i], control_dt)
        for i in range(recording.num_envs)
    ]


def clip_cycles(robot: RobotModel, clip: MotionClip, control_dt: float) -> list[Cycle]:
    """The cycles of a clip, found like a policy's; none if it has no pad forces."""
    if clip.pad_forces is None:
        return []
    state = clip_states(robot, clip, control_dt)
    force = foot_forces(np.asarray(state.pad_forces), robot.pad_ids_of_foot)
    sole = lowest_corner(robot, np.asarray(state.pad_pos_w), np.asarray(state.foot_quat_w))
    touchdown = find_events(force[:, None], sole[:, None], robot.weight, control_dt).touchdown[
        :, 0, LEFT
    ]
    return cut_cycles(np.asarray(state.qpos)[:, 7:], touchdown, control_dt)


def cut_cycles(
    joint_pos: Float[np.ndarray, "time joint"],
    touchdown: Bool[np.ndarray, " time"],
    control_dt: float,
) -> list[Cycle]:
    """Cycles from each touchdown to the next, without those longer than `MAX_CYCLE_S`."""
    longest = round(MAX_CYCLE_S / control_dt)
    return [
        joint_pos[a : b + 1] for a, b in pairwise(np.flatnonzero(touchdown)) if b - a <= longest
    ]


def nearest_clips(clips: Sequence[MotionClip], command_vx: float) -> list[MotionClip]:
    """The straight walks that are nearest to a commanded speed in m/s, within 0.05 m/s of the
    nearest; among all clips if none walks straight.
    """
    clips = [clip for clip in clips if kind_of_clip(clip) == WALK] or list(clips)
    distance = [abs(clip.command[0] - command_vx) for clip in clips]
    return [
        clip for clip, far in zip(clips, distance, strict=True) if far <= min(distance) + NEAR_SPEED
    ]


@dataclass(frozen=True)
class Cycles:
    """Cycles of one robot, all stretched to one length. There may be none.

    Attributes:
        joint_names: Names of the joints.
        angle: Joint angles in rad, linear between control steps.
        duration_s: Duration of each cycle, in s.
    """

    joint_names: tuple[str, ...]
    angle: Float[np.ndarray, "cycle point joint"]  # rad
    duration_s: Float[np.ndarray, " cycle"]

    @classmethod
    def of(cls, robot: RobotModel, cycles: Iterable[Cycle], control_dt: float) -> Cycles:
        """Stretch cycles to one length."""
        cycles = list(cycles)
        angle = np.array([_stretched(cycle) for cycle in cycles]).reshape(
            -1, POINTS, robot.num_joints
        )
        return cls(
            robot.joint_names, angle, np.array([(len(cycle) - 1) * control_dt for cycle in cycles])
        )

    def __len__(self) -> int:
        return len(self.duration_s)

    @property
    def mean(self) -> Float[np.ndarray, "point joint"]:
        """Mean over the cycles."""
        return self.angle.mean(axis=0)

    @property
    def spread(self) -> Float[np.ndarray, "point joint"]:
        """Standard deviation over the cycles."""
        return self.angle.std(axis=0)


def _stretched(cycle: Cycle) -> Float[np.ndarray, "point joint"]:
    steps = np.linspace(0, len(cycle) - 1, POINTS)
    return np.stack(
        [np.interp(steps, np.arange(len(cycle)), angles) for angles in cycle.T], axis=-1
    )
