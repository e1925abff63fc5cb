"""Acclaim skeletons and motions: a made-up human comes back as it was, and CMU's own files hold a
walk.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acclaim_files import write_amc
from made_up_human import FPS, check_steps, replaced, shared_data
from scipy.spatial.transform import Rotation

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.importers import ImportOptions, load

OPTIONS = ImportOptions(fps=FPS)


def test_the_made_up_human_comes_back(tmp_path: Path) -> None:
    motion = load(write_amc(tmp_path), OPTIONS)
    check_steps(motion)
    np.testing.assert_allclose(motion.position("pelvis")[0], [0, 0, 0.9], atol=1e-6)
    assert "mocap.cs.cmu.edu" in motion.source and "NSF EIA-0196217" in motion.licence
    assert any("0.45 (CMU)" in note for note in motion.notes) and any(
        "up: y" in note for note in motion.notes
    )


def test_what_the_file_does_not_say_can_be_given(tmp_path: Path) -> None:
    path = write_amc(tmp_path)
    assert load(path).fps == 120.0, "CMU's own rate"
    moved = path.rename(tmp_path.with_name(tmp_path.name + "_moved.amc"))
    given = ImportOptions(
        skeleton=tmp_path / "07.asf",
        source="ours",
        license="CC0",
        fps=60.0,
        up="y",
        facing="z",
        scale=0.06,
    )
    motion = load(moved, given)
    assert (motion.fps, motion.source, motion.licence) == (60.0, "ours", "CC0")
    np.testing.assert_allclose(motion.position("pelvis")[0, 2], 0.9 * 0.06 * 0.45 / 0.0254)


def test_the_only_skeleton_is_found_whatever_its_name(tmp_path: Path) -> None:
    path = write_amc(tmp_path)
    (tmp_path / "07.asf").rename(tmp_path / "someone.asf")
    check_steps(load(path, OPTIONS))
    (tmp_path / "other.asf").write_text("")
    with pytest.raises(
        MotionError, match=r"07\.asf.*\['other\.asf', 'someone\.asf'\].*pass skeleton"
    ):
        load(path)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("07_01.amc", "ltibia 50.0", "ltibia nan", "07_01.amc.*'ltibia' has a NaN.*frame 0"),
        ("07_01.amc", "ltibia 50.0", "ltibia 50,0", "07_01.amc.*no number"),
        ("07_01.amc", "\nltoes 0\n3\n", "\nltoes\n3\n", "07_01.amc is truncated in frame 3"),
        ("07_01.amc", "\nltoes 0\n3\n", "\nlthumb 0\n3\n", "frame 2 does not have bone 'ltoes'"),
        ("07_01.amc", "rtoes 0", "rthumb 0", "does not fit its skeleton"),
        ("07_01.amc", ":DEGREES", ":DEGREES\nstray", "no .amc"),
        (
            "07.asf",
            "name lfoot",
            "name left_foot",
            "07.asf is truncated or no Acclaim skeleton.*lfoot",
        ),
        (
            "07.asf",
            " length 2.1",
            " width 2.1",
            "07.asf is truncated or no Acclaim skeleton.*length",
        ),
        ("07.asf", ":hierarchy", ":tree", "07.asf is truncated or no Acclaim skeleton.*:hierarchy"),
        ("07.asf", "dof rx ry rz", "dof rx ry l", "degree of freedom 'l'"),
    ],
)
def test_damage_is_named(tmp_path: Path, file: str, old: str, new: str, message: str) -> None:
    path = write_amc(tmp_path)
    replaced(tmp_path / file, old, new)
    with pytest.raises(MotionError, match=f"(?s){message}"):
        load(path)


def test_other_names_are_listed(tmp_path: Path) -> None:
    path = write_amc(tmp_path)
    for file in (path, tmp_path / "07.asf"):
        file.write_text(file.read_text().replace("lfemur", "lthigh"))
    with pytest.raises(
        MotionError,
        match=r"Missing: lfemur\..*Unknown joint 'lfemur'.*Allowed: .*lthigh",
    ):
        load(path)


def test_one_frame_is_no_motion(tmp_path: Path) -> None:
    path = write_amc(tmp_path)
    path.write_text(path.read_text().split("\n2\n")[0] + "\n")
    with pytest.raises(MotionError, match=r"07_01\.amc has 1 frame"):
        load(path)


@pytest.mark.parametrize(
    ("name", "speed", "stride_s"), [("02_01", (1.0, 1.4), 1.09), ("02_02", (1.4, 1.8), 0.97)]
)
def test_cmu_walks(name: str, speed: tuple[float, float], stride_s: float) -> None:
    start = time.process_time()
    motion: Any = load(shared_data(f"cmu/{name}.amc"))
    assert time.process_time() - start < 0.5
    pelvis = motion.position("pelvis")
    assert speed[0] < np.linalg.norm(pelvis[-1] - pelvis[0]) / motion.duration_s < speed[1]
    angles = Rotation.from_quat(motion.rotation("pelvis"), scalar_first=True).as_euler(
        "ZYX", degrees=True
    )
    assert np.abs(angles[:, 1:]).max() < 10.0
    for side, sign in (("left", 1.0), ("right", -1.0)):
        hip = (
            Rotation.from_quat(motion.rotation("pelvis"), scalar_first=True)
            .inv()
            .apply(motion.position(f"{side}_hip") - pelvis)
        )
        assert (sign * hip[:, 1]).min() > 0.05
        parts = np.stack([motion.position(f"{side}_{joint}") for joint in ("ankle", "toe")])
        stands = (np.linalg.norm(np.gradient(parts, 1.0 / motion.fps, axis=1), axis=-1) < 0.15).all(
            axis=0
        )
        foot = Rotation.from_quat(motion.rotation(f"{side}_ankle"), scalar_first=True).as_euler(
            "ZYX", degrees=True
        )[stands]
        assert np.abs(np.median(foot[:, 1:], axis=0)).max() < 5.0, "a standing foot is flat"
        assert np.ptp(parts[1, stands, 2]) < 0.03, (
            "and always at the same height, since the floor was levelled"
        )
    assert re.search(r"stances lie on a slope of 0\.[89]\d deg", motion.notes[-1])


def test_cmu_runs_faster_than_it_walks() -> None:
    motion: Any = load(shared_data("cmu/02_03.amc"))
    pelvis = motion.position("pelvis")
    assert 2.2 < np.linalg.norm(pelvis[-1] - pelvis[0]) / motion.duration_s < 3.0
