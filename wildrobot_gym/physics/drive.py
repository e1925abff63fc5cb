"""What acts on a robot in one control step: joint targets, and what else is configured."""

from __future__ import annotations

from typing import Any

import numpy as np
from flax import struct
from jaxtyping import Array, Float, Int

from wildrobot_gym.rotations import AnyArray

Numbers = Array | np.ndarray


@struct.dataclass
class Drive:
    """One control step's inputs to an engine, NumPy or JAX, with any leading axes.

    What is None is not simulated and costs nothing. Which fields are None never changes from step
    to step.
    """

    targets: Float[Numbers, "*b joint"]  # of the servos, rad
    # Targets before the sub-step `switch`, and that sub-step: a command that arrives late.
    before: Float[Numbers, "*b joint"] | None = None
    switch: Int[Numbers, "*b"] | None = None
    # rad; a servo feels no error within half of it, to either side of its target.
    backlash: Float[Numbers, "*b joint"] | None = None
    push: Float[Numbers, "*b 3"] | None = None  # m/s, added to the base's velocity in the world
    wrench: Float[Numbers, "*b 6"] | None = None  # N and N*m at the base's center of mass, in world
    # Values of model fields (`wildrobot_gym.physics.fields`) that differ from the robot's own.
    fields: dict[str, Any] = struct.field(default_factory=dict)

    @property
    def by_substep(self) -> bool:
        """Whether the servos' inputs change within a control step."""
        return self.switch is not None or self.backlash is not None


def servo_inputs(
    drive: Drive, substep: Any, joint_pos: Float[AnyArray, "*b joint"]
) -> Float[AnyArray, "*b joint"]:
    """The targets that the servos follow in one sub-step, rad.

    Args:
        drive: NumPy's or JAX's arrays.
        substep: Number of the sub-step in its control step.
        joint_pos: Present joint positions, rad.
    """
    xp: Any = joint_pos.__array_namespace__()
    targets: Any = drive.targets
    if drive.switch is not None:
        targets = xp.where(substep < drive.switch[..., None], drive.before, targets)
    if drive.backlash is not None:
        # The play is free of torque: within it, a servo behaves as if it had arrived.
        play = drive.backlash / 2
        targets = targets - xp.clip(targets - joint_pos, -play, play)
    return targets
