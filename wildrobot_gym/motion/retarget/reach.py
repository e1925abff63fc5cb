"""The robot's leg in the side view, in closed form: angles for an ankle's position, and heights of
the hips.

The thigh swings back only 5 degrees, the knee bends one way, and the ankle 45 degrees. So a
trailing leg needs low hips or a high heel. Side view: x ahead along the base's heading, z up.
Angles are in rad. Lean is positive forward, and pitch is positive toes down.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import RobotError
from wildrobot_gym.robot import RobotModel

MARGIN = 0.03  # rad from each joint's limit
STRAIGHTEST = (
    0.3  # rad of the knee; in a straighter leg small moves of the hip become fast ones of the knee
)


@dataclass(frozen=True)
class LegReach:
    """Lengths (m) and ranges (rad) of one leg.

    Attributes:
        thigh: Length of the thigh.
        shin: Length of the shin.
        hip: (x, z) of the hip pitch axis in the base frame.
        hip_y: (foot,) y of each foot frame under an upright leg.
        ankle_height: Height of the ankle above the sole.
        low: Lower limits of hip (forward from the base's down axis), knee, and ankle (toes down).
        high: Upper limits of the same.
    """

    thigh: float
    shin: float
    hip: tuple[float, float]
    hip_y: Float[np.ndarray, " foot"]
    ankle_height: float
    low: Float[np.ndarray, "3"]
    high: Float[np.ndarray, "3"]

    @classmethod
    def of(cls, robot: RobotModel) -> LegReach:
        """Read the leg from the robot's model. The first foot's leg stands for both.

        Raises:
            RobotError: It does not have a hip, knee and ankle about y.
        """
        data, model = mujoco.MjData(robot.model), robot.model
        mujoco.mj_kinematics(model, data)
        leg = robot.legs[0]
        if len(leg.pitch) != 3:
            raise RobotError(
                "Retargeting needs legs with a hip, a knee and an ankle about y;"
                f" {leg.foot!r} hangs on {', '.join(leg.joints)}."
            )
        joints = [model.joint(name) for name in leg.pitch]
        hip, knee, ankle = (data.xanchor[joint.id] for joint in joints)
        foot = np.array([data.site(name).xpos for name in robot.foot_names])
        # About +y a joint swings what hangs below backward and toes down. Only the hip counts
        # forward.
        signs = np.array([-1.0, 1.0, 1.0]) * [data.xaxis[joint.id][1] for joint in joints]
        ranges = np.sort(np.array([joint.range for joint in joints]) * signs[:, None], axis=1)
        return cls(
            thigh=float(hip[2] - knee[2]),
            shin=float(knee[2] - ankle[2]),
            hip=(float(hip[0] - data.qpos[0]), float(hip[2] - data.qpos[2])),
            hip_y=foot[:, 1],
            ankle_height=float(ankle[2] - foot[0, 2]),
            low=ranges[:, 0],
            high=ranges[:, 1],
        )

    def hip_from_base(
        self, lean: Float[np.ndarray, "*n"]
    ) -> tuple[Float[np.ndarray, "*n"], Float[np.ndarray, "*n"]]:
        """Return the hip axis ahead of and above the base, in m."""
        x, z = self.hip
        return x * np.cos(lean) + z * np.sin(lean), z * np.cos(lean) - x * np.sin(lean)

    def angles(
        self,
        ahead: Float[np.ndarray, "*n"],
        up: Float[np.ndarray, "*n"],
        pitch: Float[np.ndarray, "*n"],
        lean: Float[np.ndarray, "*n"],
    ) -> Float[np.ndarray, "*n 3"]:
        """Return (hip, knee, ankle) that put the ankle `ahead` and `up` m (negative) of the hip
        axis.

        The leg is straight if the ankle is out of reach.
        """
        square = np.square(ahead) + np.square(up)
        cosine = (square - self.thigh**2 - self.shin**2) / (2.0 * self.thigh * self.shin)
        knee = np.arccos(np.clip(cosine, -1.0, 1.0))
        line = np.arctan2(ahead, -up)
        thigh = line + np.arctan2(self.shin * np.sin(knee), self.thigh + self.shin * np.cos(knee))
        return self.joints(thigh, knee, pitch, lean)

    @staticmethod
    def joints(
        thigh: np.ndarray, knee: np.ndarray, pitch: np.ndarray, lean: np.ndarray
    ) -> Float[np.ndarray, "*n 3"]:
        """Return (hip, knee, ankle) for the world angles of the thigh (forward) and the sole."""
        return np.stack([thigh + lean, knee, pitch + thigh - knee], axis=-1)

    def ankle(
        self, joints: Float[np.ndarray, "*n 3"], lean: Float[np.ndarray, "*n"]
    ) -> tuple[Float[np.ndarray, "*n"], Float[np.ndarray, "*n"], Float[np.ndarray, "*n"]]:
        """Return the inverse of `angles`: ahead, up, pitch."""
        thigh = joints[..., 0] - lean
        shin = thigh - joints[..., 1]
        ahead = self.thigh * np.sin(thigh) + self.shin * np.sin(shin)
        return ahead, -self.thigh * np.cos(thigh) - self.shin * np.cos(shin), joints[..., 2] - shin

    def highest_hip(
        self, ahead: Float[np.ndarray, "*n"], lean: Float[np.ndarray, "*n"]
    ) -> Float[np.ndarray, "*n"]:
        """Return the greatest height of the hip axis above an ankle `ahead` m of it, in m.

        The thigh's range limits a trailing leg, and the leg's length any other. The result is -inf
        if no height will do.
        """
        longest = np.sqrt(
            self.thigh**2 + self.shin**2 + 2.0 * self.thigh * self.shin * np.cos(STRAIGHTEST)
        )
        straight = np.sqrt(np.where(np.abs(ahead) < longest, longest**2 - np.square(ahead), np.nan))
        thigh = lean - self.low[0] - MARGIN  # backward
        sine = (
            -ahead - self.thigh * np.sin(thigh)
        ) / self.shin  # of the shin's angle, backward, below such a thigh
        bent = self.thigh * np.cos(thigh) + self.shin * np.sqrt(
            np.where(np.abs(sine) < 1.0, 1.0 - np.square(sine), np.nan)
        )
        return np.nan_to_num(
            np.where(sine > np.sin(thigh + STRAIGHTEST), bent, straight), nan=-np.inf
        )

    def lowest_hip(
        self, ahead: Float[np.ndarray, "*n"], pitch: Float[np.ndarray, "*n"]
    ) -> Float[np.ndarray, "*n"]:
        """Return the least height of the hip axis above the ankle that keeps the ankle's limit, in
        m.
        """
        shin = pitch - self.low[2] - MARGIN
        sine = np.clip((ahead + self.shin * np.sin(shin)) / self.thigh, -1.0, 1.0)
        return self.shin * np.cos(shin) + self.thigh * np.sqrt(1.0 - np.square(sine))
