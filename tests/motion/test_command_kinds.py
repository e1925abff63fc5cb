"""What kind of motion a command asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.motion.command_kinds import KINDS, kind_of, kind_of_clip, repeats
from wildrobot_gym.robot import RobotModel


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ((0.0, 0.0, 0.0), "stand"),
        ((0.02, -0.03, 0.05), "stand"),
        ((0.4, 0.03, 0.1), "walk"),
        ((0.3, 0.0, -0.3), "curve"),
        ((0.0, 0.0, -0.3), "turn"),
        ((0.01, 0.06, 0.0), "sideways"),
        ((-0.15, 0.05, 0.0), "backward"),
    ],
)
def test_kinds_of_commands(command: tuple[float, float, float], kind: str) -> None:
    assert kind_of(np.array(command)) == kind and kind in KINDS
    # A mirror image is of the same kind.
    assert kind_of(np.array(command) * [1.0, -1.0, -1.0]) == kind


def test_a_command_that_changes_is_varied(clip: MotionClip) -> None:
    commands = np.tile([0.4, 0.0, 0.0], (clip.num_frames, 1))
    assert kind_of_clip(replace(clip, command=(0.4, 0.0, 0.0), commands=commands)) == "walk"
    commands[30:, 2] = 0.3
    assert kind_of_clip(replace(clip, command=(0.4, 0.0, 0.1), commands=commands)) == "varied"


def test_the_shipped_reference_walks(wildrobot: RobotModel) -> None:
    assert {kind_of_clip(clip) for clip in load_clips("walk", wildrobot)} == {"walk"}


def test_rare_kinds_count_more() -> None:
    """100 frames of turning beside 900 of walking and 1 of standing: by the square root."""
    commands = np.zeros((1001, 3))
    commands[:900, 0], commands[900:1000, 2] = 0.4, 0.3
    times = repeats(commands)
    assert set(times[:900]) == {1}
    assert set(times[900:1000]) == {3}
    assert times[1000] == 30
    np.testing.assert_array_equal(repeats(commands[:900]), 1)  # one kind: each frame once
