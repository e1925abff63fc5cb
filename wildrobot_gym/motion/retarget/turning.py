"""Turns that this robot's legs can follow: a path that bends less where a human turns too quickly.

No joint of the legs turns a foot about its vertical axis. So a standing foot turns with the base,
and its corners slide by the rate of the turn times their distance from its middle. The heading may
change only so fast, and the path is unbent by what is left out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from wildrobot_gym.motion.retarget.scaled import ScaledHuman


def with_gentle_turns(human: ScaledHuman, max_rate: float) -> ScaledHuman:
    """Return the motion with a heading that changes by at most `max_rate` rad/s.

    All points turn about the hips with the heading, and the hips' path turns with it. Standing feet
    then turn a little, which planting undoes.
    """
    rate = np.diff(human.heading) * human.fps
    if np.abs(rate).max(initial=0.0) <= max_rate:
        return human
    heading = human.heading[0] + np.concatenate(
        [[0.0], np.cumsum(np.clip(rate, -max_rate, max_rate)) / human.fps]
    )
    extra = heading - human.heading
    middle = 0.5 * (extra[1:] + extra[:-1])
    hips = human.hips.copy()
    steps = _turned(np.diff(hips[:, :2], axis=0), middle)
    hips[1:, :2] = hips[0, :2] + np.cumsum(steps, axis=0)

    def place(points: Float[np.ndarray, "time foot 3"]) -> Float[np.ndarray, "time foot 3"]:
        out = points.copy()
        away = points[..., :2] - human.hips[:, None, :2]
        out[..., :2] = hips[:, None, :2] + _turned(away, extra[:, None])
        return out

    return replace(
        human,
        hips=hips,
        heading=heading,
        hip=place(human.hip),
        knee=place(human.knee),
        ankle=place(human.ankle),
        toe=place(human.toe),
    )


def _turned(
    vectors: Float[np.ndarray, "*n 2"], angle: Float[np.ndarray, "*n"]
) -> Float[np.ndarray, "*n 2"]:
    x, y = np.moveaxis(vectors, -1, 0)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)
