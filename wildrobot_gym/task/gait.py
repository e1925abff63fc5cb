"""How a robot walks, step by step: what the log shows of the gait while a policy trains."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from wildrobot_gym.robot import SATURATION_FRACTION, RobotModel
from wildrobot_gym.task.contact import MIN_UNLOADED_S, SLIP_SPEED, foot_loads
from wildrobot_gym.task.rewards import RewardInputs


def gait_metrics(
    robot: RobotModel, x: RewardInputs, control_dt: float
) -> dict[str, Float[Array, ""]]:
    """Gait metrics of one control step, whose means over many steps are those of the gait.

    The walk benchmark defines loads, touchdowns and saturation in the same way.

    Args:
        robot: The robot.
        x: The step.
        control_dt: Seconds between control steps.

    Returns:
        `gait_cadence`: touchdowns of a foot, 1/s. `gait_double_support` and `gait_flight`: 1 while
        all feet or no foot carry load. `gait_slip`: fraction of the feet that slide under load.
        `gait_saturation`: fraction of the servos at their force limit.
    """
    # In the air for a whole number of steps; half a step keeps rounding away.
    landed = x.touchdown_air_time > MIN_UNLOADED_S - control_dt / 2
    _, speed = foot_loads(x.state.pad_forces, x.state.pad_speed, robot.pad_ids_of_foot)
    saturated = jnp.abs(x.state.actuator_forces) >= SATURATION_FRACTION * x.force_limit
    return {
        "gait_cadence": landed.mean() / control_dt,
        "gait_double_support": x.foot_loaded.all().astype(jnp.float32),
        "gait_flight": (~x.foot_loaded.any()).astype(jnp.float32),
        "gait_slip": (x.foot_loaded & (speed > SLIP_SPEED)).mean(),
        "gait_saturation": saturated.mean(),
    }
