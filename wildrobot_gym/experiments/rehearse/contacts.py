"""The robot's contacts with the world in any MJCF, and the foot switches that they close."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import mujoco
import numpy as np

from wildrobot_gym.deploy.description import PolicyDescription
from wildrobot_gym.errors import RobotError


@dataclass(frozen=True, eq=False)
class Touch:
    """A contact of the robot with something that is no part of it.

    Attributes:
        body: The robot's body.
        geom: The body's geom.
        point: (3,) where, m.
        force: Normal force, N.
    """

    body: int
    geom: int
    point: np.ndarray
    force: float


def touches(model: mujoco.MjModel, data: mujoco.MjData, base: int) -> Iterator[Touch]:
    """The contacts of the last physics step.

    Args:
        model: The model.
        data: The simulation.
        base: A body of the robot.
    """
    root, wrench = model.body_rootid[base], np.zeros(6)
    for i in range(data.ncon):
        contact = data.contact[i]
        bodies = model.geom_bodyid[contact.geom]
        outside = model.body_rootid[bodies] != root
        if outside.sum() != 1:  # the robot touches itself, or things touch each other
            continue
        mujoco.mj_contactForce(model, data, i, wrench)
        own = int(contact.geom[~outside][0])
        yield Touch(int(model.geom_bodyid[own]), own, contact.pos, float(wrench[0]))


def descendants(model: mujoco.MjModel, body: int) -> list[int]:
    """A body and all that hangs on it."""
    found = [body]
    for other in range(body + 1, model.nbody):
        if model.body_parentid[other] in found:
            found.append(other)
    return found


class FootSwitches:
    """The foot switches that a policy observes.

    A geom of a switch's name is that switch. A contact at any other geom of a foot counts for the
    switch that is nearest, so that every MJCF will do.

    Args:
        model: The model.
        data: The robot upright in its home pose.
        description: Has the switches and their places.
        base: The body that the policy calls the base.
        joints: The joint's number in the model, by the policy's name.

    Raises:
        RobotError: `policy.json` does not say where the switches are.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        description: PolicyDescription,
        base: int,
        joints: Mapping[str, int],
    ) -> None:
        self._model, self._data, self._base = model, data, base
        self._names = description.switch_names
        self._force = float(description.content["observation"].get("switch_force", 0.0))
        robot = description.content["robot"]
        pads = {pad["name"]: pad for pad in robot.get("pads", [])}
        if missing := [name for name in self._names if name not in pads]:
            raise RobotError(
                f"policy.json does not say where the switches {', '.join(missing)} are. Export the"
                " policy again."
            )
        self._switches_of_body: dict[int, list[int]] = {}
        self._places = np.zeros((len(self._names), 3))  # in the frame of the foot's body, m
        self._feet = np.zeros(len(self._names), int)
        to_world = data.xmat[base].reshape(3, 3)
        for i, name in enumerate(self._names):
            ankle = joints[robot["feet"][pads[name]["foot"]][-1]]
            body = int(model.jnt_bodyid[ankle])
            point = data.xanchor[ankle] + to_world @ np.array(pads[name]["place"])
            self._places[i] = self._local(body, point)
            self._feet[i] = body
            for part in descendants(model, body):
                self._switches_of_body.setdefault(part, []).append(i)

    def read(self) -> np.ndarray:
        """(switch,) 1 where closed, else 0, after the last physics step."""
        loads = np.zeros(len(self._names))
        for touch in touches(self._model, self._data, self._base):
            switches = self._switches_of_body.get(touch.body, [])
            if switches:
                loads[self._nearest(touch, switches)] += touch.force
        return (loads > self._force).astype(float)

    def _nearest(self, touch: Touch, switches: list[int]) -> int:
        name = self._model.geom(touch.geom).name
        if name in self._names:
            return self._names.index(name)
        point = self._local(self._feet[switches[0]], touch.point)
        return switches[int(np.linalg.norm(self._places[switches] - point, axis=1).argmin())]

    def _local(self, body: int, point: np.ndarray) -> np.ndarray:
        data = self._data
        return data.xmat[body].reshape(3, 3).T @ (point - data.xpos[body])
