"""Choosing the importer, finding files, and what all formats refuse alike."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from acclaim_files import write_amc
from amass_files import write_amass, write_body_model
from bvh_files import write_bvh
from deepmimic_files import write_deepmimic
from made_up_human import FPS

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.importers import SUFFIXES, ImportOptions, find, load
from wildrobot_gym.motion.importers.table import TABLES, read_table

HUMANS: list[Callable[[Path], Path]] = [write_amc, write_bvh, write_deepmimic, write_amass]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_or_foreign_file_is_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    write_amc(tmp_path)  # so that an .amc has a skeleton
    options = ImportOptions(body_model=write_body_model(tmp_path))
    with pytest.raises(MotionError, match=rf"clip\{suffix} does not exist"):
        load(path, options)
    for content, message in (
        (b"", "is empty"),
        (b"\x93 \xff not this", ""),
        (b"words, but none of this format\n", ""),
    ):
        path.write_bytes(content)
        with pytest.raises(MotionError, match=rf"clip\{suffix}.*{message}"):
            load(path, options)


def test_an_unknown_suffix_names_the_allowed(tmp_path: Path) -> None:
    with pytest.raises(
        MotionError, match=r"clip\.fbx: no importer for '\.fbx'; allowed: \.amc, \.bvh"
    ):
        load(tmp_path / "clip.fbx")


@pytest.mark.parametrize("write", HUMANS)
def test_all_formats_take_the_same_options(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    path, model = write(tmp_path), write_body_model(tmp_path)
    options = ImportOptions(body_model=model, source="me", license="CC0", fps=50.0, start=0.02)
    motion = load(path, options)
    assert isinstance(motion, HumanMotion)
    assert (motion.source, motion.licence, motion.fps, motion.num_frames, motion.name) == (
        "me",
        "CC0",
        50.0,
        2,
        path.stem,
    )
    with pytest.raises(MotionError, match=rf"{path.name}.*from 0\.04 s.*fewer than 2 frames"):
        load(path, ImportOptions(body_model=model, fps=50.0, start=0.04))


def test_what_was_found_out_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        motion = load(write_bvh(tmp_path))
    assert isinstance(motion, HumanMotion)
    assert [record.getMessage() for record in caplog.records] == [
        f"steps.bvh: {note}" for note in motion.notes
    ]


def test_the_project_s_own_clips_are_read(tmp_path: Path, clip: MotionClip) -> None:
    path = clip.save(tmp_path / "own.npz")
    assert load(path).name == clip.name
    with pytest.raises(MotionError, match=r"own\.npz is for robot 'wildrobot'"):
        load(path, ImportOptions(robot="wildrobot_8dof"))


@pytest.mark.parametrize("part", [{"start": 0.1}, {"end": 0.2}, {"fps": 100.0}])
def test_a_part_of_the_project_s_own_clip_is_refused(
    tmp_path: Path, clip: MotionClip, part: dict
) -> None:
    path = clip.save(tmp_path / "clip.npz")
    with pytest.raises(MotionError, match=f"taken as they are. Leave out {next(iter(part))}"):
        load(path, ImportOptions(**part))


def test_files_are_found_in_folders(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    amc, bvh, steps = write_amc(tmp_path), write_bvh(tmp_path / "sub"), write_deepmimic(tmp_path)
    (tmp_path / "README.txt").write_text("no motion")
    assert find([tmp_path]) == [amc, steps, bvh] or set(find([tmp_path])) == {amc, steps, bvh}
    assert find([bvh, tmp_path])[0] == bvh and len(find([bvh, tmp_path])) == 3
    (tmp_path / "empty").mkdir()
    with pytest.raises(MotionError, match=r"Folder .*empty has no motion files; looked for: \.amc"):
        find([tmp_path / "empty"])
    with pytest.raises(MotionError, match=r"absent does not exist"):
        find([tmp_path / "absent"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"up": "Y"}, "Unknown axis for up 'Y'. Did you mean|Unknown axis for up 'Y'. Allowed"),
        ({"facing": "north"}, "Unknown axis for facing 'north'"),
        ({"fps": 0.0}, "fps is 0.0"),
        ({"scale": float("nan")}, "scale is nan"),
    ],
)
def test_wrong_options_are_refused(wrong: dict, message: str) -> None:
    with pytest.raises(MotionError, match=message):
        ImportOptions(**wrong)


def test_every_shipped_table_says_where_its_motion_comes_from() -> None:
    tables = {path.stem: read_table(path) for path in TABLES.glob("*.yaml")}
    credited = {"cmu_asf", "cmu_bvh", "lafan1", "100style", "smpl", "deepmimic", "mixamo"}
    assert set(tables) == credited | {"xsens", "xsens_mvn", "soma"}
    for name, table in tables.items():
        assert table.source and table.format in ("asf", "bvh", "smpl", "deepmimic")
        assert bool(table.licence) == (name in credited), "of a suit's recordings nothing is known"
        assert len(set(table.bodies.values())) == len(table.bodies)
    assert sum(joint.columns for joint in tables["deepmimic"].joints) == 40


def test_rates_that_are_written_with_few_digits(tmp_path: Path) -> None:
    path = write_bvh(tmp_path)
    text = path.read_text()
    for frame_time, fps in (
        ("0.033333", 30.0),
        (".0083333", 120.0),
        ("0.016667", 60.0),
        ("0.0333667", 29.97),
    ):
        path.write_text(text.replace("0.010000", frame_time, 1))
        assert load(path).fps == pytest.approx(fps, abs=1e-3)
    assert FPS == 100.0 and np.isclose(load(write_bvh(tmp_path)).fps, FPS)
