"""Every example runs, and does what its first line says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPTS = sorted(path.stem for path in EXAMPLES.glob("*.py"))


@pytest.fixture(autouse=True)
def import_from_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))  # as for `python examples/NAME.py`


def run(name: str) -> dict[str, object]:
    return runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")


@pytest.mark.parametrize("name", SCRIPTS)
def test_example_runs(name: str, tiny: Path) -> None:
    run(name)


@pytest.mark.parametrize("name", SCRIPTS)
def test_example_is_short(name: str) -> None:
    assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) <= 40


def test_readme_of_examples_lists_all() -> None:
    text = (EXAMPLES / "README.md").read_text()
    assert [name for name in SCRIPTS if f"`{name}.py`" not in text] == []
