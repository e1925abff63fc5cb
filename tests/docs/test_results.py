"""The documented results equal the JSON files, and the bars that a page reports as met are met."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from wildrobot_gym.evaluation.suites.catalog import SUITES
from wildrobot_gym.evaluation.suites.definition import Bar
from wildrobot_gym.evaluation.suites.table import bar_text
from wildrobot_gym.paths import POLICIES

ROOT = Path(__file__).resolve().parents[2]
GAIT_PAGE = ROOT / "docs" / "results" / "gait.md"
ROWS = {  # heading: metric and factor
    "survived": ("survived", 1),
    "success": ("success", 1),
    "velocity error, m/s": ("velocity_error", 1),
    "touchdowns per second and foot": ("cadence", 1),
    "clearance, mm": ("clearance", 1000),
    "single support, %": ("support_single", 100),
    "slip, %": ("slip", 100),
    "saturation, %": ("saturation", 100),
    "cost of transport": ("cost_of_transport", 1),
    "heading change, rad": ("drift_heading", 1),
}


GAIT = "| | 0.2 m/s | 0.4 m/s | 0.6 m/s | 0.8 m/s | 1 m/s | bar |"
SEEDS = "| seed | min | CPU min | 0.2 m/s | 0.4 m/s | 0.6 m/s | 0.8 m/s | 1 m/s | dtw, rad |"


def results(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())["commands"]


@pytest.fixture(scope="module")
def walk() -> dict[str, Any]:
    return results(POLICIES / "walk" / "results.json")


@pytest.fixture(scope="module")
def walk_ppo() -> dict[str, Any]:
    return results(ROOT / "docs" / "results" / "walk_ppo-s0.json")


def table(head: str, page: Path = GAIT_PAGE) -> dict[str, list[str]]:
    """Reads a table by the beginning of its head; returns its cells by heading."""
    lines = page.read_text(encoding="utf-8").split(head)[1].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    end = next((i for i, cells in enumerate(rows) if len(cells) == 1), len(rows))
    return {name: cells for name, *cells in rows[:end]}


def check(text: str, value: float | None, factor: int) -> None:
    """Compares a metric with a cell, to as many digits as the cell has; "-": not measured."""
    if value is None or text == "-":
        assert value is None and text == "-"
        return
    digits = len(text.partition(".")[2])
    assert float(text) == pytest.approx(factor * value, abs=0.5001 * 10**-digits)


def test_gait_table_of_shipped_policy_and_plain_ppo(
    walk: dict[str, Any], walk_ppo: dict[str, Any]
) -> None:
    rows = table(GAIT)
    assert rows.keys() == ROWS.keys()
    for heading, (metric, factor) in ROWS.items():
        for command, cell in zip(walk, rows[heading][:-1], strict=True):
            for text, of_policy in zip(re.split(" / ", cell), (walk, walk_ppo), strict=True):
                check(text, of_policy[command][metric]["mean"], factor)


def test_gait_table_of_8_joint_robot() -> None:
    metrics = results(POLICIES / "walk_8dof" / "results.json")
    for heading, cells in table(
        "| `wildrobot eval walk_8dof` | 0.2 m/s | 0.4 m/s | 0.6 m/s | 0.8 m/s | 1 m/s |"
    ).items():
        metric, factor = ROWS[heading]
        for command, text in zip(metrics, cells, strict=True):
            check(text, metrics[command][metric]["mean"], factor)
    assert all(
        metrics[command]["success"]["mean"] >= 0.95 for command in ("0.2", "0.4", "0.6", "0.8")
    )


def missed(metrics: dict[str, Any], of_ppo: dict[str, Any]) -> set[str]:
    """Names the metrics that miss the bars in the last column.

    A bar is `≥ 20`, `0.9 ... 2.2`, `≤ 0.7 of PPO's`, or absent.
    """
    found = set()
    for heading, cells in table(GAIT).items():
        metric, factor = ROWS[heading]
        value, numbers = (
            factor * metrics[metric]["mean"],
            [float(text) for text in re.findall(r"[\d.]*\d", cells[-1])],
        )
        if "PPO" in cells[-1]:
            if of_ppo[metric]["mean"] is None:
                continue
            value /= factor * of_ppo[metric]["mean"]
        low = numbers[0] if cells[-1][0] == "≥" or len(numbers) == 2 else -math.inf
        high = numbers[-1] if cells[-1][0] == "≤" or len(numbers) == 2 else math.inf
        if not low <= value <= high:
            found.add(metric)
    return found


def test_reported_bars_are_met(walk: dict[str, Any], walk_ppo: dict[str, Any]) -> None:
    """From 0.6 m/s on, single support and slip miss their bars."""
    missed_at = {
        "0.2": set(),
        "0.4": set(),
        "0.6": {"support_single", "slip"},
        "0.8": {"support_single", "slip"},
    }
    assert {command: missed(walk[command], walk_ppo[command]) for command in missed_at} == missed_at


def test_table_of_three_seeds(walk_ppo: dict[str, Any]) -> None:
    rows = table(SEEDS)
    both = {"support_single", "slip"}
    for seed, misses in (
        ("0", [set(), set(), both, both]),
        ("1", [set(), set(), {"slip"}, both]),
        ("2", [set(), {"cost_of_transport"}, {"support_single"}, both]),
    ):
        whole = json.loads((ROOT / "docs" / "results" / f"walk_amp-s{seed}.json").read_text())
        for metrics, text in zip(whole["commands"].values(), rows[seed][2:-1], strict=True):
            check(text, metrics["success"]["mean"], 1)
        check(rows[seed][-1], whole["style"]["dtw"]["mean"], 1)
        found = [
            missed(whole["commands"][command], walk_ppo[command])
            for command in ("0.2", "0.4", "0.6", "0.8")
        ]
        assert found == misses


def test_readme_table(walk: dict[str, Any]) -> None:
    rows = table("| shipped policy | 0.2 m/s | 0.4 m/s | 0.6 m/s | 0.8 m/s |", ROOT / "README.md")
    assert set(rows) == {"success", "velocity error, m/s"}
    for heading, cells in rows.items():
        metric, factor = ROWS[heading]
        for command, text in zip(("0.2", "0.4", "0.6", "0.8"), cells, strict=True):
            check(text, walk[command][metric]["mean"], factor)


def test_readme_speed_and_time() -> None:
    rows = table("| on two shared CPU cores | |", ROOT / "README.md")
    speed = table(
        "| what | control steps per second | ratio |", ROOT / "docs" / "results" / "speed.md"
    )
    throughput = rows["training with AMP, control steps per second"]
    assert throughput == speed["training with AMP, default config"][:1]
    seeds = table(SEEDS)
    # Another training ran beside the other seeds.
    assert rows["the default recipe, 4.9 M steps"] == [f"{seeds['2'][0]} minutes"]


def bar_rows(found: dict[str, Any]) -> list[str]:
    """A line for each bar of the suites in a results file: the row that decides, and its value."""
    lines = []
    for suite, result in found["suites"].items():
        for bar in result["bars"]:
            limits = Bar(bar["metric"], bar["low"], bar["high"], bar["of"])
            value = "-" if bar["value"] is None else f"{bar['value']:.3g}"
            met = "yes" if bar["met"] else "no"
            lines.append(f"| {suite} | {bar_text(limits)} | {bar['row']} | {value} | {met} |")
    return lines


@pytest.mark.parametrize("policy", ["walk_directions", "walk_robust"])
def test_the_page_of_directions_has_the_verdicts_of_its_policies(policy: str) -> None:
    page = (ROOT / "docs" / "results" / "directions.md").read_text()
    found = json.loads((POLICIES / policy / "results.json").read_text())
    assert set(found["suites"]) == set(SUITES)
    for line in bar_rows(found):
        assert line in page
