"""A reference of two slow walks, and what is mined from it, shared by the motion commands'
tests.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from variants_for_tests import few_variants

from wildrobot_gym.cli.main import main
from wildrobot_gym.experiments.motion import track
from wildrobot_gym.motion.clip_files import save_clips
from wildrobot_gym.motion.gait.build import walk_clip
from wildrobot_gym.robot import RobotModel


@pytest.fixture(scope="session")
def walks(wildrobot: RobotModel, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A reference file of two slow walks, which the robot can perform."""
    clips = [walk_clip(wildrobot, speed) for speed in (0.2, 0.3)]
    return str(save_clips(tmp_path_factory.mktemp("walks") / "walks.npz", clips))


@pytest.fixture(scope="session")
def mined(walks: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The segments of those walks, with their features beside them."""
    out = tmp_path_factory.mktemp("mined") / "segments.npz"
    features = str(out.with_name("fields.npz"))
    small = ["--duration", "4", "--generations", "0", "--features", features]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(track, "TrackSettings", few_variants)
        assert main(["motion", "track", walks, "--out", str(out), *small]) == 0
    return out
