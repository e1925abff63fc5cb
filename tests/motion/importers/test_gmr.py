"""GMR pickles: clips of this robot, and pickles that want more than to be read."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_human import shared_data

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.importers import ImportOptions, load
from wildrobot_gym.motion.importers.safe_pickle import load_pickle
from wildrobot_gym.robot import RobotModel


def gmr_data(robot: RobotModel, frames: int = 11) -> dict[str, Any]:
    """A quarter turn to the left, then straight ahead along +y at 0.5 m/s, at 50 fps."""
    root_pos = np.zeros((frames, 3))
    root_pos[:, 1], root_pos[:, 2] = 0.01 * np.arange(frames), 0.46
    return {
        "fps": 50.0,
        "root_pos": root_pos,
        "root_rot": np.tile([0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)], (frames, 1)),
        "dof_pos": np.tile(robot.home_joint_pos, (frames, 1)).astype(np.float32),
        "local_body_pos": None,
        "link_body_list": ["waist"],
    }


def written(folder: Path, data: Any, protocol: int = 4) -> Path:
    path = folder / "clip.pkl"
    path.write_bytes(pickle.dumps(data, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_a_clip_comes_back_from_every_protocol(
    tmp_path: Path, wildrobot: RobotModel, protocol: int
) -> None:
    clip: Any = load(written(tmp_path, gmr_data(wildrobot), protocol))
    np.testing.assert_allclose(clip.root_quat[0], [np.sqrt(0.5), 0, 0, np.sqrt(0.5)])
    np.testing.assert_allclose(
        clip.joint_pos, np.tile(wildrobot.home_joint_pos, (11, 1)), atol=1e-6
    )
    np.testing.assert_allclose(clip.command, [0.5, 0.0, 0.0], atol=1e-9)
    assert (clip.fps, clip.joint_names, clip.pad_forces) == (50.0, wildrobot.joint_names, None)
    assert clip.source == "GMR, from clip.pkl" and clip.licence == ""


def test_where_it_came_from_is_kept(tmp_path: Path, wildrobot: RobotModel) -> None:
    data = gmr_data(wildrobot) | {
        "source_file": "/home/me/AMASS/smplx/KIT/3/walk_stageii.npz",
        "robot": "wildrobot",
    }
    clip: Any = load(written(tmp_path, data))
    assert (clip.source, clip.licence) == (
        "GMR, from KIT/3/walk_stageii.npz",
        "AMASS licence, non-commercial research",
    )
    assert (
        load(written(tmp_path, data), ImportOptions(source="KIT", license="theirs")).licence
        == "theirs"
    )


def test_other_plain_values_come_back(tmp_path: Path) -> None:
    values = {
        "fortran": np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)),
        "flags": np.array([True, False]),
        "names": np.array(["a", "bc"]),
        "scalar": np.float32(1.5),
        "nested": [{"x": (1, 2.5, b"raw", None, True)}],
    }
    for protocol in range(6):
        found = load_pickle(written(tmp_path, values, protocol))
        for name in ("fortran", "flags", "names", "scalar"):
            np.testing.assert_array_equal(found[name], values[name])
        assert found["nested"] == values["nested"]


class _Attack:
    """Calls a function when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def hostile(marker: Path) -> list[tuple[Any, str]]:
    """Pickled values that would make `marker` or crash numpy, and what must be named."""
    touch = f"touch {marker}"
    forged = b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntC\x01btR(I1\n"
    forged += b"(I1\ntcnumpy\ndtype\n(S'O8'\nI00\nI01\ntR"
    forged += b"I00\nC\x08AAAAAAAAtb."
    return [
        (_Attack(os.system, touch), "(posix|nt).system"),
        (_Attack(eval, f"__import__('os').system({touch!r})"), "builtins.eval"),
        (_Attack(getattr, "x", "upper"), "builtins.getattr"),
        ({"fps": _Attack(Path, "x")}, "pathlib"),
        (
            {"dof_pos": np.array([_Attack(os.system, touch)], dtype=object)},
            "(posix|nt).system|an array",
        ),
        ({"dof_pos": np.array([None], dtype=object)}, "an array made of list"),
        ({"dof_pos": np.zeros(2, dtype="f8,f8")}, "an array of"),
        ({"dof_pos": {1, 2}}, "builtins.set|a set as a value"),
        (b"cnumpy\nndarray\n(I8\ntR.", "a call of numpy.ndarray"),
        (b"cnumpy\ndtype\nNN\x86b.", "no pickle|a state"),
        (b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13tR.", "rot13"),
        (b"c_codecs\nencode\nN}X\x07\x00\x00\x00__new__Ns\x86b.", "no pickle|a state"),
        (b"Pthing\n.", "a persistent object"),
        (forged, "an array of"),
    ]


@pytest.mark.parametrize("case", range(14))
def test_a_hostile_pickle_executes_nothing_and_is_told_what_was_refused(
    tmp_path: Path, case: int
) -> None:
    marker = tmp_path / "executed"
    value, named = hostile(marker)[case]
    path = tmp_path / "hostile.pkl"
    path.write_bytes(value if isinstance(value, bytes) else pickle.dumps(value, protocol=4))
    with pytest.raises(MotionError, match=rf"hostile\.pkl.*({named})"):
        load(path)
    assert not marker.exists()


def test_a_refused_pickle_leaves_the_next_one_readable(
    tmp_path: Path, wildrobot: RobotModel
) -> None:
    for value, _ in hostile(tmp_path / "executed"):
        path = tmp_path / "hostile.pkl"
        path.write_bytes(value if isinstance(value, bytes) else pickle.dumps(value, protocol=4))
        with pytest.raises(MotionError):
            load_pickle(path)
    for protocol in range(6):
        load(written(tmp_path, gmr_data(wildrobot), protocol))


def with_nan(data: dict[str, Any]) -> np.ndarray:
    values = data["dof_pos"].copy()
    values[3, 2] = np.nan
    return values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: {"dof_pos": d["dof_pos"][:, :8]},
            r"dof_pos is an array of shape \(11, 8\).*\(frames, 9\).*waist_yaw",
        ),
        (lambda d: {"dof_pos": with_nan(d)}, "dof_pos has a NaN.*frame 3"),
        (lambda d: {"root_rot": d["root_rot"][:, :3]}, r"root_rot is an array of shape \(11, 3\)"),
        (lambda d: {"root_rot": 2.0 * d["root_rot"]}, "root_quat in frame 0"),
        (lambda d: {"root_pos": [1, 2]}, "root_pos is a list"),
        (lambda d: {"root_pos": d["root_pos"][:5]}, "different numbers of frames"),
        (lambda d: {"fps": 0}, "fps means 0"),
        (lambda d: {"fps": "fast"}, "fps means fast"),
        (lambda d: {"robot": "unitree_g1"}, "clip of robot 'unitree_g1', not of 'wildrobot'"),
        (lambda d: {n: d[n][:1] for n in ("root_pos", "root_rot", "dof_pos")}, "1 frame"),
    ],
)
def test_a_clip_that_does_not_fit_is_named(
    tmp_path: Path, wildrobot: RobotModel, change: Any, message: str
) -> None:
    data = gmr_data(wildrobot)
    with pytest.raises(MotionError, match=rf"clip\.pkl.*{message}"):
        load(written(tmp_path, data | change(data)))


