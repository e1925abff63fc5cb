"""BVH: the hierarchies of 100STYLE, LAFAN1 and CMU, a user's own names, and damaged files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from bvh_files import bvh_text, write_bvh
from made_up_human import FRAMES, STEP, YAW, check_steps, replaced, root_path

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.importers import ImportOptions, load

# LAFAN1's skeleton: with all angles at zero every bone lies along x; the pelvis has x up, y ahead,
# z left. In cm.
_LAFAN1 = (
    ("Hips", None, (0, 0, 0)),
    ("Spine", "Hips", (12, 0, 0)),
    ("Spine1", "Spine", (12, 0, 0)),
    ("Spine2", "Spine1", (12, 0, 0)),
    *(
        row
        for side, sign in (("Left", 1), ("Right", -1))
        for row in (
            (f"{side}UpLeg", "Hips", (0, 0, 10 * sign)),
            (f"{side}Leg", f"{side}UpLeg", (42, 0, 0)),
            (f"{side}Foot", f"{side}Leg", (40, 0, 0)),
            (f"{side}Toe", f"{side}Foot", (17, 0, 0)),
        )
    ),
)
# The hips' turn by Z 90, Y YAW puts x up and turns about it; legs turn over (Y 180), and then bend
# about -z.
_LAFAN1_ANGLES = {
    "Hips": (90, 0, YAW),
    "LeftUpLeg": (-30, 180, 0),
    "LeftLeg": (-50, 0, 0),
    "LeftFoot": (68.55 + 20, 0, 0),
    "RightUpLeg": (0, 180, 0),
    "RightFoot": (68.55, 0, 0),
}
_CMU = {"Chest": "LowerBack", "Chest2": "Spine", "Chest4": "Spine1"} | {
    f"{side}{ours}": f"{side}{theirs}"
    for side in ("Left", "Right")
    for ours, theirs in (("Hip", "UpLeg"), ("Knee", "Leg"), ("Ankle", "Foot"), ("Toe", "ToeBase"))
}


def test_the_made_up_human_comes_back(tmp_path: Path) -> None:
    motion = load(write_bvh(tmp_path))
    check_steps(motion)
    assert motion.source == "Xsens MVN recording" and "centimeters" in " ".join(motion.notes)


def test_lafan1_stands_by_its_table(tmp_path: Path) -> None:
    path = tmp_path / "walk.bvh"
    root = (
        100.0 * root_path() @ np.array([[-1, 0, 0], [0, 0, 1], [0, 1, 0]])
    )  # ahead is -x, left z, up y
    path.write_text(bvh_text(_LAFAN1, _LAFAN1_ANGLES, root, order="ZYX"))
    motion = load(path)
    check_steps(motion)
    assert "LAFAN1" in motion.source and "head" not in motion.body_names, (
        "bodies that the file lacks are left out"
    )


def test_cmu_s_names_are_told_from_lafan1_s(tmp_path: Path) -> None:
    path = write_bvh(tmp_path)
    text = path.read_text()
    for ours, theirs in _CMU.items():
        text = text.replace(f"{ours}\n", f"{theirs}\n")
    path.write_text(text)
    motion = load(path)
    check_steps(motion)
    assert "mocap.cs.cmu.edu" in motion.source


_MIXAMO = {"Chest": "Spine", "Chest2": "Spine1", "Chest4": "Spine2"} | {
    ours: theirs for ours, theirs in _CMU.items() if "Chest" not in ours
}
_ARMS = {"Shoulder": "Arm", "Elbow": "ForeArm", "Wrist": "Hand"}
_SEGMENTS = {"Hips": "Pelvis", "Chest": "L5", "Chest2": "L3", "Chest3": "T12", "Chest4": "T8"} | {
    f"{side}{ours}": f"{side} {theirs}"
    for side in ("Left", "Right")
    for ours, theirs in {
        "Hip": "Upper Leg", "Knee": "Lower Leg", "Ankle": "Foot", "Toe": "Toe",
        "Shoulder": "Upper Arm", "Elbow": "Forearm", "Wrist": "Hand",
    }.items()
}  # fmt: skip


def renamed(folder: Path, names: dict[str, str], prefix: str = "") -> Path:
    """The made-up human with other names of its joints."""
    path = write_bvh(folder)
    path.write_text(
        re.sub(
            r"(ROOT|JOINT) (\w+)\n",
            lambda found: f"{found[1]} {prefix}{names.get(found[2], found[2])}\n",
            path.read_text(),
        )
    )
    return path


@pytest.mark.parametrize("prefix", ["", "mixamorig:", "mixamorig1:", "mixamorig", "mixamorig_"])
def test_mixamo_s_names_come_with_and_without_prefix(tmp_path: Path, prefix: str) -> None:
    arms = {f"{side}{a}": f"{side}{b}" for side in ("Left", "Right") for a, b in _ARMS.items()}
    motion = load(renamed(tmp_path, _MIXAMO | arms, prefix))
    check_steps(motion)
    assert motion.source == "Mixamo (Adobe)" and "left_wrist" in motion.body_names


def test_names_with_blanks_are_xsens_s_segments(tmp_path: Path) -> None:
    path = renamed(tmp_path, _SEGMENTS)
    assert "JOINT Left Upper Leg\n" in path.read_text()
    motion = load(path)
    check_steps(motion)
    assert "table xsens_mvn" in motion.notes[0] and motion.licence == ""


def test_names_with_motion_in_them_end_no_hierarchy(tmp_path: Path) -> None:
    for name in ("MOTION", "MOTION Ref", "Left MOTION", "mocapMOTION"):
        check_steps(load(renamed(tmp_path, {"Head": name})))
    path = write_bvh(tmp_path)
    path.write_text(path.read_text().replace("Head\n\t\t\t\t\t\t{", "Head {").replace("\n", "\r\n"))
    check_steps(load(path))


def test_100style_has_its_credits_if_asked_for(tmp_path: Path) -> None:
    motion = load(write_bvh(tmp_path), ImportOptions(table="100style"))
    assert motion.source.startswith("100STYLE") and motion.licence == "CC BY 4.0"


def test_soma_stands_by_its_table(tmp_path: Path) -> None:
    """SOMA's skeleton: at zero every bone lies along x; offsets and angles are in one line."""
    joints = (
        ("Root", None, (0, 0, 0)),
        ("Hips", "Root", (0, 0, 0)),
        ("Spine1", "Hips", (5.1, 0, 0)),
        ("Spine2", "Spine1", (7.2, 0, 0)),
        ("Chest", "Spine2", (7.3, 0, 0)),
        *(
            row
            for side, sign in (("Left", 1), ("Right", -1))
            for row in (
                (f"{side}Leg", "Hips", (0, 0, 10 * sign)),
                (f"{side}Shin", f"{side}Leg", (42 * sign, 0, 0)),
                (f"{side}Foot", f"{side}Shin", (40 * sign, 0, 0)),
                (f"{side}ToeBase", f"{side}Foot", (17 * sign, 0, 0)),
            )
        ),
    )
    angles = {  # about z, y, x: the thigh 30 degrees forward, the knee bent by 50, the foot by 20
        "Hips": (90, 0, YAW + 90),
        "LeftLeg": (180 - 30, 0, 0),
        "LeftShin": (50, 0, 0),
        "LeftFoot": (-69.08 - 20, 0, 0),
        "RightFoot": (-69.08, 0, 0),
    }
    path = tmp_path / "walk.bvh"
    root = 100.0 * root_path()[:, [1, 2, 0]]
    text = bvh_text(joints, angles, root, order="ZYX")
    path.write_text(re.sub(r"(OFFSET \S+ \S+ \S+)\n", r"\1 0.0 89.9 -1.5e-06\n", text))
    motion = load(path)
    assert motion.source == "SOMA skeleton (NVIDIA)"
    thigh = motion.position("left_knee") - motion.position("left_hip")
    shin = motion.position("left_ankle") - motion.position("left_knee")
    np.testing.assert_allclose(thigh[:, 2], -0.42 * np.cos(np.radians(30)), atol=2e-3)
    np.testing.assert_allclose(shin[:, 2], -0.40 * np.cos(np.radians(20)), atol=2e-3)
    ahead = np.diff(motion.position("pelvis"), axis=0)[0] / STEP  # the human walks ahead
    np.testing.assert_allclose(thigh @ ahead, 0.42 * np.sin(np.radians(30)), atol=2e-3)
    np.testing.assert_allclose(shin @ ahead, -0.40 * np.sin(np.radians(20)), atol=2e-3)


