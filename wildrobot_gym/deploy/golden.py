"""Compare this computer's arithmetic with the golden vectors of an export."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from wildrobot_gym import npz_io
from wildrobot_gym.deploy.controller import Controller
from wildrobot_gym.deploy.log import SENSORS
from wildrobot_gym.deploy.robot_io import Sensors
from wildrobot_gym.errors import RunError

FILE = "golden.npz"
MAX_ERROR = 1e-5  # of observations, of actions in -1 to 1, and of targets in rad


def check_golden(folder: str | Path) -> dict[str, float]:
    """Run every golden instant of an export through the controller.

    Args:
        folder: The folder that `wildrobot export` wrote.

    Returns:
        The greatest difference in `observation`, `action`, `filtered` and `target`.

    Raises:
        RunError: The folder is damaged, or a difference exceeds 1e-5.
    """
    controller, path = Controller.load(folder), Path(folder) / FILE
    golden = npz_io.read(path, RunError, "set of golden vectors", "Export again.")
    try:
        return compare(controller, golden)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise RunError(f"{path} holds no golden vectors: {error!r}. Export again.") from error


def compare(controller: Controller, golden: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The greatest differences of a controller's results from recorded ones.

    Args:
        controller: The exported policy.
        golden: Arrays (instant, ...) of the sensors, `command` and the four results: episodes, one
            after the other, each from its start, where `begins` is true. Files of version 1 have
            single instants instead, with the filtered action before each, `filtered_before`.

    Raises:
        RunError: A difference exceeds 1e-5.
    """
    errors = dict.fromkeys(("observation", "action", "filtered", "target"), 0.0)
    for i in range(len(golden["action"])):
        row = {name: array[i] for name, array in golden.items()}
        if row.get("begins", True):
            controller.reset()
        if "filtered_before" in row:
            controller.filtered = row["filtered_before"]
        sensors = Sensors(0.0, **{name: row[name] for name in SENSORS if name in row})
        made = controller.step(sensors, row["command"])
        got = (made.observation, made.action, controller.filtered, made.targets)
        for name, value in zip(errors, got, strict=True):
            errors[name] = max(errors[name], float(np.abs(value - row[name]).max()))
    if worst := {name: error for name, error in errors.items() if not error <= MAX_ERROR}:
        raise RunError(f"Results differ from the policy's own: {worst}; allowed: {MAX_ERROR}.")
    return errors