def test_other_files_are_refused(tmp_path: Path, wildrobot: RobotModel) -> None:
    data = gmr_data(wildrobot)
    del data["root_rot"]
    with pytest.raises(MotionError, match=r"has no root_rot; it has fps, root_pos"):
        load(written(tmp_path, data))
    with pytest.raises(MotionError, match=r"holds a list"):
        load(written(tmp_path, [1, 2]))
    path = written(tmp_path, gmr_data(wildrobot))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(MotionError, match=r"clip\.pkl is truncated or no pickle"):
        load(path)


def test_the_eight_joint_robot_has_its_own_clips(tmp_path: Path) -> None:
    robot = RobotModel.load("wildrobot_8dof")
    path = written(tmp_path, gmr_data(robot))
    assert load(path, ImportOptions(robot="wildrobot_8dof")).joint_names == robot.joint_names  # type: ignore[union-attr]
    with pytest.raises(MotionError, match="for a clip of another robot pass robot"):
        load(path)


@pytest.mark.parametrize(("name", "speed"), [("walking_medium01", 0.43), ("walking_slow01", 0.21)])
def test_the_robot_s_own_clips_stay_within_its_limits(
    wildrobot: RobotModel, name: str, speed: float
) -> None:
    clip: Any = load(shared_data(f"gmr/{name}.pkl"))
    assert clip.command[0] == pytest.approx(speed, abs=0.01) and abs(clip.command[1]) < 0.02
    assert (clip.joint_pos >= wildrobot.joint_range[:, 0] - 1e-6).all() and (
        clip.joint_pos <= wildrobot.joint_range[:, 1] + 1e-6
    ).all()
    assert clip.metadata["notes"][-1] == "beyond the joint limits: nothing"
    assert clip.root_pos[:, 2].min() > 0.4 and clip.root_pos[:, 2].max() < 0.55
