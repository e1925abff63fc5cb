"""Reflection y -> -y of a row of numbers: where each column of the image comes from, and its sign."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wildrobot_gym.robot import RobotModel

Image = tuple[Sequence[int], Sequence[float]]
"""Mirror image of some columns: where each comes from, counted from the first of them, and its sign."""

VECTOR: Image = (range(3), (1.0, -1.0, 1.0))  # y turns over
PSEUDOVECTOR: Image = (range(3), (-1.0, 1.0, -1.0))  # an angular velocity: x and z turn over
SCALAR: Image = (range(1), (1.0,))


def joint_image(robot: RobotModel) -> Image:
    """A value for each joint, by the robot's mirror map."""
    return [int(i) for i in robot.joint_mirror_ids], [float(s) for s in robot.joint_mirror_signs]


def pad_image(robot: RobotModel) -> Image:
    """A value for each pad that has no direction, such as a force's amount."""
    return [int(i) for i in robot.pad_mirror_ids], [1.0] * len(robot.pad_mirror_ids)


def row_image(images: Iterable[Image]) -> tuple[list[int], list[float]]:
    """Of a whole row, made up of ``images`` one after the other: the image of ``x`` is ``signs * x[ids]``."""
    ids: list[int] = []
    signs: list[float] = []
    for order, turns in images:
        ids += [len(signs) + i for i in order]
        signs += turns
    return ids, signs
