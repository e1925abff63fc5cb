"""The steps of one made-up human, which every importer must give back.

The motion has 3 frames at 100 fps. The human faces YAW degrees to the left and moves 10 mm ahead in
each frame. Its left thigh is 30 degrees forward, the left knee is bent by 50, and the left foot is
level. Everything else is as in standing. In the canonical axes (x ahead, y left, z up) a turn about
y by a positive angle moves a hanging leg backward.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from wildrobot_gym.motion.human import HumanMotion

FPS, FRAMES, YAW = 100.0, 3, 30.0
HIP, KNEE, ANKLE = -30.0, 50.0, -20.0  # deg about y, the left leg's.
HIP_WIDTH, THIGH, SHIN, HEIGHT, STEP = 0.1, 0.42, 0.40, 0.9, 0.01  # m
TOE = np.array([0.15, 0.0, -0.05])
CMU_UNIT = 0.0254 / 0.45
SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"


def shared_data(name: str) -> Path:
    """A real file beside the checkout; the test is skipped where there is none."""
    if not (SHARED / name).is_file():
        pytest.skip(f"no {name} in {SHARED}")
    return SHARED / name


def root_path() -> np.ndarray:
    """Pelvis, z up."""
    ahead = np.array([np.cos(np.radians(YAW)), np.sin(np.radians(YAW)), 0.0])
    return np.array([0.0, 0.0, HEIGHT]) + STEP * np.arange(FRAMES)[:, None] * ahead


def check_steps(motion: HumanMotion, hip_width: float = HIP_WIDTH, scale: float = 1.0) -> None:
    """`motion` is the made-up human's, whatever file it came from; its heading may have changed
    with the axes.
    """
    assert motion.fps == FPS and motion.num_frames == FRAMES
    heading = Rotation.from_quat(motion.rotation("pelvis"), scalar_first=True)
    ahead = heading.apply([1.0, 0.0, 0.0])
    np.testing.assert_allclose(ahead[:, 2], 0.0, atol=1e-6)
    np.testing.assert_allclose(
        heading.apply([0.0, 0.0, 1.0]), np.tile([0, 0, 1.0], (FRAMES, 1)), atol=1e-6
    )
    np.testing.assert_allclose(
        np.diff(motion.position("pelvis"), axis=0), STEP * ahead[:2], atol=1e-6
    )
    expected = {
        "left_hip": HIP,
        "left_knee": HIP + KNEE,
        "left_ankle": 0.0,
        "right_hip": 0.0,
        "right_knee": 0.0,
        "torso": 0.0,
    }
    for body, pitch in expected.items():
        turned = heading.inv() * Rotation.from_quat(motion.rotation(body), scalar_first=True)
        np.testing.assert_allclose(
            turned.as_rotvec(degrees=True),
            np.tile([0.0, pitch, 0.0], (FRAMES, 1)),
            atol=1e-3,
            err_msg=body,
        )
    sine, cosine = np.sin(np.radians(30.0)), np.cos(np.radians(30.0))
    hip = np.array([0.0, hip_width, 0.0])
    knee = hip + scale * THIGH * np.array([sine, 0.0, -cosine])
    ankle = knee + scale * SHIN * np.array(
        [-np.sin(np.radians(20.0)), 0.0, -np.cos(np.radians(20.0))]
    )
    right = np.array([0.0, -hip_width, -scale * (THIGH + SHIN)])
    for body, place in {
        "left_hip": hip,
        "left_knee": knee,
        "left_ankle": ankle,
        "right_ankle": right,
    }.items():
        found = heading.inv().apply(motion.position(body) - motion.position("pelvis"))
        np.testing.assert_allclose(found, np.tile(place, (FRAMES, 1)), atol=1e-5, err_msg=body)


def replaced(path: Path, old: str, new: str) -> Path:
    """`path` with a part of its text changed."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path
