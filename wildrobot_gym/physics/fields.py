"""The fields of a robot's model that may differ between environments, the same for all engines.

Each has a plain name, a nominal value, and the MuJoCo fields that it is written to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from wildrobot_gym.robot import RobotModel

Transform = Callable[[Any], Any]


@dataclass(frozen=True)
class Part:
    """A place in MuJoCo's model that a field is written to.

    Attributes:
        name: MuJoCo's name of the field.
        index: What of it is written, without a batch axis.
        transform: From the field's value to what is written; any leading axes.
    """

    name: str
    index: tuple[Any, ...]
    transform: Transform = lambda value: value


@dataclass(frozen=True)
class ModelField:
    """One field of the model.

    Attributes:
        meaning: What it is, and its unit.
        nominal: The robot's own value.
        parts: Where it is written to.
    """

    meaning: str
    nominal: np.ndarray
    parts: tuple[Part, ...]


def model_fields(robot: RobotModel) -> dict[str, ModelField]:
    """All fields by name. Values by link leave out the world, those by joint are of the policy's.

    MuJoCo's derived scales of contact and friction softness (`invweight0`) stay the nominal ones.

    Args:
        robot: Has the nominal values.
    """
    model = robot.simulated.model
    links = slice(1, model.nbody)  # on some ground, more bodies follow in what is simulated
    joints = [model.joint(name).id for name in robot.joint_names]
    dofs = model.jnt_dofadr[joints]
    servos = np.array([_servo_of(model, joint) for joint in joints])
    gain, bias = model.actuator_gainprm, model.actuator_biasprm
    below = _descendants(model)[:, links]
    friction = float(max(model.geom_friction[_colliding(model), 0], default=0.0))

    planes: tuple[Part, ...] = ()
    if robot.ground is not None and not robot.ground.is_plane:
        both = (slice(None), slice(2))  # of the two directions along a plane
        planes = (Part("pair_friction", both, lambda value: value[..., None, None]),)

    def negative(value: Any) -> Any:
        return -value

    def by_dof(what: str, name: str) -> ModelField:
        return ModelField(what, getattr(model, name)[dofs], (Part(name, (dofs,)),))

    return {
        "mass": ModelField(
            "mass of each link, kg",
            model.body_mass[links],
            (
                Part("body_mass", (links,)),
                Part("body_subtreemass", (slice(model.nbody),), lambda mass: mass @ below.T),
            ),
        ),
        "inertia": ModelField(
            "principal moments of inertia of each link, kg*m^2",
            model.body_inertia[links],
            (Part("body_inertia", (links,)),),
        ),
        "com": ModelField(
            "center of mass of each link in its own frame, m",
            model.body_ipos[links],
            (Part("body_ipos", (links,)),),
        ),
        "friction": ModelField(
            "sliding friction of every contact with the floor",
            np.array(friction),
            (Part("geom_friction", (slice(None), 0), lambda value: value[..., None]), *planes),
        ),
        "kp": ModelField(
            "gain of each servo, N*m/rad",
            gain[servos, 0],
            (
                Part("actuator_gainprm", (servos, 0)),
                Part("actuator_biasprm", (servos, 1), negative),
            ),
        ),
        "kv": ModelField(
            "damping gain of each servo, N*m*s/rad",
            -bias[servos, 2],
            (Part("actuator_biasprm", (servos, 2), negative),),
        ),
        "force_limit": ModelField(
            "greatest torque of each servo, N*m",
            model.actuator_forcerange[servos, 1],
            (
                Part("actuator_forcerange", (servos, 0), negative),
                Part("actuator_forcerange", (servos, 1)),
            ),
        ),
        "armature": by_dof("reflected rotor inertia of each joint, kg*m^2", "dof_armature"),
        "dry_friction": by_dof("dry friction of each joint, N*m", "dof_frictionloss"),
        "damping": by_dof("viscous damping of each joint, N*m*s/rad", "dof_damping"),
    }


def _servo_of(model: mujoco.MjModel, joint: int) -> int:
    """The actuator on a joint."""
    return int(np.flatnonzero(model.actuator_trnid[:, 0] == joint)[0])


def _colliding(model: mujoco.MjModel) -> np.ndarray:
    return (model.geom_contype | model.geom_conaffinity) != 0


def _descendants(model: mujoco.MjModel) -> np.ndarray:
    """(body, body) 1 where the second body is the first one or hangs on it."""
    matrix = np.eye(model.nbody)
    for body in range(model.nbody - 1, 0, -1):
        matrix[model.body_parentid[body]] += matrix[body]
    return matrix
