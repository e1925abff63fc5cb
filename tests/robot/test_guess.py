"""`wildrobot robot init`: a first robot.yaml by looking at a model."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from bipeds import JOINTS, MESH, mjcf, write_mesh

from wildrobot_gym.cli.main import main
from wildrobot_gym.paths import ROBOTS
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.robot.guess import guess, write_guess


def guessed(folder: Path, model: str) -> tuple[RobotModel, dict]:
    """The robot of a new folder with a guessed robot.yaml."""
    folder.mkdir()
    (folder / "biped.xml").write_text(model)
    if MESH in model:
        write_mesh(folder / "sole.obj")
    found = guess(folder / "biped.xml")
    assert found.problem is None
    return RobotModel.load(write_guess(found)), found.values


@pytest.mark.parametrize("sole", ["one sphere", "mesh", "eight boxes"])
def test_feet_joints_and_gains_are_found(tmp_path: Path, sole: str) -> None:
    robot, values = guessed(tmp_path / "biped", mjcf(sole))
    assert values["feet"] == {
        "left_foot": {"body": "foot_l"},
        "right_foot": {"body": "foot_r"},
    }
    assert list(robot.joint_names) == values["joints"] == JOINTS
    np.testing.assert_array_equal(robot.force_limit, 3.0)  # the motors' own
    assert values["servos"] == {"*": {"kp": 12.0, "kv": 0.3}} and values["home"] == "stand"
    assert "symmetry" not in values and "floating" not in values


def test_only_the_lowest_geoms_of_a_foot_are_pads(tmp_path: Path) -> None:
    ankle = '<geom size="0.01" pos="0 0 0.08" mass="0.01"/>'
    model = mjcf("eight boxes").replace(
        "</body>\n          </body>", ankle + "</body>\n          </body>"
    )
    robot, values = guessed(tmp_path / "biped", model)
    assert values["feet"]["left_foot"]["pads"] == list(range(8))
    assert robot.pad_ids_of_foot.shape == (2, 8)


def test_a_model_without_a_free_joint_gets_one(tmp_path: Path) -> None:
    robot, values = guessed(tmp_path / "biped", mjcf("mesh", free=""))
    assert values["floating"] is True and values["base"] == "trunk" and robot.model.nq == 15


def test_left_and_right_that_differ_are_told(tmp_path: Path) -> None:
    near = mjcf("mesh").replace('pos="0 -0.06 0"', 'pos="0 -0.064 0"')
    assert guessed(tmp_path / "near", near)[1]["symmetry"] == 0.01
    far = mjcf("mesh").replace('pos="0 -0.06 0"', 'pos="0 -0.09 0"')
    robot, values = guessed(tmp_path / "far", far)
    assert values["symmetry"] == "none" and robot.mirror is None


def test_the_shipped_robots_are_guessed_as_they_are(tmp_path: Path) -> None:
    shutil.copytree(ROBOTS, tmp_path / "robots")
    for name in ("wildrobot", "wildrobot_8dof", "sprout"):
        shipped = RobotModel.load(name)
        found = guess(tmp_path / "robots" / name / f"{name}.xml")
        assert (found.problem is None and "home" not in found.values) or name == "sprout"
        robot = RobotModel.from_file(found.file())
        assert robot.joint_names == shipped.joint_names
        assert robot.foot_names == shipped.foot_names
        np.testing.assert_array_equal(robot.mirror.joint_ids, shipped.mirror.joint_ids)
        np.testing.assert_allclose(robot.home_qpos, shipped.home_qpos)


def test_the_command_writes_draws_and_overwrites_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(ROBOTS / "sprout" / "sprout.xml", tmp_path)
    model = str(tmp_path / "sprout.xml")
    before = (tmp_path / "sprout.xml").read_bytes()
    assert main(["robot", "init", model]) == 0
    told = capsys.readouterr().out
    assert "Guessed:" in told and "knee_l = knee_r" in told and "stands at home" in told
    assert (tmp_path / "sprout.xml").read_bytes() == before
    assert (tmp_path / "robot.png").read_bytes()[:4] == b"\x89PNG"
    assert main(["robot", "check", str(tmp_path)]) == 0
    assert main(["robot", "init", model]) == 2
    assert "exists" in capsys.readouterr().err
    assert main(["robot", "init", model, "--force", "--no-picture"]) == 0
    assert main(["robot", "init", str(tmp_path / "none.xml")]) == 2


def test_a_robot_that_cannot_be_loaded_yet_is_written_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slide = (
        '<body name="lift"><joint name="neck" type="slide" range="0 1"/><geom size="0.01"/></body>'
    )
    (tmp_path / "biped.xml").write_text(mjcf("one sphere", more=slide))
    assert main(["robot", "init", str(tmp_path / "biped.xml")]) == 1
    assert "cannot be loaded yet" in capsys.readouterr().out
    assert (tmp_path / "robot.yaml").is_file()
    assert main(["robot", "check", str(tmp_path)]) == 2
    assert "neck" in capsys.readouterr().err
