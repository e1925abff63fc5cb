"""A robot's model as randomization terms see it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
import mujoco
import numpy as np

from wildrobot_gym.errors import ConfigError, unknown_name
from wildrobot_gym.physics.fields import model_fields
from wildrobot_gym.robot import RobotModel


class ModelFacts:
    """What terms need of a robot, read once.

    Attributes:
        robot: The robot.
        nominal: Its own values of the model fields, by name.
        trunk: (link,) 1 for links in no leg.
        carrier: (link,) 1 for the heaviest link of the trunk, which carries payloads.
        turns: (link, 3, 3) from the base's axes to each link's, in the home pose.
    """

    def __init__(self, robot: RobotModel) -> None:
        self.robot = robot
        self.nominal = {name: field.nominal for name, field in model_fields(robot).items()}
        model = robot.simulated.model
        data = mujoco.MjData(model)
        data.qpos[:] = robot.simulated.whole_qpos(robot.home_qpos)
        mujoco.mj_kinematics(model, data)
        self.trunk = _trunk(robot)
        heaviest = np.argmax(np.where(self.trunk, model.body_mass[1:], -1.0))
        self.carrier = np.eye(model.nbody - 1)[heaviest]
        axes = data.xmat.reshape(-1, 3, 3)
        base = axes[model.jnt_bodyid[0]]
        self.turns = np.swapaxes(axes[1:], 1, 2) @ base


class Model:
    """The model's fields by name, with the changes of the terms so far: `model["kp"]`.

    `robot` is the `RobotModel`; `trunk` and `carrier` are (link,) masks.
    """

    def __init__(self, facts: ModelFacts) -> None:
        self._facts = facts
        self.changed: dict[str, Any] = {}
        self.robot, self.trunk, self.carrier = facts.robot, facts.trunk, facts.carrier

    def __getitem__(self, name: str) -> Any:
        if name not in self._facts.nominal:
            raise ConfigError(unknown_name("model field", name, self._facts.nominal))
        nominal = self._facts.nominal[name]
        return self.changed.get(name, jnp.asarray(nominal, jnp.float32))

    def trunk_offset(self, offset: Any) -> Any:
        """(link, 3) an offset along the base's axes, in the frames of the trunk's links; else 0."""
        return jnp.asarray(self.trunk, jnp.float32)[:, None] * (self._facts.turns @ offset)

    def change(self, changes: Any, by: str) -> None:
        """Take a term's changes.

        Raises:
            ConfigError: one is no field of the model, or has another shape.
        """
        if not isinstance(changes, dict):
            raise ConfigError(
                f"The randomization term {by!r} must give a dict of model fields, got"
                f" {type(changes).__name__}."
            )
        for name, value in changes.items():
            wanted = np.shape(self[name])
            if np.shape(value) != wanted:
                raise ConfigError(
                    f"The randomization term {by!r} gives {name!r} the shape {np.shape(value)};"
                    f" the model's is {wanted}."
                )
            self.changed[name] = jnp.asarray(value, jnp.float32)


def _trunk(robot: RobotModel) -> np.ndarray:
    """(link,) bool: links that carry no foot or all of them, and hang on no leg."""
    model = robot.simulated.model
    feet = [int(model.site(name).bodyid[0]) for name in robot.foot_names]
    above = [set(_ancestors(model, foot)) for foot in feet]
    leg = {b for b in set().union(*above) if not all(b in chain for chain in above)}
    return np.array(
        [not leg & set(_ancestors(model, body)) for body in range(1, model.nbody)], bool
    )


def _ancestors(model: mujoco.MjModel, body: int) -> Iterable[int]:
    """A body and those it hangs on, without the world."""
    while body:
        yield body
        body = int(model.body_parentid[body])
