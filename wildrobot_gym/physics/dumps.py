"""Simulations that diverged, with their last control steps, to be repeated and looked at.

`WILDROBOT_DUMP=folder` turns it on, for MuJoCo's own batch: the engines native and native-jax.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import mujoco
import numpy as np

from wildrobot_gym import npz_io
from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.files import atomic_write
from wildrobot_gym.npz_io import TEXT, Wanted
from wildrobot_gym.paths import ROBOTS
from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.fields import model_fields
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.terrain.ground import Ground

VARIABLE = "WILDROBOT_DUMP"
KEPT_STEPS = 25
MOST_DUMPS = 20  # of a process: what diverges once does so often
_FIELD = "field_"
_FILE = {
    "robot": Wanted(0, TEXT),
    "mujoco": Wanted(0, TEXT),
    "control_dt": Wanted(0),
    "rows": Wanted(2, finite=False),
    "targets": Wanted(2, finite=False),
}
_GROUND = {"heights": Wanted(2), "cell": Wanted(0), "tilt": Wanted(0)}

_log = logging.getLogger(__name__)
_written = [0]


class Recorder:
    """Keeps the last control steps of all simulations, and writes those of some.

    Args:
        robot: The robot.
        control_dt: s.
        folder: Where files are written; made when it is needed.
    """

    def __init__(self, robot: RobotModel, control_dt: float, folder: Path) -> None:
        self._robot, self._folder = robot, folder
        self._control_dt = control_dt
        self._steps: deque[tuple[np.ndarray, Drive]] = deque(maxlen=KEPT_STEPS)

    def see(self, rows: np.ndarray, drive: Drive) -> None:
        """Keep a step that is about to be taken.

        Args:
            rows: (env, number) states of the simulations, which are copied.
            drive: The step's inputs, which are copied.
        """
        self._steps.append((rows.copy(), jax.tree.map(np.array, drive)))

    def write(self, ids: np.ndarray) -> None:
        """Write the last steps of some simulations, each from its last reset on at the earliest."""
        for i in ids[: max(0, MOST_DUMPS - _written[0])]:
            path = self._folder / f"{self._robot.name}-{os.getpid()}-{_written[0]}.npz"
            _written[0] += 1
            try:
                with atomic_write(path) as stream:
                    np.savez(stream, **self._arrays(int(i)))
            except OSError as error:
                _log.warning("A simulation diverged, and cannot be written: %s.", error)
                return
            _log.warning(
                "A simulation diverged. `wildrobot robot replay %s` repeats its last steps.", path
            )

    def _arrays(self, i: int) -> dict[str, Any]:
        steps = [(rows[i], jax.tree.map(lambda x: x[i], drive)) for rows, drive in self._steps]
        # The state begins with the time, which a reset sets back.
        times = np.array([rows[0] for rows, _ in steps])
        goes_on = np.isclose(np.diff(times), self._control_dt, rtol=0, atol=1e-6)
        first = int(np.flatnonzero(~goes_on)[-1]) + 1 if not goes_on.all() else 0
        drives = [drive for _, drive in steps[first:]]
        inputs = {
            name: np.stack([getattr(drive, name) for drive in drives])
            for name in _inputs(self._robot)
            if getattr(drives[0], name) is not None
        }
        fields = {
            _FIELD + name: np.stack([drive.fields[name] for drive in drives])
            for name in drives[0].fields
        }
        folder = self._robot.xml_path.parent.resolve()
        about: dict[str, Any] = {
            "robot": folder.name if folder.parent == ROBOTS.resolve() else str(folder),
            "mujoco": mujoco.__version__,
            "control_dt": self._control_dt,
            "rows": np.stack([rows for rows, _ in steps[first:]]),
        }
        if (ground := self._robot.ground) is not None:
            about |= {"heights": ground.heights, "cell": ground.cell, "tilt": ground.tilt}
        return about | inputs | fields


def recorder(robot: RobotModel, control_dt: float) -> Recorder | None:
    """One for the folder that `WILDROBOT_DUMP` names; None where it names none."""
    folder = os.environ.get(VARIABLE)
    return Recorder(robot, control_dt, Path(folder)) if folder else None


@dataclass(frozen=True)
class Dump:
    """The last steps of a simulation that diverged.

    Attributes:
        robot: The robot.
        control_dt: s.
        mujoco: MuJoCo's version.
        rows: (step, number) the state before each step.
        drives: The inputs of each step, for a batch of one.
    """

    robot: RobotModel
    control_dt: float
    mujoco: str
    rows: np.ndarray
    drives: list[Drive]

    @classmethod
    def load(cls, path: Path) -> Dump:
        """Read a file.

        Raises:
            PhysicsError: it is missing or damaged.
            RobotError: the robot is not there.
        """
        remedy = f"`{VARIABLE}=folder` writes such files."
        arrays = npz_io.read(path, PhysicsError, "record of a simulation", remedy, _FILE)
        robot = RobotModel.load(str(arrays["robot"]))
        count, dt = len(arrays["rows"]), float(arrays["control_dt"])
        inputs = {name: shape for name, shape in _inputs(robot).items() if name in arrays}
        fields = {
            _FIELD + name: field.nominal.shape
            for name, field in model_fields(robot).items()
            if _FIELD + name in arrays
        }
        shapes = {name: (count, *shape) for name, shape in (inputs | fields).items()}
        try:
            npz_io.check_all(arrays, _GROUND)
            if "heights" in arrays:
                robot = replace(robot, ground=_ground(arrays))
            if unknown := sorted(arrays.keys() - {*_FILE, *_GROUND, *shapes}):
                raise ValueError(f"{unknown[0]} is no input of the robot {robot.name!r}")
            for name, shape in shapes.items():
                if count == 0 or arrays[name].shape != shape or arrays[name].dtype.kind == "U":
                    raise ValueError(f"{name} has the shape {arrays[name].shape}, not {shape}")
            if ("before" in inputs) != ("switch" in inputs):
                raise ValueError("before and switch come together")
        except ValueError as error:
            raise PhysicsError(
                f"{path} is damaged, or of another robot: {error}. {remedy}"
            ) from error
        steps = {name: arrays[name] for name in shapes}
        drives = [
            Drive(
                **{name: steps[name][k : k + 1] for name in inputs},
                fields={name.removeprefix(_FIELD): steps[name][k : k + 1] for name in fields},
            )
            for k in range(count)
        ]
        return cls(robot, dt, str(arrays["mujoco"]), arrays["rows"], drives)


def _inputs(robot: RobotModel) -> dict[str, tuple[int, ...]]:
    """What a `Drive` may have beside model fields, with the shape for one robot."""
    joints = (robot.num_joints,)
    of_joints = {"targets": joints, "before": joints, "backlash": joints}
    return {**of_joints, "switch": (), "push": (3,), "wrench": (6,)}


def _ground(arrays: Mapping[str, np.ndarray]) -> Ground:
    """The ground that a robot stood on.

    Raises:
        ValueError: it is none.
    """
    heights, cell, tilt = (arrays.get(name) for name in _GROUND)
    if heights is None or cell is None or tilt is None or heights.dtype.kind != "f":
        raise ValueError(f"a ground has {', '.join(_GROUND)}")
    square = len(heights) > 0 and heights.shape[0] == heights.shape[1]
    if not square or not 0 < cell < 1e3 or not abs(tilt) < 1.5 or np.abs(heights).max() > 1e3:
        raise ValueError("heights is no square grid of m with a cell above 0 and a tilt below 1.5")
    return Ground(heights, float(cell), float(tilt))
