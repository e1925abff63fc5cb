"""What the walk benchmark reads of the feet, from the contacts of any MJCF."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from wildrobot_gym.deploy.description import PolicyDescription
from wildrobot_gym.experiments.rehearse.contacts import descendants, touches
from wildrobot_gym.experiments.rehearse.plain_robot import PlainRobot


@dataclass(frozen=True, eq=False)
class FootReading:
    """One instant of the feet.

    Attributes:
        force: (foot,) normal force, N.
        speed: (foot,) tangential speed at the contacts, weighted by the load of each, m/s.
        position: (foot, 3) of the last body of each leg, m.
        height: (foot,) of the foot's lowest corner, m.
    """

    force: np.ndarray
    speed: np.ndarray
    position: np.ndarray
    height: np.ndarray


class Feet:
    """The last body of each leg, with all that hangs on it.

    Args:
        plain: The robot.
        description: Has the joints of each leg.
    """

    def __init__(self, plain: PlainRobot, description: PolicyDescription) -> None:
        self._plain, model = plain, plain.model
        legs = description.content["robot"]["feet"]
        self.names = tuple(legs)
        self._bodies = [plain.joint_bodies[joints[-1]] for joints in legs.values()]
        self._parts = [descendants(model, body) for body in self._bodies]
        self._foot_of_body = np.full(model.nbody, -1)
        for foot, parts in enumerate(self._parts):
            self._foot_of_body[parts] = foot

    def read(self) -> FootReading:
        """The feet after the last physics step."""
        plain = self._plain
        force, moving = np.zeros(len(self.names)), np.zeros(len(self.names))
        for touch in touches(plain.model, plain.data, plain.base):
            foot = self._foot_of_body[touch.body]
            if foot >= 0:
                force[foot] += touch.force
                moving[foot] += touch.force * self._speed(touch.body, touch.point)
        return FootReading(
            force,
            moving / np.maximum(force, 1e-9),
            plain.data.xpos[self._bodies].copy(),
            np.array([plain.lowest(parts) for parts in self._parts]),
        )

    def _speed(self, body: int, point: np.ndarray) -> float:
        """Horizontal speed of a body's point, m/s."""
        velocity = np.zeros(6)
        model, data = self._plain.model, self._plain.data
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, body, velocity, 0)
        moved = velocity[3:] + np.cross(velocity[:3], point - data.xpos[body])
        return float(np.hypot(moved[0], moved[1]))
