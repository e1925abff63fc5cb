"""The search that found `shape.TUNED`: least squares over the free numbers of a walk.

`python -m wildrobot_gym.motion.gait.tune` prints a better table in about ten minutes on one core.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.optimize import least_squares

from wildrobot_gym.motion.gait import feet
from wildrobot_gym.motion.gait.cycle import shaped_cycle
from wildrobot_gym.motion.gait.shape import (
    MIN_CADENCE,
    TUNED,
    TUNED_SPEEDS,
    from_vector,
    human_cadence,
)
from wildrobot_gym.robot import RobotModel

COMFORTABLE_TORQUE = 2.8  # N*m; 70 % of the limit, the rest is for balance.
COMFORTABLE_SPEED = 6.0  # rad/s
COMFORTABLE_YAW = (
    0.8  # N*m about the stance foot; friction holds 1.7 on a flat sole and 0.9 on the heel
)
_SWING_CLEAR = 0.008  # m; least height of the sole's lowest corner in the middle of the swing.
_LIMIT_MARGIN = 0.04  # rad
_STAY = 0.1  # pull towards the start, so that walks at neighboring speeds are alike


def bounds(speed: float) -> tuple[Float[np.ndarray, " number"], Float[np.ndarray, " number"]]:
    """Return lower and upper bounds of the free numbers at `speed`, within which a walk looks
    human.
    """
    v = speed
    human = human_cadence(v)
    rows = [
        (max(MIN_CADENCE, 0.85 * human), max(MIN_CADENCE + 0.1, 1.25 * human)),  # cadence
        (0.594, 0.66),  # duty; below it more than 85 % of the time is single support.
        (0.456 - 0.018 * v, 0.462 - 0.012 * v),  # height
        (-0.001, 0.010), (-0.005, 0.005),  # bounce
        (0.01 + 0.03 * v, 0.02 + 0.09 * v),  # lean
        (-0.01 - 0.05 * v, 0.01 + 0.05 * v), (-0.01 - 0.05 * v, 0.01 + 0.05 * v),  # nod
        (0.005, 0.04),  # roll
        (0.10 + 0.25 * v, 0.30 + 0.60 * v),  # heel_rise
        (0.04 + 0.05 * v, 0.08 + 0.25 * v),  # heel_strike
        (0.08, 0.18), (0.20, 0.45),  # flat_at, rise_at
        (1.0, 2.5), (1.0, 3.0),  # strike_rate, rise_rate
        (-0.05, 0.10), (0.28, 0.58),  # load_from, load_to
        (-0.2, 0.2), (-0.2, 0.2), (-0.2, 0.2),  # swing_x
        (-1.5, 1.5), (-1.5, 1.5),  # swing_z
        (-1.0, 1.0), (-1.0, 1.0), (-1.0, 1.0),  # swing_pitch
        (-4.0, 10.0), (-10.0, 10.0), (-12.0, 4.0), (-10.0, 10.0),  # swing_ends
    ]  # fmt: skip
    low, high = np.array(rows).T
    return low, high


def residuals(
    robot: RobotModel, speed: float, numbers: Float[np.ndarray, " number"]
) -> Float[np.ndarray, " residual"]:
    """Return the faults of a walk; half their squared length is minimized.

    Torque, speed and yaw moment count above a comfortable level, and a little below it. Other
    faults are acceleration, feet out of reach, joints near their limits, and a swing too low or too
    high.
    """
    shape = from_vector(numbers, speed)
    cycle = shaped_cycle(robot, speed, shape, rounds=2)
    asked, joint_pos = cycle.demand, cycle.qpos[:, 7:]
    torque, joint_vel = asked.torque, asked.qvel[:, 6:]
    dt = cycle.period_s / len(cycle.qpos)
    joint_acc = (np.roll(joint_vel, -1, axis=0) - np.roll(joint_vel, 1, axis=0)) / (2.0 * dt)
    low, high = robot.joint_range.T
    parts = [
        np.maximum(np.abs(torque) - COMFORTABLE_TORQUE, 0.0),
        0.15 * torque,
        2.0 * np.maximum(np.abs(asked.yaw_moment) - COMFORTABLE_YAW, 0.0),
        1.5 * np.maximum(np.abs(joint_vel) - COMFORTABLE_SPEED, 0.0),
        0.004 * joint_acc,
        20.0
        * np.maximum(
            np.maximum(low + _LIMIT_MARGIN - joint_pos, joint_pos - high + _LIMIT_MARGIN), 0.0
        ),
        2000.0 * np.maximum(cycle.misses[:, None] - 1e-4, 0.0),
    ]
    path = feet.plan(feet.read_sole(robot, robot.foot_names[0]), shape, speed / shape.cadence)
    corner = path.lowest_corner(np.linspace(shape.duty, 1.0, 40))
    u = np.linspace(0.0, 1.0, 40)
    wanted = _SWING_CLEAR * np.clip(np.minimum(u, 1.0 - u) / 0.2, 0.0, 1.0)
    swing = (
        200.0
        * (np.maximum(wanted - corner, 0.0) + np.maximum(corner - shape.clearance - 0.005, 0.0))
        / np.sqrt(40)
    )
    return np.concatenate([*(part.ravel() / np.sqrt(len(cycle.qpos)) for part in parts), swing])


def tune(
    robot: RobotModel, speed: float, start: Float[np.ndarray, " number"], evaluations: int = 20
) -> tuple[Float[np.ndarray, " number"], float]:
    """Return the free numbers of the best walk found at `speed` from `start`, and its cost.

    Deterministic.
    """
    low, high = bounds(speed)
    width = high - low
    # Numbers run from 1 to 2 here. Steps of least_squares are relative to a number's size, and near
    # 0 they would be smaller than the tolerance of the inverse kinematics.
    begin = 1.0 + np.clip((start - low) / width, 0.02, 0.98)
    result = least_squares(
        lambda u: np.concatenate(
            [residuals(robot, speed, low + (u - 1.0) * width), _STAY * (u - begin)]
        ),
        begin,
        bounds=(np.ones_like(low), np.full_like(low, 2.0)),
        diff_step=1e-3,
        max_nfev=evaluations,
    )
    return low + (result.x - 1.0) * width, float(result.cost)


def main() -> None:
    """Print the table after one more round from the current one, each speed on its own."""
    robot = RobotModel.load("wildrobot")
    found = [
        tune(robot, speed, start)
        for speed, start in zip(TUNED_SPEEDS, np.array(TUNED).T, strict=True)
    ]
    print("cost", [round(cost, 3) for _, cost in found])
    for row in np.array([numbers for numbers, _ in found]).T:
        print(f"    ({', '.join(f'{x:.4f}' for x in row)}),")


if __name__ == "__main__":
    main()
