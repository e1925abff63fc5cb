"""What a run did, step by step, as an .npz file; and the same run once more through the policy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wildrobot_gym import json_io, npz_io
from wildrobot_gym.deploy.controller import Controller, Decision
from wildrobot_gym.deploy.robot_io import Sensors
from wildrobot_gym.errors import ConfigError, RunError
from wildrobot_gym.files import atomic_write

PHASES = ("soft start", "settle", "policy", "stop")
POLICY = PHASES.index("policy")
SENSORS = ("joint_pos", "joint_vel", "quat", "gyro", "lin_vel", "foot_switches")


class Log:
    """Rows of a run, one for each control step.

    Args:
        controller: Has the policy's sizes, name and digest.
    """

    def __init__(self, controller: Controller) -> None:
        d = controller.description
        self._about = {"policy": d.name, "sha256": d.network.sha256, "control_dt": d.control_dt}
        self._blank = {
            "joint_pos": len(d.joints),
            "joint_vel": len(d.joints),
            "quat": 4,
            "gyro": 3,
            "lin_vel": 3,
            **({"foot_switches": len(d.switch_names)} if d.switch_names else {}),
            "observation": d.obs_dim,
            "action": len(d.joints),
        }
        self._rows: list[dict[str, Any]] = []
        self.reason = ""

    def add(
        self,
        phase: str,
        sensors: Sensors | None,
        decision: Decision | None,
        **values: Any,
    ) -> None:
        """Add a control step.

        Args:
            phase: One of `PHASES`.
            sensors: What was measured.
            decision: What the policy chose; None outside of its phase.
            **values: `now`, `late`, `latency` (s), `age` (s), `command` and `targets`.
        """
        row: dict[str, Any] = {name: np.full(n, np.nan) for name, n in self._blank.items()}
        if sensors is not None:
            given = {name: getattr(sensors, name) for name in SENSORS if name in row}
            row |= {name: values for name, values in given.items() if values is not None}
        if decision is not None:
            row |= {"observation": decision.observation, "action": decision.action}
        self._rows.append({**row, **values, "phase": PHASES.index(phase)})

    def arrays(self) -> dict[str, Any]:
        """All steps: arrays (step, ...) by name, float32 but for the times."""
        names = self._rows[0] if self._rows else {}
        exact = {"now": np.float64, "phase": np.int8}
        return {
            n: np.array([row[n] for row in self._rows], exact.get(n, np.float32)) for n in names
        }

    def save(self, path: str | Path) -> None:
        """Write the log, whole or not at all.

        Raises:
            RunError: The file cannot be written.
        """
        about = json.dumps({**self._about, "reason": self.reason})
        try:
            with atomic_write(Path(path)) as stream:
                np.savez(stream, about=np.array(about), **self.arrays())
        except OSError as error:
            raise RunError(f"Cannot write the log {path}: {error}.") from error


@dataclass(frozen=True)
class Replay:
    """A log that went through the policy again.

    Attributes:
        num_steps: Steps under the policy.
        max_error: Greatest difference of an action from the logged one.
    """

    num_steps: int
    max_error: float


def load_log(path: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a log is about, and its arrays.

    Raises:
        RunError: The file is no log.
    """
    what, remedy = "log of a run", "Record it again."
    arrays = npz_io.read(
        Path(path), RunError, what, remedy, {"about": npz_io.Wanted(0, npz_io.TEXT)}
    )
    try:
        return dict(json_io.parse(str(arrays.pop("about")), f"{path}: about")), arrays
    except (ConfigError, TypeError, ValueError) as error:
        raise RunError(f"{path} is no {what}: {error}. {remedy}") from error


def replay(controller: Controller, path: str | Path) -> Replay:
    """Give a log's sensors to the policy again, and compare its actions with the logged ones.

    Args:
        controller: The policy that the log is of.
        path: The log.

    Raises:
        RunError: The file is no log, or is of another policy.
    """
    about, arrays = load_log(path)
    if about.get("sha256") != controller.description.network.sha256:
        raise RunError(
            f"{path} is of the policy {about.get('policy')!r} with other numbers than this"
            f" {controller.description.name!r}. Replay it with the one that it was made with."
        )
    controller.reset()
    worst, count = 0.0, 0
    names = [name for name in SENSORS if name in arrays]
    for i in np.flatnonzero(arrays["phase"] == POLICY):
        sensors = Sensors(0.0, **{name: arrays[name][i] for name in names})
        action = controller.step(sensors, arrays["command"][i]).action
        worst = max(worst, float(np.abs(action - arrays["action"][i]).max()))
        count += 1
    return Replay(count, worst)
