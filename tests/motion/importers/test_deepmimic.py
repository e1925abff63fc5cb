"""DeepMimic's JSON: rows of numbers without a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deepmimic_files import deepmimic_frames, write_deepmimic
from made_up_human import FPS, FRAMES, HIP, KNEE, shared_data
from scipy.spatial.transform import Rotation

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.importers import load


def test_the_made_up_human_comes_back(tmp_path: Path) -> None:
    motion: Any = load(write_deepmimic(tmp_path))
    assert motion.fps == FPS and motion.num_frames == FRAMES and motion.licence == "MIT"
    heading = Rotation.from_quat(motion.rotation("pelvis"), scalar_first=True)
    np.testing.assert_allclose(heading.as_rotvec(degrees=True), [[0, 0, 30]] * FRAMES, atol=1e-6)
    for body, pitch in {
        "left_hip": HIP,
        "left_knee": HIP + KNEE,
        "left_ankle": 0.0,
        "left_toe": 0.0,
        "right_knee": 0.0,
    }.items():
        turned = heading.inv() * Rotation.from_quat(motion.rotation(body), scalar_first=True)
        np.testing.assert_allclose(
            turned.as_rotvec(degrees=True), [[0, pitch, 0]] * FRAMES, atol=1e-6, err_msg=body
        )
    knee = heading.inv().apply(motion.position("left_knee") - motion.position("pelvis"))
    np.testing.assert_allclose(
        knee, [[0.421546 * 0.5, 0.084887, -0.421546 * np.sqrt(0.75)]] * FRAMES, atol=1e-6
    )
    wrist = heading.inv().apply(motion.position("right_wrist") - motion.position("torso"))
    np.testing.assert_allclose(
        wrist, [[-0.02405, -0.18311, 0.24350 - 0.274788 - 0.258947]] * FRAMES, atol=1e-6
    )


def changed(row: int, column: int, value: float) -> list[list[float]]:
    frames = deepmimic_frames()
    frames[row][column] = value
    return frames


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], r"shape \(0,\).*\(frames, 44\)"),
        ([row[:43] for row in deepmimic_frames()], r"shape \(3, 43\)"),
        ([deepmimic_frames()[0], deepmimic_frames()[1][:5]], "truncated or no DeepMimic"),
        (deepmimic_frames()[:1], "1 frame"),
        (changed(1, 5, float("nan")), "NaN.*frame 1"),
        (changed(1, 0, 0.02), "0.01 to 0.02 s"),
        ([[5.0, *row[1:]] for row in deepmimic_frames()], "duration of 5 s means"),
        ([[0.0, *row[1:]] for row in deepmimic_frames()], "duration of 0 s means"),
        (changed(2, 8, 0.5), "rotation of chest in frame 2"),
    ],
)
def test_damage_is_named(tmp_path: Path, frames: list[list[float]], message: str) -> None:
    with pytest.raises(MotionError, match=rf"steps\.txt.*{message}"):
        load(write_deepmimic(tmp_path, frames))


@pytest.mark.parametrize(
    "text", ["not JSON", '{"Frames": [[1.0, ', "[1, 2]", '{"Loop": "wrap"}', '{"Frames": "all"}']
)
def test_other_text_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "steps.json"
    path.write_text(text)
    with pytest.raises(MotionError, match=r"steps\.json is truncated or no DeepMimic motion"):
        load(path)


def test_the_last_duration_does_not_matter(tmp_path: Path) -> None:
    assert load(write_deepmimic(tmp_path, changed(FRAMES - 1, 0, 0.0))).fps == FPS


def test_its_walk_strides_like_cmu_s() -> None:
    """The clip is one cycle; CMU 02_01 takes 1.09 s for one."""
    motion: Any = load(shared_data("deepmimic/humanoid3d_walk.txt"))
    assert 0.9 < motion.duration_s < 1.4
    pelvis = motion.position("pelvis")
    assert 0.8 < np.linalg.norm(pelvis[-1] - pelvis[0]) / motion.duration_s < 1.3
    angles = Rotation.from_quat(motion.rotation("pelvis"), scalar_first=True).as_euler(
        "ZYX", degrees=True
    )
    assert np.abs(angles[:, 1:]).max() < 10.0
