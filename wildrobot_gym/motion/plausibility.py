"""Whether poses can be a motion of the robot: upright, in meters and radians, on the floor, with
feet that stand still, and not too fast.

Files of other projects go wrong in a few ways: quaternions in the other order, degrees,
centimeters, another frame rate, a floor elsewhere. Such poses have the right shape and train a
discriminator all the same. The bounds here are far from any good motion, so a message is a fact.
"""

from __future__ import annotations

from collections.abc import Mapping

import mujoco
import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import MotionError
from wildrobot_gym.robot import RobotModel

MAX_TILT = 35.0  # degrees between the mean up axis of the base and the world's
MAX_BEYOND = 0.2  # rad; other tools' limits differ by less
MAX_OFF_FLOOR = 0.05  # m; retargeted clips of other projects are off by 0.02
MAX_SLIDE = 0.25  # m/s; mean speed of standing feet; a good clip has 0.05
MAX_SLIDE_SHARE = 1.4  # of the base's speed, if that is more; skating has 1, going backward has 2
MAX_SPEEDS = (
    ("base", 6.0, "m/s"),
    ("base's orientation", 20.0, "rad/s"),
    ("joint", 40.0, "rad/s"),
)
UNITS = {"centimeters": 0.01, "inches": 0.0254, "millimeters": 0.001}
SHORTEST_S = 0.25  # s; scraps of motion may be all swing, and tell nothing of standing feet
_FAR = 5.0  # times the height of the home pose; higher bases are in another unit
_SAMPLES = 50  # pairs of successive frames for forward kinematics
_SURE_SLIDE = 0.1  # m/s; from here on, half of it in the other order of quaternions is no accident
_STANDING = 0.015  # m above the clip's floor; lower corners bear load
_ORDERS: Mapping[str, list[int]] = {  # what the file has, and how to take it from what was read
    "w, x, y, z": [1, 2, 3, 0],
    "x, y, z, w": [3, 0, 1, 2],
}


def check_plausible(
    robot: RobotModel, qpos: Float[np.ndarray, "time nq"], fps: float, where: str
) -> None:
    """Check that poses can be a motion of the robot.

    Args:
        robot: The robot.
        qpos: (time, nq) poses, at least two.
        fps: Frame rate, in Hz.
        where: Name of the motion in messages, such as the path of a file.

    Raises:
        MotionError: The base is not upright, a unit or the order of the quaternions is wrong,
            joints exceed their limits, something is too fast, or feet are off the floor or slide.
    """
    qpos = np.asarray(qpos, np.float64)
    _check_height(robot, qpos, where)
    _check_upright(qpos, where)
    _check_limits(robot, qpos[:, 7:], where)
    _check_speeds(robot, qpos, fps, where)
    if (len(qpos) - 1) / fps >= SHORTEST_S:
        _check_feet(robot, qpos, fps, where)


def _check_height(robot: RobotModel, qpos: np.ndarray, where: str) -> None:
    height, home = float(np.median(qpos[:, 2])), float(robot.home_qpos[2])
    if height <= _FAR * home:
        return
    unit, scale = min(UNITS.items(), key=lambda u: abs(np.log(height * u[1] / home)))
    raise MotionError(
        f"{where}: the base is {height:.4g} m high; allowed: up to {_FAR * home:.2f} m, and robot"
        f" {robot.name!r} stands at {home:.2f} m. Is the root's position in {unit}?"
        f" Pass scale {scale:g}, or convert it."
    )


def _check_upright(qpos: np.ndarray, where: str) -> None:
    tilt = _tilt(qpos[:, 3:7])
    if tilt <= MAX_TILT:
        return
    hints = [
        f" The orientations are upright as {order}: the file has that order."
        for order, columns in _ORDERS.items()
        if _tilt(qpos[:, 3:7][:, columns]) <= MAX_TILT
    ]
    raise MotionError(
        f"{where}: the base is tilted by {tilt:.0f} degrees in the mean; allowed: up to"
        f" {MAX_TILT:.0f}, with z up. {(hints or [''])[0]} Repair the root's orientation."
    )


def _check_limits(robot: RobotModel, joints: np.ndarray, where: str) -> None:
    beyond = beyond_limits(robot, joints)
    if beyond.max() <= MAX_BEYOND:
        return
    frame, joint = np.unravel_index(int(beyond.argmax()), beyond.shape)
    low, high = robot.joint_range[joint]
    degrees = (
        np.abs(joints).max() > 2.0 * np.pi
        and beyond_limits(robot, np.radians(joints)).max() <= MAX_BEYOND
    )
    raise MotionError(
        f"{where}: joint {robot.joint_names[joint]!r} is at {joints[frame, joint]:.3f} rad in frame"
        f" {frame}; its limits are {low:.3f} to {high:.3f} rad, and {MAX_BEYOND} rad beyond them is"
        " allowed. "
        + (
            "The angles fit the limits as degrees; convert them to radians."
            if degrees
            else "Check the order, the signs and the unit of the joints."
        )
    )


