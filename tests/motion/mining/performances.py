"""Made-up performances whose metrics are known by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wildrobot_gym.motion.tracking import Controller, Performance, Variant
from wildrobot_gym.robot import RobotModel

VARIANT = Variant("cycle", 1.0, 0.0, False, 0.0, Controller())


def performance(
    robot: RobotModel,
    frames: int,
    change: Callable[[dict[str, np.ndarray]], None] | None = None,
    name: str = "made",
) -> Performance:
    """The home pose gliding ahead at 0.5 m/s under even load, no harness, no slip; `change` edits
    the arrays in place.
    """
    arrays = {
        "qpos": np.tile(robot.home_qpos, (frames, 1)).astype(np.float32),
        "qvel": np.zeros((frames, robot.model.nv), np.float32),
        "pad_forces": np.full((frames, 4), robot.weight / 4, np.float32),
        "pad_speed": np.zeros((frames, 4), np.float32),
        "harness": np.zeros((frames, 6), np.float32),
        "harness_saturated": np.zeros(frames, bool),
        "torque": np.zeros((frames, robot.num_joints), np.float32),
    }
    arrays["qpos"][:, 0] = 0.01 * np.arange(frames)
    arrays["qvel"][:, 0] = 0.5
    if change is not None:
        change(arrays)
    return Performance(name, VARIANT, "here", "free", first_step=0, fell=False, **arrays)
