"""Endless clips: what a tracking policy learns from and performs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.gait.build import walk_clip
from wildrobot_gym.motion.tracking import Controller, TrackSettings, Variant, endless_clips
from wildrobot_gym.robot import RobotModel

SETTINGS = TrackSettings(
    duration_s=12.0, loops=("cycle",), warps=(0.8, 1.0), turns=(0.0,), mirror=True
)


@pytest.fixture(scope="module")
def walk(wildrobot: RobotModel) -> MotionClip:
    return walk_clip(wildrobot, 0.4)


def test_a_walk_goes_on_and_on(wildrobot: RobotModel, walk: MotionClip) -> None:
    """12 s from a clip of 6 s: no jump anywhere, at the speed it is played with."""
    made = endless_clips(wildrobot, walk, SETTINGS)
    assert len(made) == 4 and len({clip.name for clip in made}) == 4
    for clip in made:
        clip.check(wildrobot)
        variant = Variant.of(clip)
        assert clip.duration_s == pytest.approx(12.0) and clip.metadata["motion_id"] == walk.name
        assert np.ptp(clip.root_pos[:, 0]) / 12.0 == pytest.approx(0.4 * variant.warp, abs=0.01)
        assert clip.command[0] == pytest.approx(0.4 * variant.warp)
        steps = np.abs(np.diff(clip.joint_pos, axis=0)).max(axis=1)
        assert steps.max() < 1.3 * np.abs(np.diff(walk.joint_pos, axis=0)).max()
    mirrored = next(
        clip for clip in made if Variant.of(clip).mirrored and Variant.of(clip).warp == 1.0
    )
    plain = next(
        clip for clip in made if not Variant.of(clip).mirrored and Variant.of(clip).warp == 1.0
    )
    np.testing.assert_allclose(mirrored.joint_pos, plain.mirrored(wildrobot).joint_pos, atol=1e-6)


def test_a_segment_stays_of_its_motion(wildrobot: RobotModel, walk: MotionClip) -> None:
    segment = replace(walk, metadata={"motion_id": "02_01", "score": 3.0, "metrics": {"slip": 0.0}})
    for clip in endless_clips(wildrobot, segment, SETTINGS):
        assert clip.motion_id == "02_01" and set(clip.metadata) == {"motion_id", "variant"}


def test_what_has_no_cycle_is_told(wildrobot: RobotModel, walk: MotionClip) -> None:
    arrays = ("root_pos", "root_quat", "joint_pos", "pad_forces")
    going = replace(walk, **{name: getattr(walk, name)[:20] for name in arrays})  # half a step
    with pytest.raises(MotionError, match="never comes back"):
        endless_clips(wildrobot, going, SETTINGS)
    assert endless_clips(wildrobot, going, replace(SETTINGS, loops=("neutral",)))


def test_which_variant_a_clip_is(walk: MotionClip) -> None:
    assert Variant.of(walk) == Variant(loop="once", warp=1.0, turn=0.0, mirrored=False, start_s=0.0)
    tracked = Variant(
        loop="cycle", warp=0.9, turn=0.1, mirrored=True, start_s=2.0, controller=Controller()
    )
    noted = replace(walk, metadata={"variant": tracked.description()})
    assert Variant.of(noted) == replace(tracked, controller=None)
    with pytest.raises(MotionError, match="variant is damaged"):
        Variant.of(replace(walk, metadata={"variant": {"speed": 2.0}}))
