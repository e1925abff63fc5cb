"""Turns: the path bends as far as the legs allow, and what goes beyond the bars is marked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from humans import around_circle, write_human

from wildrobot_gym.cli.main import main
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.motion import importers
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.retarget import RetargetSettings, retarget
from wildrobot_gym.motion.retarget.report import BARS
from wildrobot_gym.motion.retarget.scaled import scaled_human
from wildrobot_gym.motion.retarget.turning import with_gentle_turns
from wildrobot_gym.robot import RobotModel

SHARP = 2.3  # m at a human's size: 90 degrees in 3 s


@pytest.fixture(scope="module")
def turner(walker: HumanMotion) -> HumanMotion:
    return around_circle(walker, SHARP)


def test_a_circle_without_turns_is_a_straight_line(
    wildrobot: RobotModel, turner: HumanMotion
) -> None:
    human = scaled_human(wildrobot, turner, RetargetSettings(), 100.0)
    assert human.heading[-1] - human.heading[0] == pytest.approx(np.pi / 2, abs=0.05)
    straight = with_gentle_turns(human, 0.0)
    np.testing.assert_allclose(straight.heading, straight.heading[0])
    way = straight.hips[:, :2] - straight.hips[0, :2]
    assert np.abs(way[:, 1]).max() < 0.06 and way[-1, 0] == pytest.approx(1.8, abs=0.06)
    for name in ("hip", "knee", "ankle", "toe"):  # nobody is bent out of shape
        before, after = (
            np.linalg.norm(getattr(h, name) - h.hips[:, None], axis=-1) for h in (human, straight)
        )
        np.testing.assert_allclose(after, before, atol=1e-9)
    lengths = [np.linalg.norm(np.diff(h.hips, axis=0), axis=1) for h in (human, straight)]
    np.testing.assert_allclose(*lengths, atol=1e-9)


def test_slow_turns_are_the_human_s(wildrobot: RobotModel, turner: HumanMotion) -> None:
    human = scaled_human(wildrobot, turner, RetargetSettings(), 100.0)
    assert with_gentle_turns(human, 1.0) is human


def test_a_sharp_turn_is_made_as_far_as_the_legs_allow(
    wildrobot: RobotModel, turner: HumanMotion
) -> None:
    result = retarget(wildrobot, turner)
    report, clip = result.report, result.clip.check(wildrobot)
    assert report.human_turn == pytest.approx(np.pi / 2, abs=0.05)
    assert report.turn == pytest.approx(0.3 * clip.duration_s, rel=0.02)
    assert report.foot_slide <= BARS["foot_slide"] and not report.beyond
    assert clip.metadata["beyond_bars"] == {}
    assert clip.command[2] == pytest.approx(0.3, abs=0.01)
    assert "turns: the heading changes by 5" in clip.metadata["notes"][-1]


def test_a_human_s_own_turn_is_marked(
    turner: HumanMotion,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = write_human(tmp_path / "turn.bvh", turner)
    loaded = importers.load(path)
    assert isinstance(loaded, HumanMotion)
    away = loaded.position("left_toe") - loaded.position("pelvis")
    own = turner.position("left_toe") - turner.position("pelvis")
    np.testing.assert_allclose(np.linalg.norm(away, axis=1), np.linalg.norm(own, axis=1), atol=1e-4)
    arguments = ["motion", "retarget", str(path), "--out", str(tmp_path)]
    assert main([*arguments, "--max-turn-rate", "inf"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "* is beyond its bar" in said
    assert "turn.bvh: BEYOND THE BARS: foot_slide" in caplog.text  # as every command says it
    clip = MotionClip.load(tmp_path / "turn.npz")
    slide = clip.metadata["beyond_bars"]["foot_slide"]
    assert 20.0 < slide < 40.0 and f"{slide:.1f}*" in said
    caplog.clear()
    assert main([*arguments, "--force"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert not caplog.text and "of the human's 9" in said and "since no hip turns" in said


def test_a_negative_rate_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"retarget.max_turn_rate is -0.1; allowed: 0 to inf"):
        RetargetSettings(max_turn_rate=-0.1)
