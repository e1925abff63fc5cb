"""Shapes of drawn values: how many numbers, their names, and their mirror images."""

from __future__ import annotations

from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.channels import JOINTS, PADS, PSEUDOVECTORS, VECTORS, Kind
from wildrobot_gym.task.reflection import SCALAR, Image


def _joints_without_sign(robot: RobotModel) -> Image:
    return [int(i) for i in robot.joint_mirror_ids], [1.0] * robot.num_joints


KINDS: dict[str, Kind] = {
    "scalar": Kind(lambda _: ("value",), lambda _: SCALAR),
    "joint": Kind(lambda robot: robot.joint_names, _joints_without_sign),
    "joint angle": JOINTS,
    "pad": PADS,
    "vector": VECTORS,
    "angular vector": PSEUDOVECTORS,
    "tilt": Kind(lambda _: ("roll", "pitch"), lambda _: (range(2), (-1.0, 1.0))),
}
"""Kinds by name. A number for each joint is one without a side, such as a factor, or an angle,
which changes its sign in a mirror where the joint's axis does."""


def shape(kind: str, robot: RobotModel) -> tuple[int, ...]:
    """Shape of one environment's drawn value."""
    return () if kind == "scalar" else (len(KINDS[kind].columns(robot)),)