def test_a_joint_in_an_end_site_is_refused(tmp_path: Path) -> None:
    path = write_bvh(tmp_path)
    head, end, rest = path.read_text().partition("End Site")
    path.write_text(head + end + rest.replace("OFFSET", "JOINT Odd\n{\nOFFSET 0 0 0\n}\nOFFSET", 1))
    with pytest.raises(MotionError, match=r"steps\.bvh.*'Odd' is in an End Site"):
        load(path)


def test_names_of_no_table_are_listed_and_can_be_given(tmp_path: Path) -> None:
    path = write_bvh(tmp_path)
    path.write_text(path.read_text().replace("LeftKnee", "LeftShin"))
    with pytest.raises(
        MotionError,
        match=r"steps\.bvh.*'xsens'.*Missing: LeftKnee\..*Unknown joint 'LeftKnee'.*LeftShin",
    ):
        load(path)
    shipped = Path(__file__).parents[3] / "configs" / "skeletons" / "100style.yaml"
    own = tmp_path / "own.yaml"
    own.write_text(shipped.read_text().replace("LeftKnee", "LeftShin"))
    check_steps(load(path, ImportOptions(table=own)))
    with pytest.raises(MotionError, match=r"Unknown table 'lafan2'. Did you mean 'lafan1'\?"):
        load(path, ImportOptions(table="lafan2"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("left_knee", "left_nee"), "has no left_knee"),
        (lambda text: text + "  tail: Tail\n", "Unknown body 'tail'"),
        (lambda text: text + "stands: {}\n", "Unknown key 'stands'. Did you mean 'stand'"),
        (lambda text: text + "stand: {Hips: [0, 90]}\n", "stand.Hips"),
        (lambda text: text + ": :", "no table"),
    ],
)
def test_a_wrong_table_is_named(tmp_path: Path, change, message: str) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        change((Path(__file__).parents[3] / "configs" / "skeletons" / "100style.yaml").read_text())
    )
    with pytest.raises(MotionError, match=rf"(?s)own\.yaml.*{message}"):
        load(write_bvh(tmp_path), ImportOptions(table=own))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("HIERARCHY", "HIERARCH", "does not begin with HIERARCHY"),
        ("Xrotation", "Wrotation", "channel 'Wrotation'"),
        ("Xrotation", "Yrotation", "stands twice"),
        ("\tOFFSET", "\tOFFSETS", "unexpected word 'OFFSETS'"),
        ("Frames: 3", "Frames: 4", "says 4 frames of 66 channels, 264 numbers, and has 198"),
        ("Frame Time: 0.010000", "Frame Time: 100", "Frame Time 100 s means 0.01 frames"),
        ("Frame Time: 0.010000", "Frame Time: 0", "Frame Time 0 s means"),
        ("Frame Time: 0.010000", "Frame Time: nan", "Frame Time nan s means"),
        ("50.000000", "nan", "MOTION has a NaN.*frame 0"),
        ("50.000000", "5O", "no number.*5O"),
        ("MOTION", "", "truncated"),
    ],
)
def test_damage_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(MotionError, match=rf"steps\.bvh.*{message}"):
        load(replaced(write_bvh(tmp_path), old, new))


def test_truncation_anywhere_is_told(tmp_path: Path) -> None:
    path = write_bvh(tmp_path)
    text = path.read_text()
    for fraction in (0.02, 0.3, 0.6, 0.9):
        path.write_text(text[: int(fraction * len(text))])
        with pytest.raises(MotionError, match=r"steps\.bvh is truncated"):
            load(path)


def test_a_frame_rate_can_be_told(tmp_path: Path) -> None:
    path = replaced(write_bvh(tmp_path), "Frame Time: 0.010000", "Frame Time: 0.0083333")
    assert load(path).fps == 120.0, "few digits still mean a whole number"
    assert load(path, ImportOptions(fps=100.0)).fps == 100.0


def test_a_pose_before_the_motion_is_left_out(tmp_path: Path) -> None:
    path = write_bvh(tmp_path)
    head, _, motion = path.read_text().partition("MOTION\n")
    _, time, *rows = motion.splitlines()
    pose = " ".join([*rows[0].split()[:3], *["0"] * 63])
    path.write_text("\n".join([head + "MOTION", f"Frames: {FRAMES + 1}", time, pose, *rows]))
    motion = load(path)
    check_steps(motion)
    assert "left out" in " ".join(motion.notes)
