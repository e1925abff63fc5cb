"""What the joints outside the legs do in a walk: a waist and arms swing against the legs."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float

from wildrobot_gym.robot import RobotModel

_ALONG = 0.9  # of a joint's axis along a direction, to count as a joint about it
_MIDDLE = 0.05  # of the leg's length; joints nearer to the x-z plane are in the middle
_HEAVY = 0.1  # of the mass; a waist carries at least this much
_ARM_SWING = 0.8  # rad of both arms together for each leg's length between the feet
_MARGIN = 0.05  # rad from a joint's limits


@dataclass(frozen=True)
class UpperBody:
    """The joints that swing, as indices of the robot's joints.

    Attributes:
        waist: With the sign of an angle that turns what they carry to the left.
        arms: With the sign of an angle that swings the arm forward, and the side: 1 left, -1 right.
    """

    robot: RobotModel
    waist: tuple[tuple[int, float], ...]
    arms: tuple[tuple[int, float, float], ...]

    @classmethod
    def of(cls, robot: RobotModel) -> UpperBody:
        """Find a waist's yaw joints and the shoulders' pitch joints by their axes and places."""
        model, data = robot.model, mujoco.MjData(robot.model)
        data.qpos[:] = robot.home_qpos
        mujoco.mj_kinematics(model, data)
        legs = {joint for foot in robot.foot_names for joint in robot.leg_joint_names(foot)}
        waist: list[tuple[int, float]] = []
        arms: list[tuple[int, float, float]] = []
        shoulders: set[int] = set()  # bodies; an elbow below one swings with it
        for i, name in enumerate(robot.joint_names):
            if name in legs:
                continue
            joint = model.joint(name).id
            body, axis, y = int(model.jnt_bodyid[joint]), data.xaxis[joint], data.xanchor[joint][1]
            middle = abs(y) < _MIDDLE * robot.leg_length
            heavy = model.body_subtreemass[body] > _HEAVY * robot.mass
            if middle and heavy and abs(axis[2]) > _ALONG:
                waist.append((i, float(np.sign(axis[2]))))
            elif not middle and abs(axis[1]) > _ALONG and not shoulders & _above(model, body):
                shoulders.add(body)
                # A turn about +y swings what hangs below backward.
                arms.append((i, -float(np.sign(axis[1])), float(np.sign(y))))
        return cls(robot, tuple(waist), tuple(arms))

    def pose(
        self,
        joint_pos: Float[np.ndarray, "time joint"],
        twist: Float[np.ndarray, " time"],
        spread: Float[np.ndarray, " time"],
    ) -> None:
        """Write the swinging joints' angles into `joint_pos` (rad).

        Args:
            joint_pos: Angles, at home where nothing else is written.
            twist: Turn of the torso to the left, in rad.
            spread: How far the left foot is ahead of the right one, in m.
        """
        for i, sign in self.waist:
            joint_pos[:, i] = self._within(i, self.robot.home_joint_pos[i] + sign * twist)
        swing = 0.5 * _ARM_SWING * spread / self.robot.leg_length
        for i, sign, side in self.arms:
            joint_pos[:, i] = self._within(i, self.robot.home_joint_pos[i] - sign * side * swing)

    def _within(self, joint: int, angle: np.ndarray) -> np.ndarray:
        low, high = self.robot.joint_range[joint]
        return np.clip(angle, low + _MARGIN, high - _MARGIN)


def _above(model: mujoco.MjModel, body: int) -> set[int]:
    """Return the bodies from `body` up to the world."""
    found = set()
    while body != 0:
        found.add(body)
        body = int(model.body_parentid[body])
    return found
