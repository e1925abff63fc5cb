"""How much of the servos' torque a gait uses, joint by joint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from wildrobot_gym.evaluation.metrics import measured_steps
from wildrobot_gym.evaluation.recording import Recording
from wildrobot_gym.robot import SATURATION_FRACTION, RobotModel

PERCENTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class TorqueUse:
    """How much of its limit each joint uses.

    Attributes:
        joint_names: Names of the joints.
        fraction: |torque| / limit at the `PERCENTILES` of the time.
        saturated: Fraction of the time at the limit.
    """

    joint_names: tuple[str, ...]
    fraction: Float[np.ndarray, "percentile joint"]
    saturated: Float[np.ndarray, " joint"]


def torque_use(recording: Recording, robot: RobotModel, control_dt: float) -> TorqueUse | None:
    """The torque use in the measured steps of all episodes; None if there are none."""
    used = (np.abs(recording.torque) / robot.force_limit)[measured_steps(recording, control_dt)]
    if not len(used):
        return None
    saturated = (used >= SATURATION_FRACTION).mean(axis=0)
    return TorqueUse(robot.joint_names, np.percentile(used, PERCENTILES, axis=0), saturated)
