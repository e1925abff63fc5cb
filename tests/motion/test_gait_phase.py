"""Phases of a gait from the loads on the feet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.task.test_walk_task import make_task
from wildrobot_gym.env.demonstrations import demonstrations
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.motion.gait_phase import gait_phase, phases_of
from wildrobot_gym.motion.states import clip_states
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.walk import WalkTask
from wildrobot_gym.terrain import TerrainConfig, make_ground

DT = 0.02


def steps(hz: float, seconds: float, begin: float = 0.0) -> np.ndarray:
    """Loads of a gait: each foot swings for 0.3 of a cycle before it lands."""
    phase = np.arange(round(seconds / DT)) * DT * hz + begin
    return np.stack([phase % 1.0 < 0.7, (phase + 0.5) % 1.0 < 0.7], axis=1)


@pytest.mark.parametrize("begin", [0.0, 0.3, 0.8])
def test_phase_runs_with_the_gait(begin: float) -> None:
    want = np.arange(200) * DT * 1.25 + begin
    got = gait_phase(steps(1.25, 4.0, begin), DT)
    error = (got - want + 0.5) % 1.0 - 0.5
    assert np.abs(error).max() < 0.03  # a landing is seen one frame late at most
    assert (np.diff(got) > 0).all()


def test_a_rest_between_two_walks_is_left_out() -> None:
    """Before the second walk's first landing, the phase leads up to it at the usual rate."""
    rest = np.ones((100, 2), bool)
    loaded = np.concatenate([steps(1.25, 1.6), rest, steps(1.25, 1.6, 0.71)])
    phase = gait_phase(loaded, DT)
    landing = 180 + np.flatnonzero(loaded[180:-1, 0] < loaded[181:, 0])[0] + 1
    lead = phase[landing - 20 : landing + 1]
    np.testing.assert_allclose(np.diff(lead), DT * 1.25, atol=1e-3)
    assert phase[landing] % 1.0 == pytest.approx(0.0, abs=1e-6)


def test_a_robot_that_never_steps_has_a_phase() -> None:
    phase = gait_phase(np.ones((50, 2), bool), DT)
    assert phase[0] == 0.0
    assert (np.diff(phase) > 0).all()


def test_feet_that_land_together_leave_a_finite_phase() -> None:
    loaded = np.ones((50, 2), bool)
    loaded[20:30] = False  # one hop
    phase = gait_phase(loaded, DT)
    assert np.isfinite(phase).all() and (np.diff(phase) > 0).all()


def test_a_bounce_is_no_step() -> None:
    loaded = steps(1.25, 4.0)
    bounced = loaded.copy()
    landing = np.flatnonzero(loaded[:-1, 0] < loaded[1:, 0])[0] + 1
    bounced[[landing + 2, landing + 16], 0] = False
    np.testing.assert_allclose(gait_phase(bounced, DT), gait_phase(loaded, DT))


def test_loads_and_heights_agree(wildrobot: RobotModel) -> None:
    clip = load_clips("walk", wildrobot)[0]
    states = clip_states(wildrobot, clip, DT)
    by_load = phases_of(wildrobot, states, DT)
    unknown = states.replace(pad_forces=np.full_like(np.asarray(states.pad_forces), np.nan))
    by_height = phases_of(wildrobot, unknown, DT)
    difference = (by_load - by_height + 0.5) % 1.0 - 0.5
    assert np.abs(difference).mean() < 0.08


def test_the_floor_of_a_clip_is_level(wildrobot: RobotModel) -> None:
    clip = load_clips("walk", wildrobot)[0]
    states = clip_states(wildrobot, clip, DT)
    unknown = states.replace(pad_forces=np.full_like(np.asarray(states.pad_forces), np.nan))
    rough = replace(wildrobot, ground=make_ground(TerrainConfig(kind="rough")))
    np.testing.assert_array_equal(phases_of(rough, unknown, DT), phases_of(wildrobot, unknown, DT))


def test_demonstrations_show_the_clock_of_the_gait(wildrobot: RobotModel) -> None:
    task: WalkTask = make_task(
        wildrobot, observation={"channels": ["clock"], "history": {"frames": 1}}
    )
    clip = load_clips("walk", wildrobot)[0]
    observations, _ = demonstrations(task, [clip])
    phase = 2 * np.pi * phases_of(wildrobot, clip_states(wildrobot, clip, DT), DT)[1:-1]
    np.testing.assert_allclose(
        observations, np.stack([np.sin(phase), np.cos(phase)], axis=1), atol=1e-4
    )
