"""README's tables of gaits are the figures that ship beside the policies, and the bars that it says are met are."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from wildrobot_gym.paths import POLICIES

ROOT = Path(__file__).resolve().parent.parent
ROWS = {  # heading: figure, and what it is multiplied by
    "survived": ("survived", 1),
    "success": ("success", 1),
    "velocity error, m/s": ("velocity_error", 1),
    "touchdowns a second and foot": ("cadence", 1),
    "clearance, mm": ("clearance", 1000),
    "single support, %": ("support_single", 100),
    "slip, %": ("slip", 100),
    "saturation, %": ("saturation", 100),
    "cost of transport": ("cost_of_transport", 1),
    "heading change, rad": ("drift_heading", 1),
}


GAIT = "| | 0.2 m/s | 0.4 m/s | 0.6 m/s | 0.8 m/s | 1 m/s | bar |"


def results(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())["commands"]


@pytest.fixture(scope="module")
def walk() -> dict[str, Any]:
    return results(POLICIES / "walk" / "results.json")


@pytest.fixture(scope="module")
def walk_ppo() -> dict[str, Any]:
    return results(ROOT / "docs" / "results" / "walk_ppo-s0.json")


def table(head: str) -> dict[str, list[str]]:
    """Cells by heading of the README's table whose head begins with ``head``."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").split(head)[1].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    end = next(i for i, cells in enumerate(rows) if len(cells) == 1)
    return {name: cells for name, *cells in rows[:end]}


def check(text: str, value: float, factor: int) -> None:
    """The figure to as many digits as the text has."""
    digits = len(text.partition(".")[2])
    assert float(text) == pytest.approx(factor * value, abs=0.5001 * 10**-digits)


def test_the_gait_table(walk: dict[str, Any], walk_ppo: dict[str, Any]) -> None:
    rows = table(GAIT)
    assert rows.keys() == ROWS.keys()
    for heading, (figure, factor) in ROWS.items():
        for command, cell in zip(walk, rows[heading][:-1], strict=True):
            for text, of_policy in zip(re.split(" / ", cell), (walk, walk_ppo), strict=True):
                check(text, of_policy[command][figure]["mean"], factor)


def test_the_8_joint_robots_table() -> None:
    figures = results(POLICIES / "walk_8dof" / "results.json")
    for heading, cells in table(
        "| `wildrobot eval walk_8dof` | 0.2 m/s | 0.4 m/s | 0.6 m/s | 0.8 m/s | 1 m/s |"
    ).items():
        figure, factor = ROWS[heading]
        for command, text in zip(figures, cells, strict=True):
            check(text, figures[command][figure]["mean"], factor)
    assert all(
        figures[command]["success"]["mean"] >= 0.95 for command in ("0.2", "0.4", "0.6", "0.8")
    )


def missed(figures: dict[str, Any], of_ppo: dict[str, Any]) -> set[str]:
    """Figures beyond the bars of README's last column: ``≥ 20``, ``0.9 ... 2.2``, ``≤ 0.7 of PPO's``, or none."""
    found = set()
    for heading, cells in table(GAIT).items():
        figure, factor = ROWS[heading]
        value, numbers = (
            factor * figures[figure]["mean"],
            [float(text) for text in re.findall(r"[\d.]*\d", cells[-1])],
        )
        if "PPO" in cells[-1]:
            value /= factor * of_ppo[figure]["mean"]
        low = numbers[0] if cells[-1][0] == "≥" or len(numbers) == 2 else -math.inf
        high = numbers[-1] if cells[-1][0] == "≤" or len(numbers) == 2 else math.inf
        if not low <= value <= high:
            found.add(figure)
    return found


def test_the_bars_that_are_met(walk: dict[str, Any], walk_ppo: dict[str, Any]) -> None:
    """At 0.8 m/s those of velocity error, single support and slip are not, as README says."""
    missed_at = {
        "0.2": set(),
        "0.4": set(),
        "0.6": set(),
        "0.8": {"velocity_error", "support_single", "slip"},
    }
    assert {command: missed(walk[command], walk_ppo[command]) for command in missed_at} == missed_at


def test_the_three_seeds(walk_ppo: dict[str, Any]) -> None:
    rows = table("| seed | min | 0.2 m/s | 0.4 m/s | 0.6 m/s | 0.8 m/s | 1 m/s | dtw, rad |")
    at_0_8 = {"support_single", "slip"}
    for seed, more in (("0", {"survived", "success"}), ("1", set()), ("2", {"velocity_error"})):
        whole = json.loads((ROOT / "docs" / "results" / f"walk_amp-s{seed}.json").read_text())
        for figures, text in zip(whole["commands"].values(), rows[seed][1:-1], strict=True):
            check(text, figures["success"]["mean"], 1)
        check(rows[seed][-1], whole["style"]["dtw"]["mean"], 1)
        found = [
            missed(whole["commands"][command], walk_ppo[command])
            for command in ("0.2", "0.4", "0.6", "0.8")
        ]
        assert found == [
            set(),
            set(),
            at_0_8 | ({"survived"} if seed == "0" else set()),
            at_0_8 | more,
        ]
