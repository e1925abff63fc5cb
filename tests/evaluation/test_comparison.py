"""Torque use and marks against values by hand, and plots inside a page."""

import re

import numpy as np
import pytest
from synthetic import DT, STEPS, standing, walking

from wildrobot_gym.evaluation.comparison import BETTER_HIGH, BETTER_LOW, MIN_EPISODES, marks
from wildrobot_gym.evaluation.cycles import Cycles, recorded_cycles
from wildrobot_gym.evaluation.metrics import episode_metrics, first_step
from wildrobot_gym.evaluation.plots.comparison import (
    contacts_svg,
    curve_panels,
    joint_panels,
    stretches,
    torque_svg,
)
from wildrobot_gym.evaluation.plots.gait import CURVES
from wildrobot_gym.evaluation.recording import Recording
from wildrobot_gym.evaluation.torque_use import torque_use

FIRST = first_step(DT)
PERIOD = 40  # steps; the synthetic walk's


def test_torque_use(robot):
    arrays = standing(robot)
    ramp = np.arange(STEPS - FIRST) / (STEPS - FIRST - 1)  # 0 to 1 over the measured steps
    arrays["torque"][FIRST:, 0, 0] = -ramp * robot.force_limit[0]
    arrays["torque"][:FIRST, 0, 1] = robot.force_limit[1]  # before anything is measured
    used = torque_use(Recording(**arrays), robot, DT)
    np.testing.assert_allclose(used.fraction[:, 0], [0.05, 0.25, 0.5, 0.75, 0.95])
    assert used.saturated[0] == pytest.approx(8 / 400)  # ramp >= 0.98 from step 392 of 399 on
    assert not used.fraction[:, 1].any()
    fractions = episode_metrics(Recording(**arrays), np.zeros(1), robot)["saturation"]
    assert used.saturated.mean() == pytest.approx(fractions[0])
    arrays["alive"][FIRST:] = False
    assert torque_use(Recording(**arrays), robot, DT) is None


def interval(low, high, n=16):
    return {"mean": (low + high) / 2, "low": low, "high": high, "n": n}


def test_marks_name_the_runs_on_the_worse_side():
    low, middle, high = interval(0.1, 0.2), interval(0.15, 0.4), interval(0.3, 0.5)
    assert marks("clearance", [low, middle, high]) == [
        ("better", ()),
        ("better", ()),
        ("better", (0,)),
    ]
    assert marks("slip", [low, middle, high]) == [("better", (2,)), ("better", ()), ("better", ())]
    assert marks("cadence", [low, middle, high]) == [
        ("differs", (2,)),
        ("differs", ()),
        ("differs", (0,)),
    ]


def test_fractions_are_compared_by_wilsons_intervals():
    """16 of 16 is 0.806 ... 1, 12 of 16 is 0.505 ... 0.898, 8 of 16 is 0.280 ... 0.720.

    The bootstrap interval of 16 ones has no width.
    """
    fractions = [interval(1.0, 1.0), interval(0.5, 1.0), interval(0.25, 0.75)]
    assert marks("success", fractions) == [("better", (2,)), ("better", ()), ("better", ())]


def test_no_mark_without_a_reason():
    apart = [interval(0.1, 0.2), interval(0.3, 0.4)]
    assert marks("amp_reward", apart) == [("differs", ()), ("differs", ())]
    few = [interval(0.1, 0.1, MIN_EPISODES - 1), interval(0.3, 0.4)]
    assert marks("success", few) == [("better", ()), ("better", ())]
    nothing = {"mean": None, "low": None, "high": None, "n": 0}
    assert marks("slip", [nothing, interval(0.1, 0.2)]) == [("better", ()), ("better", ())]
    assert marks("dtw", apart, ["a", "b"]) == [
        ("better", ()),
        ("better", ()),
    ]  # against other motions
    assert marks("dtw", apart, ["a", "a"]) == [("better", (1,)), ("better", ())]
    touching = [interval(0.1, 0.2), interval(0.2, 0.3)]
    assert marks("slip", touching) == [("better", ()), ("better", ())]


def test_every_direction_is_of_a_metric(wildrobot):
    metrics = episode_metrics(walking(wildrobot), np.array([0.5]), wildrobot)
    assert (BETTER_HIGH | BETTER_LOW) - {"two_sample_auc", "dtw", "frechet"} <= metrics.keys()
    assert not BETTER_HIGH & BETTER_LOW


def test_stretches():
    assert stretches(np.array([1, 1, 0, 0, 1, 0, 1], bool)) == [(0, 2), (4, 1), (6, 1)]
    assert stretches(np.zeros(3, bool)) == []


def check_svg(svg: str) -> None:
    """Check one element that refers only to itself, in the colors of the page."""
    assert svg.startswith("<svg ") and svg.rstrip().endswith("</svg>")
    assert "http" not in svg and "<style" not in svg and "currentColor" in svg
    ids = re.findall(r'\bid="([^"]*)"', svg)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]*)"', svg)) | set(
        re.findall(r"url\(#([^)]*)\)", svg)
    ) <= set(ids)


def test_contacts_show_load_and_a_fall(robot):
    svg = contacts_svg(walking(robot), robot, DT, 2, "k")
    check_svg(svg)
    assert "var(--run2)" in svg and "var(--run0)" not in svg
    # 2 to 5 s are the steps 100 to 250. The left foot stands in 100 to 120, 136 to 160, 176 to 200,
    # and 216 to 240.
    assert f"left foot loaded 4 times, {92 / 150:.0%} of the time" in svg
    arrays = standing(robot)
    arrays["alive"][150:] = False
    assert "fallen after 3.0 s" in contacts_svg(Recording(**arrays), robot, DT, 0, "k")


def test_panels(robot):
    recordings = (walking(robot), Recording(**standing(robot)))
    cycles, nothing = (
        Cycles.of(robot, recorded_cycles(recording, robot, DT)[0], DT) for recording in recordings
    )
    panels = joint_panels([cycles, nothing], [cycles], "k")
    assert [panel.title.replace(" ", "_") for panel in panels] == list(robot.joint_names)
    for panel in panels:
        check_svg(panel.svg)
        assert "run 1" in panel.svg and "reference 1" in panel.svg and "run 2" not in panel.svg
    points = np.array([[0.0, 1.0], [1e6, 2.5]])
    panels = curve_panels([{}, {CURVES[0][0]: points}])
    assert [panel.title for panel in panels] == [CURVES[0][1]]
    check_svg(panels[0].svg)
    assert "run 2 ends at 2.5" in panels[0].svg
    svg = torque_svg([None, torque_use(walking(robot), robot, DT)], "k")
    check_svg(svg)
    assert "var(--run1)" in svg and robot.joint_names[0].replace("_", " ") in svg
