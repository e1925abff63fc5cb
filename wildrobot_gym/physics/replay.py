"""Repeats the last control steps of a simulation that diverged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wildrobot_gym.config import naming
from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.physics.dumps import Dump
from wildrobot_gym.physics.native import NativePhysics


@dataclass(frozen=True)
class Step:
    """One control step, as it is repeated.

    Attributes:
        same: Whether the step before it ended in the recorded state, bit for bit.
        height: Of the base before the step, m.
        joint_speed: The largest before the step, rad/s.
        torque: The largest of all joints at the step's end, N*m; None where it diverged.
        diverged: Whether the simulation diverged in the step.
    """

    same: bool
    height: float
    joint_speed: float
    torque: float | None
    diverged: bool


def replay(path: Path) -> Iterator[Step]:
    """Repeat what a file records, step by step. Each begins in the state that was recorded.

    Raises:
        PhysicsError: the file is missing, damaged, or of another robot.
    """
    dump = Dump.load(path)
    with naming(str(path), PhysicsError):
        physics = NativePhysics(dump.robot, 1, dump.control_dt, 1)
    physics.recorder = None  # what is repeated is not recorded again
    if dump.rows.shape[1] != physics.batch.state.shape[1]:
        raise PhysicsError(
            f"{path} has states of {dump.rows.shape[1]} numbers, and the robot"
            f" {dump.robot.name!r} has {physics.batch.state.shape[1]} with this MuJoCo. It was"
            f" written with MuJoCo {dump.mujoco}; use that version and the same robot."
        )
    physics.batch.state[:] = dump.rows[:1]
    for row, drive in zip(dump.rows, dump.drives, strict=True):
        same = np.array_equal(physics.batch.state[0], row, equal_nan=True)
        physics.batch.state[0] = row  # another one where somebody moved the robot
        height, speed = float(physics.qpos[0, 2]), float(np.abs(physics.qvel[0, 6:]).max())
        diverged = bool(physics.advance(drive)[0])
        torque = None if diverged else float(np.abs(physics.forces[0]).max())
        yield Step(same, height, speed, torque, diverged)
