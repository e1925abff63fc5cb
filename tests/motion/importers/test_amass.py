"""AMASS through a made-up body model: the joints are those of the model, with the betas'
proportions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amass_files import SHAPE, amass_arrays, write_amass, write_body_model
from made_up_human import HIP_WIDTH, check_steps, root_path

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.importers import ImportOptions, find, load


def imported(path: Path, **changes: np.ndarray | None) -> Any:
    return load(path, ImportOptions(body_model=write_body_model(path.parent, **changes)))


def test_the_made_up_human_comes_back(tmp_path: Path) -> None:
    motion = imported(write_amass(tmp_path))
    check_steps(motion)
    np.testing.assert_allclose(motion.position("pelvis"), root_path(), atol=1e-9)
    notes = " ".join(motion.notes)
    assert (
        "up: z in the motion (from its mean pose), y in the rest pose" in notes
        and "meters" in notes
        and "model.npz (SMPL-H, 52 joints); the motion's gender is neutral" in notes
    )
    assert "AMASS" in motion.licence


def test_betas_change_the_proportions(tmp_path: Path) -> None:
    motion = imported(write_amass(tmp_path, amass_arrays((2.0, 5.0, 7.0))))
    larger = 1.0 + 2.0 * SHAPE
    check_steps(motion, hip_width=larger * HIP_WIDTH, scale=larger)


def test_smplx_s_names_of_the_parts(tmp_path: Path) -> None:
    arrays = amass_arrays()
    poses = arrays.pop("poses")
    arrays |= {
        "root_orient": poses[:, :3],
        "pose_body": poses[:, 3:66],
        "mocap_frame_rate": arrays.pop("mocap_framerate"),
    }
    check_steps(imported(write_amass(tmp_path, arrays)))


def test_the_body_model_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match=r"steps_poses\.npz.*pass its path as body_model"):
        load(write_amass(tmp_path))
    with pytest.raises(MotionError, match=r"absent\.npz"):
        load(write_amass(tmp_path), ImportOptions(body_model=tmp_path / "absent.npz"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"J_regressor": None}, "has no J_regressor"),
        (
            {"J_regressor": np.array({"sparse": 1}, dtype=object)},
            "has no J_regressor as plain arrays",
        ),
        ({"J_regressor": np.eye(51)}, "do not fit each other"),
        ({"v_template": np.zeros((52, 2))}, "do not fit each other"),
        ({"kintree_table": np.zeros((2, 52), int)}, "is SMPL-H, 52 joints and does not fit"),
        ({"v_template": np.full((52, 3), np.nan)}, "model.npz: v_template has a NaN"),
    ],
)
def test_a_body_model_that_does_not_fit_is_named(
    tmp_path: Path, changes: dict, message: str
) -> None:
    with pytest.raises(MotionError, match=rf"model\.npz.*{message}|{message}"):
        imported(write_amass(tmp_path), **changes)


def test_a_model_of_other_joints_does_not_fit(tmp_path: Path) -> None:
    arrays = amass_arrays()
    arrays["poses"] = arrays["poses"][:, :72]
    with pytest.raises(
        MotionError,
        match=r"model\.npz is SMPL-H, 52 joints and does not fit .*steps_poses\.npz, which moves 24"
        r" joints: SMPL, 24 joints\.",
    ):
        imported(write_amass(tmp_path, arrays))


def nan_poses() -> np.ndarray:
    poses = amass_arrays()["poses"]
    poses[1, 4] = np.nan
    return poses


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"poses": None}, "needed: trans"),
        ({"trans": None}, "has no trans"),
        ({"trans": np.zeros((2, 3))}, r"'trans': \(2, 3\)"),
        ({"poses": nan_poses()}, "poses has a NaN.*frame 1"),
        ({"poses": np.array([["a"]])}, "needed: trans"),
        ({"mocap_framerate": None}, "does not say its frame rate"),
        ({"mocap_framerate": np.array(0.0)}, "mocap_framerate means 0"),
        ({"mocap_framerate": np.array("fast")}, "mocap_framerate means fast"),
        ({"poses": np.zeros((1, 156)), "trans": np.zeros((1, 3))}, "1 frame"),
        ({"poses": np.zeros((0, 156)), "trans": np.zeros((0, 3))}, "needed: trans"),
    ],
)
def test_damage_is_named(tmp_path: Path, changes: dict, message: str) -> None:
    arrays = {
        name: array for name, array in (amass_arrays() | changes).items() if array is not None
    }
    with pytest.raises(MotionError, match=rf"steps_poses\.npz.*{message}"):
        imported(write_amass(tmp_path, arrays))


def test_a_truncated_file_is_told(tmp_path: Path) -> None:
    path = write_amass(tmp_path)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(MotionError, match=r"steps_poses\.npz is truncated or no AMASS motion"):
        imported(path)


def test_smpl_s_own_model_is_named(tmp_path: Path) -> None:
    tree = np.zeros((2, 24), int)
    changes = {"kintree_table": tree, "J_regressor": np.ones((24, 52)) / 52}
    with pytest.raises(MotionError, match=r"model\.npz is SMPL, 24 joints and does not fit"):
        imported(write_amass(tmp_path), **changes)
    with pytest.raises(MotionError, match=r"SMPL_NEUTRAL\.pkl is a pickle.*Get .* as \.npz"):
        load(write_amass(tmp_path), ImportOptions(body_model=tmp_path / "SMPL_NEUTRAL.pkl"))


def test_a_body_model_is_no_motion(tmp_path: Path) -> None:
    with pytest.raises(
        MotionError,
        match=r"model\.npz is a body model \(SMPL-H, 52 joints\), no motion. Pass it as",
    ):
        load(write_body_model(tmp_path))
    pickled = tmp_path / "SMPL_NEUTRAL.pkl"
    pickled.write_bytes(b"cchumpy.ch\nCh\n(tR.")
    with pytest.raises(MotionError, match=r"asks for chumpy\.ch\.Ch, .*looks like a body model"):
        load(pickled)


def test_a_folder_of_amass_has_shapes_that_are_no_motions(tmp_path: Path) -> None:
    motion = write_amass(tmp_path)
    shape = {"gender": np.array("neutral"), "betas": np.zeros(16)}
    for name in ("shape.npz", "neutral_stagei.npz"):
        np.savez(tmp_path / name, **shape)
        with pytest.raises(MotionError, match=rf"{name} holds the shape of an AMASS subject"):
            load(tmp_path / name)
    write_body_model(tmp_path)
    assert find([tmp_path]) == [motion]
