"""HumanMotion: what may pass on to retargeting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.human import REQUIRED_BODIES, HumanMotion


@pytest.fixture
def human() -> HumanMotion:
    positions = np.arange(5.0)[:, None, None] * np.ones((5, len(REQUIRED_BODIES), 3))
    return HumanMotion(
        "test",
        100.0,
        REQUIRED_BODIES,
        positions,
        np.tile([1.0, 0, 0, 0], (5, len(REQUIRED_BODIES), 1)),
    )


def test_a_body_is_found_by_name(human: HumanMotion) -> None:
    assert human.check() is human
    assert (human.num_frames, human.duration_s) == (5, 0.04)
    np.testing.assert_array_equal(human.position("left_toe")[3], [3.0, 3.0, 3.0])
    np.testing.assert_array_equal(human.rotation("pelvis")[3], [1.0, 0.0, 0.0, 0.0])


def nan_at(values: np.ndarray, frame: int) -> np.ndarray:
    out = np.array(values)
    out[frame, 0, 0] = np.nan
    return out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda m: {"body_names": ("tail", *m.body_names[1:])},
            r"missing bodies \['pelvis'\], unknown bodies \['tail'\]",
        ),
        (lambda m: {"fps": 0.0}, "fps 0"),
        (lambda m: {"fps": float("nan")}, "fps nan"),
        (
            lambda m: {"positions": m.positions[..., :2]},
            r"positions has shape \(5, 10, 2\); allowed: \(5, 10, 3\)",
        ),
        (lambda m: {"rotations": m.rotations[:4]}, r"rotations has shape \(4, 10, 4\)"),
        (lambda m: {"positions": nan_at(m.positions, 2)}, "positions has a NaN.*frame 2"),
        (lambda m: {"rotations": nan_at(m.rotations, 1)}, "rotations has a NaN.*frame 1"),
        (lambda m: {"rotations": 1.1 * m.rotations}, "no unit quaternion"),
        (lambda m: {"positions": m.positions[:1], "rotations": m.rotations[:1]}, "1 frame"),
        (lambda m: {"positions": m.positions[:0], "rotations": m.rotations[:0]}, "0 frame"),
    ],
)
def test_what_does_not_fit_is_refused(human: HumanMotion, change: Any, message: str) -> None:
    with pytest.raises(MotionError, match=message):
        replace(human, **change(human)).check()
    with pytest.raises(MotionError, match=r"some/file\.bvh"):
        replace(human, **change(human)).check("some/file.bvh")
