"""`make walk` shows the shipped policy first, and works without OpenGL."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from doc_blocks import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which everything is installed and nothing is trained."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "install.stamp").touch()
    return tmp_path


def steps(folder: Path, *arguments: str) -> list[str]:
    """The commands that make would run."""
    result = subprocess.run(
        ["make", "-n", "walk", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return result.stdout.splitlines()


def index(lines: list[str], part: str) -> int:
    return next(i for i, line in enumerate(lines) if part in line)


def test_the_shipped_policy_is_filmed_before_training(folder: Path) -> None:
    lines = steps(folder)
    film, train = index(lines, "wildrobot record walk "), index(lines, "wildrobot train walk_amp")
    assert index(lines, "about a minute") < film < index(lines, "a quarter of an hour") < train
    assert train < index(lines, "wildrobot eval walk_out/run")


def test_a_machine_without_opengl_is_no_failure(folder: Path) -> None:
    films = [line for line in steps(folder) if "wildrobot record" in line]
    assert len(films) == 2 and all(line.endswith("|| test $? -eq 3") for line in films)


def test_a_second_call_resumes_training_and_keeps_the_film(folder: Path) -> None:
    (folder / "walk_out" / "run").mkdir(parents=True)
    (folder / "walk_out" / "shipped.mp4").touch()
    (folder / "walk_out" / "run" / "config.yaml").touch()
    lines = steps(folder)
    assert not [line for line in lines if "record walk " in line]
    assert lines[index(lines, "wildrobot train walk_amp")].endswith("--resume")


def test_a_finished_run_is_not_repeated(folder: Path) -> None:
    run = folder / "walk_out" / "run"
    run.mkdir(parents=True)
    (run / "final.zip").touch()
    for name in ("shipped.mp4", "results.json", "walk.mp4", "learning_curves.png"):
        (folder / "walk_out" / name).touch()
    assert not [line for line in steps(folder) if "wildrobot " in line]


def test_another_config_has_its_own_folder(folder: Path) -> None:
    lines = steps(folder, "CONFIG=smoke")
    assert "--out walk_out/smoke/run" in lines[index(lines, "wildrobot train smoke")]
