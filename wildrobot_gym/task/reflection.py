"""Reflection y -> -y of a vector of columns.

The source of each column of the image, and its sign.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wildrobot_gym.robot import RobotModel

Image = tuple[Sequence[int], Sequence[float]]
"""Mirror image of some columns: the source of each, counted from the first, and its sign."""

VECTOR: Image = (range(3), (1.0, -1.0, 1.0))  # y changes sign
PSEUDOVECTOR: Image = (range(3), (-1.0, 1.0, -1.0))  # as an angular velocity: x and z change sign
SCALAR: Image = (range(1), (1.0,))


def joint_image(robot: RobotModel) -> Image:
    """Image of one value for each joint."""
    return [int(i) for i in robot.joint_mirror_ids], [float(s) for s in robot.joint_mirror_signs]


def pad_image(robot: RobotModel) -> Image:
    """Image of one value without direction for each pad, such as a normal force."""
    return [int(i) for i in robot.pad_mirror_ids], [1.0] * len(robot.pad_mirror_ids)


def row_image(images: Iterable[Image]) -> tuple[list[int], list[float]]:
    """Image of a vector that is made of `images` in turn: the image of `x` is `signs * x[ids]`."""
    ids: list[int] = []
    signs: list[float] = []
    for order, turns in images:
        ids += [len(signs) + i for i in order]
        signs += turns
    return ids, signs
