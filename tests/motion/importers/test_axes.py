"""What is found out about a file: units, up axis, facing, and a floor that is askew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bvh_files import bvh_text, write_bvh
from made_up_human import FPS, check_steps, root_path
from scipy.spatial.transform import Rotation

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.human import REQUIRED_BODIES, HumanMotion
from wildrobot_gym.motion.importers import ImportOptions, load
from wildrobot_gym.motion.importers.axes import UNITS, least_turn
from wildrobot_gym.motion.importers.floor import level


def turned_bvh(folder: Path, turn: Rotation, meters_in_unit: float) -> Path:
    """The made-up human in other axes: every offset and position turned, and so each angle's
    axis.
    """
    plain = bvh_text()
    lines = []
    head, _, motion = plain.partition("MOTION\n")
    for line in head.splitlines():
        words = line.split()
        if words[:1] == ["OFFSET"]:
            line = "OFFSET " + " ".join(
                f"{x:.9f}"
                for x in turn.apply([float(w) for w in words[1:]]) * 0.01 / meters_in_unit
            )
        lines.append(line)
    frames = motion.splitlines()
    for i, row in enumerate(frames[2:], start=2):
        values = np.array(row.split(), float)
        place = turn.apply(values[:3]) * 0.01 / meters_in_unit
        angles = Rotation.from_euler("YXZ", values[3:].reshape(-1, 3), degrees=True)
        turned = (turn * angles * turn.inv()).as_euler("YXZ", degrees=True)
        frames[i] = " ".join(f"{x:.9f}" for x in [*place, *turned.ravel()])
    path = folder / "turned.bvh"
    path.write_text("\n".join([*lines, "MOTION", *frames]))
    return path


@pytest.mark.parametrize("unit", UNITS)
def test_units_are_found(tmp_path: Path, unit: str) -> None:
    motion = load(turned_bvh(tmp_path, Rotation.identity(), UNITS[unit]))
    check_steps(motion)
    assert any(note.startswith(f"units: {unit}, legs are 0.820 m") for note in motion.notes)


@pytest.mark.parametrize(
    ("axis", "degrees", "up", "facing"),
    [
        ("x", 90, "z", "-y"),
        ("x", -90, "-z", "y"),
        ("y", 90, "y", "x"),
        ("z", 90, "-x", "z"),
        ("y", 180, "y", "-z"),
    ],
)
def test_up_and_facing_are_found(
    tmp_path: Path, axis: str, degrees: float, up: str, facing: str
) -> None:
    motion = load(turned_bvh(tmp_path, Rotation.from_euler(axis, degrees, degrees=True), 0.01))
    check_steps(motion)
    notes = " | ".join(motion.notes)
    assert (
        f"up: {up} in the motion (from its mean pose), {up} in the rest pose" in notes
        and f"faces {facing} " in notes
    )


def test_a_lying_human_needs_to_be_told_what_is_up(tmp_path: Path) -> None:
    path = tmp_path / "lying.bvh"
    path.write_text(bvh_text(angles={"Hips": (0, 50, 0)}))
    with pytest.raises(MotionError, match=r"lying\.bvh: no axis is up in its mean pose.*pass up"):
        load(path)
    motion = load(path, ImportOptions(up="y"))
    pitch = Rotation.from_quat(motion.rotation("pelvis"), scalar_first=True).as_euler(
        "ZYX", degrees=True
    )[:, 1]
    np.testing.assert_allclose(pitch, 50.0, atol=1e-6)


def test_sizes_that_no_human_has_are_refused(tmp_path: Path) -> None:
    path = write_bvh(tmp_path)
    with pytest.raises(
        MotionError, match=r"legs are 82 units long, 82 m in 1 m as given; allowed: 0.3 to 1.2 m"
    ):
        load(path, ImportOptions(scale=1.0))
    path.write_text(
        path.read_text().replace("0 -42.0 0", "0 -1.25 0").replace("0 -40.0 0", "0 -1.25 0")
    )
    with pytest.raises(MotionError, match=r"legs are 2.5 units long, 2.5 m in meters.*Pass scale"):
        load(path)


def test_sides_that_changed_places_are_told(tmp_path: Path) -> None:
    path = write_bvh(tmp_path)
    text = path.read_text().replace("Left", "XX").replace("Right", "Left").replace("XX", "Right")
    path.write_text(text)
    with pytest.raises(MotionError, match=r"toes point backwards.*left and right are swapped"):
        load(path)


def test_a_rest_pose_that_does_not_stand_is_told(tmp_path: Path) -> None:
    path = write_bvh(tmp_path)
    path.write_text(
        path.read_text().replace("0 -42.0 0", "0 42.0 0").replace("0 -40.0 0", "0 40.0 0")
    )
    with pytest.raises(MotionError, match=r"does not stand upright with all rotations at zero"):
        load(path)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1, 0, 0], [0, 0, 1]),
        ([0, 1, 0], [0, -1, 0]),
        ([1, 2, 3], [1, 2, 3]),
        ([1, 0, 0], [-1, 1e-3, 0]),
    ],
)
def test_the_least_turn_turns_one_to_the_other(a: list[float], b: list[float]) -> None:
    turn = least_turn(np.array(a, float), np.array(b, float))
    np.testing.assert_allclose(
        turn.apply(a) / np.linalg.norm(a), np.array(b) / np.linalg.norm(b), atol=1e-6
    )
    angle = np.arccos(np.clip(np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))
    assert turn.magnitude() == pytest.approx(angle, abs=1e-6)


def walk(slope_deg: float, steps: int = 6, stride: float = 0.6) -> HumanMotion:
    """Feet that stand for 0.2 s each in turn, on a floor that rises along x; all other bodies are
    at the pelvis.
    """
    frames = 20 * steps
    ahead = stride * np.arange(frames) / 20.0
    positions = np.zeros((frames, len(REQUIRED_BODIES), 3))
    positions[..., 0], positions[..., 2] = ahead[:, None], 0.9
    for i, body in enumerate(REQUIRED_BODIES):
        if body.endswith(("ankle", "toe")):
            step = np.floor((np.arange(frames) + (20 if body.startswith("left") else 0)) / 40.0)
            positions[:, i] = np.stack(
                [
                    step * 2 * stride + (0.1 if body.endswith("toe") else 0),
                    0 * step,
                    0.05 + 0 * step,
                ],
                axis=-1,
            )
    rotations = np.tile([1.0, 0, 0, 0], (frames, len(REQUIRED_BODIES), 1))
    tilt = Rotation.from_euler("y", -slope_deg, degrees=True)
    turned = tilt.apply(positions.reshape(-1, 3)).reshape(positions.shape)
    rotations[:] = tilt.as_quat(scalar_first=True)
    return HumanMotion("walk", FPS, REQUIRED_BODIES, turned, rotations)


def test_a_floor_askew_is_levelled() -> None:
    motion = level(walk(1.0))
    assert "slope of 1.00 deg" in motion.notes[-1]
    toes = motion.position("left_toe")
    np.testing.assert_allclose(toes[:, 2], toes[0, 2], atol=1e-9)
    np.testing.assert_allclose(motion.rotations, walk(0.0).rotations, atol=1e-9)
    same = walk(1.0)
    np.testing.assert_allclose(
        np.linalg.norm(np.diff(motion.positions, axis=1), axis=-1),
        np.linalg.norm(np.diff(same.positions, axis=1), axis=-1),
    )


@pytest.mark.parametrize("slope", [0.0, 0.05, 5.0, -10.0])
def test_a_level_floor_and_a_ramp_stay(slope: float) -> None:
    motion = walk(slope)
    assert level(motion) is motion


def test_too_few_steps_say_nothing_of_the_floor() -> None:
    motion = walk(1.0, steps=1)
    assert level(motion) is motion
    in_place = walk(0.0, stride=0.01)
    assert level(replace(in_place, positions=in_place.positions * [1, 1, 1.01])).notes == ()


def test_levelling_can_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "walk.bvh"
    path.write_text(bvh_text(root=100.0 * root_path()[:, [1, 2, 0]]))
    check_steps(load(path, ImportOptions(level=False)))
