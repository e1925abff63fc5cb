"""What no robot can do is refused where all clips pass, and good motion is not."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from wildrobot_gym.cli.main import main
from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import load_clips, save_clips
from wildrobot_gym.motion.gait.build import walk_clip
from wildrobot_gym.motion.importers import ImportOptions, load
from wildrobot_gym.motion.plausibility import beyond_limits, check_plausible, standing_feet
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import FeatureConfig

Change = Callable[[MotionClip], MotionClip]


@pytest.fixture(scope="module")
def walk(wildrobot: RobotModel) -> MotionClip:
    """Two seconds of a generated walk at 0.3 m/s."""
    clip = walk_clip(wildrobot, 0.3)
    part = {name: getattr(clip, name)[:100] for name in ("root_pos", "root_quat", "joint_pos")}
    return replace(clip, **part, pad_forces=None, qvel=None)


def turned(clip: MotionClip, turn: Rotation) -> MotionClip:
    """The clip turned about the world's origin."""
    quat = turn * Rotation.from_quat(clip.root_quat, scalar_first=True)
    return replace(
        clip, root_pos=turn.apply(clip.root_pos), root_quat=quat.as_quat(scalar_first=True)
    )


def backward(clip: MotionClip) -> MotionClip:
    """The clip facing -x, with w read where z is: it seems to face +x, and to be upright."""
    clip = turned(clip, Rotation.from_euler("z", 180, degrees=True))
    return replace(clip, root_quat=clip.root_quat[:, [3, 0, 1, 2]])


WRONG: dict[str, tuple[Change, str]] = {
    "order": (
        lambda c: replace(c, root_quat=c.root_quat[:, [3, 0, 1, 2]]),
        "tilted by 1[78]. degrees.*upright as w, x, y, z",
    ),
    "order, facing backward": (backward, "feet slide at 0.[67].*They hardly.* w, x, y, z"),
    "order the other way": (
        lambda c: replace(c, root_quat=c.root_quat[:, [1, 2, 3, 0]]),
        "feet slide at 0.[67].*They hardly.* x, y, z, w",
    ),
    "y up": (lambda c: turned(c, Rotation.from_euler("x", 90, degrees=True)), "z up"),
    "degrees": (lambda c: replace(c, joint_pos=np.degrees(c.joint_pos)), "as degrees.*radians"),
    "centimeters": (
        lambda c: replace(c, root_pos=100.0 * c.root_pos),
        r"base is 4\d\.\d+ m high.*in centimeters\? Pass scale 0.01",
    ),
    "millimeters": (lambda c: replace(c, root_pos=1000.0 * c.root_pos), "in millimeters"),
    "in the air": (
        lambda c: replace(c, root_pos=c.root_pos + np.array([0, 0, 0.1])),
        r"0\.099 m above the floor.*Move the root's z by -0\.099 m",
    ),
    "in the floor": (lambda c: replace(c, root_pos=c.root_pos - [0, 0, 0.1]), "under the floor"),
    "frame rate": (
        lambda c: replace(c, fps=1000.0),
        r"moves at .* Check the frame rate \(1000 fps",
    ),
    "no path": (lambda c: replace(c, root_pos=c.root_pos * [0, 0, 1]), "feet slide"),
    "legs swapped": (
        lambda c: replace(c, joint_pos=c.joint_pos * [1, -1, 1, 1, 1, -1, 1, 1, 1]),
        "joint '.*_hip_pitch' is at .* Check the order, the signs",
    ),
    "a jump": (
        lambda c: replace(
            c, root_pos=c.root_pos + 0.3 * (np.arange(100) > 40)[:, None] * [1, 0, 0]
        ),
        "the base moves at 15.* after frame 40.*cut out the jump",
    ),
}


def gmr(clip: MotionClip, path: Path) -> Path:
    """Write the clip as another project would."""
    data = {
        "fps": clip.fps,
        "root_pos": clip.root_pos,
        "root_rot": clip.root_quat[:, [1, 2, 3, 0]],
        "dof_pos": clip.joint_pos,
    }
    path.write_bytes(pickle.dumps(data))
    return path


