"""Joint angles over the gait cycle, from one touchdown of the left foot to its next."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.contact import foot_forces
from wildrobot_gym.evaluation.gait_events import find_events
from wildrobot_gym.evaluation.metrics import SUCCESS_CADENCE, measured_steps
from wildrobot_gym.evaluation.recording import Recording
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.robot import RobotModel

LEFT = 0  # of the robot's feet
POINTS = 51  # 0 to 100 % of a cycle in steps of 2 %
MAX_CYCLE_S = 1.0 / SUCCESS_CADENCE[0]  # whoever takes longer between two touchdowns stood in between
NEAR_SPEED = 0.05  # m/s; clips that much farther from the command than the nearest one count as near too


@dataclass(frozen=True)
class Cycles:
    """Cycles of one robot, all stretched to one length. duration_s: how long each took."""

    joint_names: tuple[str, ...]
    angle: Float[np.ndarray, "cycle point joint"]  # rad
    duration_s: Float[np.ndarray, " cycle"]

    def __len__(self) -> int:
        return len(self.duration_s)

    @property
    def mean(self) -> Float[np.ndarray, "point joint"]:
        return self.angle.mean(axis=0)

    @property
    def spread(self) -> Float[np.ndarray, "point joint"]:
        """Standard deviation over the cycles."""
        return self.angle.std(axis=0)


def recorded_cycles(recording: Recording, robot: RobotModel, control_dt: float) -> Cycles:
    """All cycles in the measured steps of all episodes; there may be none."""
    events = find_events(recording.foot_force, recording.sole_height, robot.weight, control_dt)
    touchdown = events.touchdown[..., LEFT] & measured_steps(recording)
    cut = [cut_cycles(recording.joint_pos[:, env], touchdown[:, env], control_dt) for env in range(recording.num_envs)]
    return _joined(robot, cut)


def reference_cycles(robot: RobotModel, clips: Sequence[MotionClip], command_vx: float) -> Cycles:
    """Cycles of the clips whose speed is nearest to ``command_vx`` m/s; none where those have no forces to step by."""
    cut = []
    for clip in nearest_clips(clips, command_vx):
        if clip.pad_forces is not None:
            force = foot_forces(np.asarray(clip.pad_forces), robot.pad_ids_of_foot)[:, None]
            events = find_events(force, np.zeros_like(force), robot.weight, 1.0 / clip.fps)
            cut.append(cut_cycles(clip.joint_pos, events.touchdown[:, 0, LEFT], 1.0 / clip.fps))
    return _joined(robot, cut)


def nearest_clips(clips: Sequence[MotionClip], command_vx: float) -> list[MotionClip]:
    """The clip whose forward speed is nearest to ``command_vx`` m/s, and those within 0.05 m/s of being as near."""
    distance = [abs(clip.command[0] - command_vx) for clip in clips]
    return [clip for clip, far in zip(clips, distance, strict=True) if far <= min(distance) + NEAR_SPEED]


def cut_cycles(
    joint_pos: Float[np.ndarray, "time joint"], touchdown: Bool[np.ndarray, " time"], control_dt: float
) -> tuple[Float[np.ndarray, "cycle point joint"], Float[np.ndarray, " cycle"]]:
    """Angles from each touchdown to the next, linear between steps, and the time between them in s.

    What lasts longer than ``MAX_CYCLE_S`` is left out.
    """
    at = np.flatnonzero(touchdown)
    pairs = [(a, b) for a, b in itertools.pairwise(at) if (b - a) * control_dt <= MAX_CYCLE_S]
    steps = np.arange(len(joint_pos))
    angle = [
        np.stack([np.interp(np.linspace(a, b, POINTS), steps, values) for values in joint_pos.T], axis=-1)
        for a, b in pairs
    ]
    duration = np.array([(b - a) * control_dt for a, b in pairs])
    return np.array(angle).reshape(-1, POINTS, joint_pos.shape[1]), duration


def _joined(robot: RobotModel, cut: list[tuple[np.ndarray, np.ndarray]]) -> Cycles:
    angle = [np.zeros((0, POINTS, robot.num_joints)), *(angle for angle, _ in cut)]
    duration = [np.zeros(0), *(duration for _, duration in cut)]
    return Cycles(robot.joint_names, np.concatenate(angle), np.concatenate(duration))
