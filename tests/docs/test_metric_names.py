"""The documented metrics are those that runs log; their groups are stable."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

from doc_blocks import ROOT

PAGE = ROOT / "docs" / "reference" / "logging.md"
GROUPS = {"task", "reward", "gait", "rollout", "amp", "train", "eval", "time"}
TERM = "reward/<term>"


def documented() -> list[str]:
    cells = re.findall(r"^\| (`\w+/.+?) \|", PAGE.read_text(encoding="utf-8"), re.M)
    return [name for cell in cells for name in re.findall("`(.+?)`", cell)]


def logged(run: Path) -> set[str]:
    with open(run / "progress.csv", newline="") as stream:
        columns = csv.DictReader(stream).fieldnames or ()
    return {TERM if name.startswith("reward/") else name for name in columns}


def names_in_code() -> set[str]:
    """All strings of the packages' code."""
    files = [f for package in ("amp_sbx", "wildrobot_gym") for f in (ROOT / package).rglob("*.py")]
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text())))
    return {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def test_every_logged_metric_is_documented_once(tiny_run: Path) -> None:
    names = documented()
    assert len(names) == len(set(names))
    assert logged(tiny_run) - set(names) == set()


def test_every_documented_metric_is_logged(tiny_run: Path) -> None:
    """The others depend on a setting, and their name stands in the code."""
    others = set(documented()) - logged(tiny_run)
    assert len(others) < 16
    code = names_in_code()
    assert {name for name in others if not {name, name.split("/")[1]} & code} == set()


def test_the_groups_are_stable(tiny_run: Path) -> None:
    assert {name.partition("/")[0] for name in [*documented(), *logged(tiny_run)]} == GROUPS
    gait = {"cadence", "double_support", "flight", "slip", "saturation"}
    assert {f"gait/{name}" for name in gait} <= logged(tiny_run)
