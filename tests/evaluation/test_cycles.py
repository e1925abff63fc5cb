"""Gait cycles of recordings and clips, cut and stretched to one length."""

import dataclasses

import numpy as np
from synthetic import DT, STEPS, standing, walking

from wildrobot_gym.evaluation.cycles import (
    POINTS,
    Cycles,
    clip_cycles,
    cut_cycles,
    nearest_clips,
    recorded_cycles,
)
from wildrobot_gym.evaluation.metrics import first_step
from wildrobot_gym.evaluation.recording import Recording
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.motion.gait.build import walk_clip

PERIOD = 40  # steps; the synthetic walk's


def test_cycles_are_cut_at_touchdowns_and_stretched_to_one_length(wildrobot):
    # Cycles of 10 and 20 steps over a ramp of 1 a step: 3 to 13 and 13 to 33. A third lasts 2.02 s.
    touchdown = np.zeros(140, bool)
    touchdown[[3, 13, 33, 134]] = True
    cut = cut_cycles(np.tile(np.arange(140.0)[:, None], 9), touchdown, DT)
    assert [(cycle[0, 0], cycle[-1, 0]) for cycle in cut] == [(3, 13), (13, 33)]
    cycles = Cycles.of(wildrobot, cut, DT)
    np.testing.assert_allclose(cycles.duration_s, [0.2, 0.4])
    np.testing.assert_allclose(
        cycles.angle[:, :, 0], [np.linspace(3, 13, POINTS), np.linspace(13, 33, POINTS)]
    )


def test_no_cycle_without_two_touchdowns(wildrobot):
    cycles = Cycles.of(wildrobot, cut_cycles(np.zeros((9, 9)), np.arange(9) == 4, DT), DT)
    assert len(cycles) == 0 and cycles.angle.shape == (0, POINTS, 9)


def test_recorded_cycles_average_over_cycles(robot):
    # The left foot touches down at phase 16 of 40. From there, joint 1 is a sine of the phase.
    # It is 0.2 higher in every second cycle.
    arrays = dataclasses.asdict(walking(robot))
    t = np.arange(STEPS) - 16
    arrays["joint_pos"][:, 0, 1] = np.sin(2 * np.pi * t / PERIOD) + 0.2 * (t // PERIOD % 2)
    cycles = Cycles.of(robot, recorded_cycles(Recording(**arrays), robot, DT)[0], DT)
    # Touchdowns in steps 100 to 499: 136, 176, ... 496, so nine cycles, five of them with 0.2.
    assert len(cycles) == 9
    np.testing.assert_allclose(cycles.duration_s, PERIOD * DT)
    whole = slice(
        POINTS - 2
    )  # what lies after the cycle's last step is drawn towards the next cycle
    phase = np.linspace(0, 2 * np.pi, POINTS)[whole]
    np.testing.assert_allclose(cycles.mean[whole, 1], np.sin(phase) + 0.2 * 5 / 9, atol=0.01)
    np.testing.assert_allclose(cycles.spread[whole, 1], 0.2 * np.sqrt(5 * 4) / 9, atol=1e-3)
    assert not cycles.mean[:, 0].any()


def test_cycles_end_with_a_fall(robot):
    arrays = dataclasses.asdict(walking(robot))
    arrays["alive"][first_step(0.02) + 100 :] = False
    (cycles,) = recorded_cycles(Recording(**arrays), robot, DT)
    assert len(cycles) == 1  # 136 to 176
    assert recorded_cycles(Recording(**standing(robot)), robot, DT) == [[]]


def test_a_clip_steps_at_its_own_period_and_the_nearest_speed_is_found(wildrobot):
    clips = [walk_clip(wildrobot, speed) for speed in (0.2, 0.4)]
    assert nearest_clips(clips, 0.37) == clips[1:]
    assert nearest_clips(clips, 0.29) == clips  # 0.09 and 0.11 m/s away
    cycles = Cycles.of(wildrobot, clip_cycles(wildrobot, clips[1], DT), DT)
    assert len(cycles) >= 3
    np.testing.assert_allclose(cycles.duration_s.mean(), clips[1].metadata["period_s"], atol=DT)
    np.testing.assert_allclose(cycles.mean[0], cycles.mean[-1], atol=0.05)  # a walk repeats itself
    assert clip_cycles(wildrobot, dataclasses.replace(clips[1], pad_forces=None), DT) == []


def test_cycles_of_a_performed_clip(wildrobot):
    clip = max(load_clips("walk", wildrobot), key=lambda c: c.num_frames)
    cycles = clip_cycles(wildrobot, clip, DT)
    assert 2 <= len(cycles) <= clip.num_frames * DT * 2 and {c.shape[1] for c in cycles} == {9}
