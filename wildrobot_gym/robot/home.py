"""The home pose: a keyframe, given angles, or a stand that is solved."""

from __future__ import annotations

from fnmatch import fnmatchcase

import mujoco
import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import RobotError, unknown_name
from wildrobot_gym.robot.file import STAND, RobotFile
from wildrobot_gym.robot.geometry import lowest_point
from wildrobot_gym.robot.servos import check_patterns

HOME = "home"  # name of the keyframe
_CROUCH = 0.97  # of the height on straight legs: bent knees can push
_BEND = 0.15  # of the way to the middle of its range that a joint starts at, so that knees bend
_SMALL = 0.02  # weight of joint angles, so that those that help nothing stay at 0


def home_qpos(
    model: mujoco.MjModel, file: RobotFile, pads: list[list[int]]
) -> Float[np.ndarray, " nq"]:
    """MuJoCo's qpos of the home pose, of all joints of the model.

    Args:
        model: The compiled model; its first joint is the base's.
        file: Says what the pose is.
        pads: Geoms of each foot's pads.

    Raises:
        RobotError: an unknown keyframe or joint, an angle out of range, or no pose that stands.
    """
    keys = [model.keyframe(i).name for i in range(model.nkey)]
    home = file.home
    if home is None:
        home = HOME if HOME in keys else STAND
    if isinstance(home, str) and home != STAND:
        if home not in keys:
            raise RobotError(
                f"{file.path}: {unknown_name('keyframe', home, [*keys, STAND])}"
                f" Or give angles: `home: {{joint: rad}}`."
            )
        pose: np.ndarray = np.array(model.keyframe(home).qpos)
        return pose
    qpos = _zero(model)
    if isinstance(home, str):
        qpos = _solve(model, file, pads, qpos)
    else:
        joints = [model.joint(i).name for i in range(1, model.njnt)]
        check_patterns("home", list(home), joints)
        for pattern, angle in home.items():
            for i, joint in enumerate(joints):
                if fnmatchcase(joint, pattern):
                    qpos[7 + i] = angle
        _check_range(model, file, qpos)
    return _on_floor(model, qpos, pads)


def _zero(model: mujoco.MjModel) -> np.ndarray:
    """All joints at 0, or at the limit that is nearest."""
    base = np.array([0.0, 0.0, *model.qpos0[2:7]])
    return np.concatenate([base, _within(model, np.zeros(model.njnt - 1))])


def _within(model: mujoco.MjModel, angles: np.ndarray) -> np.ndarray:
    """The angles, moved to the limit where they are out of range."""
    limited = model.jnt_limited[1:].astype(bool)
    within: np.ndarray = np.where(limited, np.clip(angles, *model.jnt_range[1:].T), angles)
    return within


def _check_range(model: mujoco.MjModel, file: RobotFile, qpos: np.ndarray) -> None:
    for i in np.flatnonzero(qpos[7:] != _within(model, qpos[7:])):
        low, high = model.jnt_range[1 + i]
        raise RobotError(
            f"{file.path}: home puts {model.joint(1 + i).name} at {qpos[7 + i]} rad; allowed:"
            f" {low:.4f} to {high:.4f}."
        )


def _on_floor(model: mujoco.MjModel, qpos: np.ndarray, pads: list[list[int]]) -> np.ndarray:
    """The pose with rounded numbers, and with its lowest pad on the floor."""
    qpos = np.concatenate([qpos[:7], _within(model, qpos[7:].round(4) + 0.0)])  # no -0.0
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(model, data)
    lowest = lowest_point(model, data, [geom for foot in pads for geom in foot])
    qpos[2] = round(float(qpos[2] - lowest), 4)
    return qpos


def _solve(
    model: mujoco.MjModel, file: RobotFile, pads: list[list[int]], zero: np.ndarray
) -> np.ndarray:
    """A slight crouch: feet as they are with all joints at 0, and the weight over them."""
    legs = sorted({j for foot in pads for j in leg_joints(model, int(model.geom_bodyid[foot[0]]))})
    data = mujoco.MjData(model)
    feet = [int(model.geom_bodyid[foot[0]]) for foot in pads]

    def read(qpos: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        data.qpos[:] = qpos
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        middle = np.array([np.mean(data.geom_xpos[foot], axis=0) for foot in pads])
        return middle, data.xmat[feet].reshape(-1, 3, 3).copy(), data.subtree_com[1].copy()

    first, upright, _ = read(zero)
    soles = np.array([lowest_point(model, data, foot) for foot in pads])
    thick = first[:, 2] - soles  # of a level foot; smoother than the lowest point of a tilted one
    straight = float(zero[2] - soles.min())

    def residual(angles: np.ndarray) -> np.ndarray:
        qpos = zero.copy()
        qpos[[model.jnt_qposadr[j] for j in legs]] = angles
        middle, turned, com = read(qpos)
        under = zero[2] - (middle[:, 2] - thick)
        tilt = [_turn(was, now) for was, now in zip(upright, turned, strict=True)]
        lean = (com[:2] - middle[:, :2].mean(axis=0)) / straight
        rows = [
            np.concatenate(tilt),
            10.0 * (under - under.mean()) / straight,
            [5.0 * (under.mean() / straight - _CROUCH)],
            5.0 * lean,
            (middle[:, 1] - first[:, 1]) / straight,
            5.0 * (middle[:, 0] - middle[:, 0].mean()) / straight,
            _SMALL * angles,
        ]
        return np.concatenate(rows)

    import scipy.optimize  # not at the top: it takes a good part of a second, for this pose alone

    low, high = model.jnt_range[legs].T
    free = ~model.jnt_limited[legs].astype(bool)
    low, high = np.where(free, -np.pi, low), np.where(free, np.pi, high)
    start = zero[[model.jnt_qposadr[j] for j in legs]]
    start = np.clip(start + _BEND * (0.5 * (low + high) - start), low + 1e-3, high - 1e-3)
    found = scipy.optimize.least_squares(residual, start, bounds=(low, high))
    qpos = zero.copy()
    qpos[[model.jnt_qposadr[j] for j in legs]] = found.x
    middle, _, com = read(qpos)
    soles = np.array([lowest_point(model, data, foot) for foot in pads])
    if np.ptp(soles) > 0.01 * straight or np.abs(com[0] - middle[:, 0].mean()) > 0.05 * straight:
        raise RobotError(
            f"{file.path}: no pose was found in which both feet stand under the center of mass"
            f" (soles differ by {1e3 * np.ptp(soles):.0f} mm, the center is"
            f" {1e3 * (com[0] - middle[:, 0].mean()):.0f} mm ahead of the feet). Give the angles"
            " in robot.yaml: `home: {joint: rad}`."
        )
    return qpos


def _turn(was: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Rotation vector between two orientations, of small angles."""
    turn: np.ndarray = 0.5 * np.cross(was.T, now.T).sum(axis=0)
    return turn


def leg_joints(model: mujoco.MjModel, body: int) -> list[int]:
    """Joints from the base to `body`, in order, without the base's own."""
    chain: list[int] = []
    while body and model.body_parentid[body] != 0:
        first, count = model.body_jntadr[body], model.body_jntnum[body]
        chain = [*range(first, first + count), *chain]
        body = int(model.body_parentid[body])
    return chain
