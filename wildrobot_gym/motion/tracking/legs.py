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
    for leg in robot.legs:
        if len(leg.pitch) != 3 or not leg.roll:
            raise RobotError(
                "Tracking needs legs with a hip, a knee and an ankle about y and a hip about x;"
                f" {leg.foot!r} hangs on {', '.join(leg.joints)}."
            )
        hip, knee, ankle = leg.pitch
        for name, joint in zip(rows, (hip, leg.roll[0], knee, ankle), strict=True):
            row = np.zeros(robot.num_joints)
            row[robot.joint_names.index(joint)] = leg.signs[joint]
            rows[name].append(row)
    return Legs(**{name: np.stack(of_feet) for name, of_feet in rows.items()})
