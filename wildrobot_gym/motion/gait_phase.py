"""Where in its stride a gait is, from the loads on the feet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.contact import sole_heights, touchdowns
from wildrobot_gym.task.step import loaded_feet

_LOW = 0.005  # m; a sole below it bears load
_STEP_S = 0.45  # s, where a motion has too few steps to tell


def gait_phase(loaded: Bool[np.ndarray, "time foot"], dt: float) -> Float[np.ndarray, " time"]:
    """Return the phase of each frame in cycles: whole where the first foot lands, half where the
    second does.

    Between landings it runs evenly. Across a rest, and beyond the first and the last landing, it
    runs at the usual rate from the nearest one. Without any landing, or with other than two feet,
    it begins at 0 and runs evenly.

    Args:
        loaded: Which feet bear load.
        dt: Time from frame to frame, in seconds.
    """
    time = np.arange(len(loaded)) * dt
    rows, feet = np.nonzero(touchdowns(loaded, dt))
    landings = rows * dt
    if loaded.shape[1] != 2 or not len(landings):
        return time / (2 * _STEP_S)
    gaps = np.diff(landings)
    other = np.diff(feet) != 0
    steps = gaps[other & (gaps > 0)]  # feet that land in one frame make no step
    usual = float(np.median(steps)) if len(steps) else _STEP_S
    # Cycles since the first landing. One foot alone lands once in a cycle.
    at = feet[0] / 2 + np.concatenate([[0.0], np.cumsum(np.where(other, 0.5, 1.0))])
    after = np.searchsorted(landings, time, side="right")
    before = np.maximum(after - 1, 0)
    after = np.minimum(after, len(landings) - 1)
    nearest = np.where(landings[after] - time < time - landings[before], after, before)
    phase = at[nearest] + (time - landings[nearest]) / (2 * usual)
    steady = (after > before) & (landings[after] - landings[before] < 2.5 * usual)
    return np.where(steady, np.interp(time, landings, at), phase)


def phases_of(robot: RobotModel, states: PhysicsState, dt: float) -> Float[np.ndarray, " time"]:
    """Return the phases of a clip's states, in cycles. Where loads are not known, low feet count.

    Args:
        robot: The robot.
        states: The states, one for each frame.
        dt: Time from frame to frame, in seconds.
    """
    robot = replace(robot, ground=None)  # a clip's floor is level
    loaded = np.asarray(loaded_feet(robot, states))
    if np.isnan(np.asarray(states.pad_forces)).any():
        loaded = np.asarray(sole_heights(robot, states)) < _LOW
    return gait_phase(loaded, dt)
