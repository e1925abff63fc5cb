"""Ways to move a leg, as directions in joint space.

Only this module knows a joint's index or sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import RobotError
from wildrobot_gym.robot import RobotModel


@dataclass(frozen=True)
class Legs:
    """Joint angles (foot, joint) that turn a link by 1 rad against its parent, for each foot.

    Attributes:
        hip_pitch: About +y, which moves what hangs below backward.
        hip_roll: About +x, which moves what hangs below to +y.
        knee: About +y.
        ankle: About +y.
    """

    hip_pitch: Float[np.ndarray, "foot joint"]
    hip_roll: Float[np.ndarray, "foot joint"]
    knee: Float[np.ndarray, "foot joint"]
    ankle: Float[np.ndarray, "foot joint"]

    @property
    def step(self) -> Float[np.ndarray, "foot joint"]:
        """1 rad of the thigh forward, with the pitch of the sole unchanged."""
        return self.ankle - self.hip_pitch

    @property
    def lift(self) -> Float[np.ndarray, "foot joint"]:
        """1 rad of the knee that lifts the foot straight up, with the pitch of the sole
        unchanged.
        """
        return self.knee - 0.5 * self.hip_pitch - 0.5 * self.ankle


def read_legs(robot: RobotModel) -> Legs:
    """Read the legs of a robot from the axes of its joints.

    Raises:
        RobotError: A leg does not have a hip, knee and ankle about y and a hip about x.
    """
    rows: dict[str, list[np.ndarray]] = {"hip_pitch": [], "hip_roll": [], "knee": [], "ankle": []}
    for foot in robot.foot_names:
        joints = robot.leg_joint_names(foot)
        pitch = [j for j in joints if abs(robot.model.joint(j).axis[1]) > 0.9]
        roll = [j for j in joints if abs(robot.model.joint(j).axis[0]) > 0.9]
        if len(pitch) != 3 or len(roll) != 1:
            raise RobotError(
                f"Tracking needs legs with three joints about y and one about x;"
                f" {foot!r} hangs on {joints}."
            )
        for name, joint, axis in zip(
            rows, (pitch[0], roll[0], pitch[1], pitch[2]), (1, 0, 1, 1), strict=True
        ):
            row = np.zeros(robot.num_joints)
            row[robot.joint_names.index(joint)] = np.sign(robot.model.joint(joint).axis[axis])
            rows[name].append(row)
    return Legs(**{name: np.stack(of_feet) for name, of_feet in rows.items()})