def _check_speeds(robot: RobotModel, qpos: np.ndarray, fps: float, where: str) -> None:
    quat = qpos[:, 3:7] / np.linalg.norm(qpos[:, 3:7], axis=1, keepdims=True)
    alike = np.abs(np.sum(quat[1:] * quat[:-1], axis=1))  # q and -q are one orientation
    steps = (
        np.linalg.norm(np.diff(qpos[:, :3], axis=0), axis=1),
        2.0 * np.arccos(np.minimum(alike, 1.0)),
        np.abs(np.diff(qpos[:, 7:], axis=0)).max(axis=1),
    )
    for (name, bound, unit), step in zip(MAX_SPEEDS, steps, strict=True):
        frame = int(step.argmax())
        if (speed := step[frame] * fps) > bound:
            if name == "joint":
                moved = np.abs(qpos[frame + 1, 7:] - qpos[frame, 7:])
                name = f"joint {robot.joint_names[int(moved.argmax())]!r}"
            raise MotionError(
                f"{where}: the {name} moves at {speed:.3g} {unit} after frame {frame}; allowed: up"
                f" to {bound:g} {unit}. Check the frame rate ({fps:g} fps; pass fps), or cut out"
                " the jump."
            )


def _check_feet(robot: RobotModel, qpos: np.ndarray, fps: float, where: str) -> None:
    floor, slide = standing_feet(robot, qpos, fps)
    if abs(floor) > MAX_OFF_FLOOR:
        raise MotionError(
            f"{where}: standing feet are {abs(floor):.3f} m {'above' if floor > 0 else 'under'} the"
            f" floor; allowed: {MAX_OFF_FLOOR} m. Move the root's z by {-floor:+.3f} m."
        )
    way = np.linalg.norm(np.diff(qpos[:, :2], axis=0), axis=1).mean() * fps
    allowed = max(MAX_SLIDE, MAX_SLIDE_SHARE * way)
    order = _better_order(robot, qpos, fps, slide) if slide > _SURE_SLIDE else None
    if order is None and slide <= allowed:
        return
    hint = (
        f"They hardly do with orientations as {order}: the file has that order."
        if order
        else "Check the root's path and orientation, and the order and signs of the joints."
    )
    raise MotionError(
        f"{where}: standing feet slide at {slide:.2f} m/s in the mean; allowed: up to"
        f" {allowed:.2f} m/s. {hint}"
    )


def _better_order(robot: RobotModel, qpos: np.ndarray, fps: float, slide: float) -> str | None:
    """Return the order of quaternions in which feet slide less than half as fast, if there is."""
    for order, columns in _ORDERS.items():
        other = qpos.copy()
        other[:, 3:7] = qpos[:, 3:7][:, columns]
        if _tilt(other[:, 3:7]) <= MAX_TILT and (standing_feet(robot, other, fps)[1] < 0.5 * slide):
            return order
    return None


def beyond_limits(
    robot: RobotModel, joints: Float[np.ndarray, "time joint"]
) -> Float[np.ndarray, "time joint"]:
    """Return how far joints are beyond their limits, in rad; negative inside."""
    return np.maximum(robot.joint_range[:, 0] - joints, joints - robot.joint_range[:, 1])


def standing_feet(
    robot: RobotModel, qpos: Float[np.ndarray, "time nq"], fps: float
) -> tuple[float, float]:
    """Measure standing feet by forward kinematics, on a sample of the frames.

    Args:
        robot: The robot.
        qpos: (time, nq) poses, at least two.
        fps: Frame rate, in Hz.

    Returns:
        Two numbers. The first is the height, in m, that the lowest corner of the soles exceeds in
        nine of ten frames. The second is that corner's mean horizontal speed near it, in m/s.
    """
    model, data = robot.model, mujoco.MjData(robot.model)
    pads = [model.site(pad).id for pad in robot.pad_names]
    feet = [model.site(robot.foot_names[foot]).id for foot in robot.foot_of_pad]
    down = np.array([0.0, 0.0, -1.0]) * robot.pad_radius[:, None, None]

    def corners(pose: np.ndarray) -> np.ndarray:
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        turns = data.site_xmat[feet].reshape(-1, 3, 3)
        at = data.site_xpos[pads, None] + np.einsum("pij,pcj->pci", turns, robot.pad_points)
        return (at + down).reshape(-1, 3)

    num = len(qpos) - 1
    first = np.unique(np.linspace(0, num - 1, min(num, _SAMPLES)).round().astype(int))
    now, then = (np.stack([corners(pose) for pose in qpos[i]]) for i in (first, first + 1))
    lowest = now[..., 2].argmin(axis=1)
    each = np.arange(len(first))
    height = now[each, lowest, 2]
    floor = float(np.quantile(height, 0.1))
    standing = height < floor + _STANDING
    moved = (then - now)[each, lowest, :2][standing]
    return floor, float(np.linalg.norm(moved, axis=-1).mean() * fps)


def _tilt(quat: Float[np.ndarray, "time 4"]) -> float:
    """Return the angle between the mean up axis of the base and the world's, in degrees."""
    w, x, y, z = quat.T  # no SciPy here: environments read clips, and need it for nothing else
    up = np.mean([2 * (x * z + w * y), 2 * (y * z - w * x), w * w - x * x - y * y + z * z], axis=1)
    return float(np.degrees(np.arctan2(np.hypot(up[0], up[1]), up[2])))