@pytest.mark.parametrize("name", WRONG)
def test_what_no_robot_does_is_refused(
    wildrobot: RobotModel, walk: MotionClip, tmp_path: Path, name: str
) -> None:
    change, message = WRONG[name]
    wrong = change(walk)
    with pytest.raises(MotionError, match=message):
        wrong.check(wildrobot)
    with pytest.raises(MotionError, match=rf"clip\.pkl: .*({message})"):
        load(gmr(wrong, tmp_path / "clip.pkl"))
    with pytest.raises(MotionError, match=message):
        load_clips(save_clips(tmp_path / "reference.npz", [wrong]), wildrobot)


def test_every_command_that_reads_and_training_refuse_it(
    wildrobot: RobotModel, walk: MotionClip, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("order, facing backward", "degrees", "centimeters", "in the air"):
        change, message = WRONG[name]
        wrong = change(walk)
        pickled, ours = gmr(wrong, tmp_path / "clip.pkl"), wrong.save(tmp_path / "clip.npz")
        for command in ("retarget", "loop", "track", "harness"):
            for path in (pickled, ours):
                arguments = ["motion", command, str(path)]
                assert main(arguments) == 2
                said = " ".join(capsys.readouterr().err.split())
                assert "No motion could be read" in said and path.name in said
        with pytest.raises(MotionError, match=message):
            ReferenceDataset.from_clips(wildrobot, FeatureConfig(contacts="none"), [wrong])
    assert not (tmp_path / "loops.npz").exists()


def test_scale_is_the_way_out_for_another_unit(
    wildrobot: RobotModel, walk: MotionClip, tmp_path: Path
) -> None:
    path = gmr(replace(walk, root_pos=100.0 * walk.root_pos), tmp_path / "clip.pkl")
    clip = load(path, ImportOptions(scale=0.01))
    assert isinstance(clip, MotionClip)
    np.testing.assert_allclose(clip.root_pos, walk.root_pos, atol=1e-9)


def test_a_good_clip_in_any_direction_is_far_from_the_bounds(
    wildrobot: RobotModel, walk: MotionClip
) -> None:
    for degrees in (0, 90, 180, 270):
        clip = turned(walk, Rotation.from_euler("z", degrees, degrees=True)).check(wildrobot)
        floor, slide = standing_feet(wildrobot, clip.qpos, clip.fps)
        assert abs(floor) < 0.002 and slide < 0.05
    assert beyond_limits(wildrobot, walk.joint_pos).max() < 0.0


def test_a_slow_walk_in_the_wrong_order_is_refused_by_its_feet(
    wildrobot: RobotModel, walk: MotionClip
) -> None:
    """Its feet slide less than the bound, and hardly at all in the other order."""
    slow = replace(backward(walk), fps=0.25 * walk.fps)
    with pytest.raises(MotionError, match=r"slide at 0\.1. m/s.*up to 0\.25.*as w, x, y, z"):
        slow.check(wildrobot)


def test_skating_is_no_error(wildrobot: RobotModel) -> None:
    """Poses that were made by hand, to try something, may glide."""
    poses = np.tile(wildrobot.home_qpos, (20, 1))
    poses[:, 0] = 0.02 * np.arange(20)
    check_plausible(wildrobot, poses, 50.0, "gliding")


def test_a_base_at_home_stands_on_the_floor(robot: RobotModel) -> None:
    """By hand: two frames at home 10 mm apart, at 50 fps, slide at 0.5 m/s at height 0."""
    poses = np.stack([robot.home_qpos, robot.home_qpos])
    poses[1, 0] += 0.01
    floor, slide = standing_feet(robot, poses, 50.0)
    assert floor == pytest.approx(0.0, abs=2e-3) and slide == pytest.approx(0.5)
