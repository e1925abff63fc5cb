"""Shapes, poses, ghost, plots and the clock of the viewers. They need no browser and no screen."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from contextlib import nullcontext
from types import SimpleNamespace

import mujoco
import numpy as np
import pytest

from wildrobot_gym.env import render
from wildrobot_gym.errors import ConfigError, PhysicsError, RunError
from wildrobot_gym.experiments.settings import ViewSettings
from wildrobot_gym.experiments.view import export, window
from wildrobot_gym.experiments.view.charts import SPAN, StripChart
from wildrobot_gym.experiments.view.controls import Controls, play
from wildrobot_gym.experiments.view.ghost import NearestReference
from wildrobot_gym.experiments.view.playback import human_track, robot_track
from wildrobot_gym.experiments.view.shapes import Poser, shapes_of
from wildrobot_gym.experiments.view.stage import as_markdown, bar, turned_from_z
from wildrobot_gym.motion.gait.build import walk_clip
from wildrobot_gym.motion.human import LEG_BODIES, HumanMotion
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import CommandConfig


def test_shapes_are_the_visible_geoms_in_their_place(robot: RobotModel) -> None:
    shapes = shapes_of(robot.model)
    model = robot.model
    assert {s.body for s in shapes} == {int(b) for b in model.geom_bodyid[model.geom_group == 2]}
    orange = [s for s in shapes if s.body == model.body("torso").id and s.color[0] > 0.9]
    (shell,) = orange  # a box and a head
    box = next(
        g
        for g in range(model.ngeom)
        if model.geom_bodyid[g] == shell.body
        and model.geom_type[g] == mujoco.mjtGeom.mjGEOM_BOX
        and model.mat_rgba[model.geom_matid[g]][0] > 0.9
    )
    low = model.geom_pos[box] - model.geom_size[box]
    np.testing.assert_allclose(shell.vertices.min(axis=0), low, atol=1e-6)
    for shape in shapes:  # every surface faces outward: its volume is positive
        a, b, c = np.moveaxis(shape.vertices[shape.faces].astype(float), 1, 0)
        assert np.einsum("ij,ij->", a, np.cross(b, c)) > 0


def test_a_page_has_walks_in_all_trained_directions() -> None:
    only_forward, commands = export.recorded_commands(CommandConfig(vx=(0.0, 0.8)))
    assert only_forward == ["0 m/s", "0.2 m/s", "0.4 m/s", "0.6 m/s", "0.8 m/s"]
    assert not commands[:, 1:].any()
    every = CommandConfig(vx=(0.3, 0.3), vy=(-0.1, 0.1), yaw_rate=(0.0, 0.5))
    labels, commands = export.recorded_commands(every)
    assert labels == [
        *("0.3 m/s", "0.1 m/s to the right", "0.1 m/s to the left", "0.5 rad/s to the left")
    ]
    wanted = [[0.3, 0, 0], [0, -0.1, 0], [0, 0.1, 0], [0, 0, 0.5]]
    np.testing.assert_allclose(commands, wanted, atol=1e-6)


def test_capsules_are_centered() -> None:
    model = mujoco.MjModel.from_xml_string(
        "<mujoco><worldbody><body><geom type='capsule' size='.1 .3' pos='0 0 1'/></body>"
        "</worldbody></mujoco>"
    )
    (shape,) = shapes_of(model)
    np.testing.assert_allclose(shape.vertices[:, 2].min(), 0.6, atol=1e-3)
    np.testing.assert_allclose(shape.vertices[:, 2].max(), 1.4, atol=1e-3)


def test_poses_are_mujocos(wildrobot: RobotModel) -> None:
    data = mujoco.MjData(wildrobot.model)
    data.qpos[:] = wildrobot.home_qpos
    data.qpos[7:] += 0.1
    mujoco.mj_forward(wildrobot.model, data)
    positions, orientations = Poser(wildrobot).bodies(data.qpos.copy())
    np.testing.assert_allclose(positions, data.xpos)
    np.testing.assert_allclose(orientations, data.xquat)


def test_the_ghost_is_the_frame_that_the_robot_is_in(wildrobot: RobotModel) -> None:
    clip = walk_clip(wildrobot, 0.4)
    speed = np.gradient(clip.joint_pos, 1 / clip.fps, axis=0)
    k = 17
    qpos = np.concatenate([[3.0, -2.0, 0.9], clip.root_quat[k], clip.joint_pos[k]]).astype(float)
    half = 0.7  # the robot has turned by 1.4 rad
    w, x, y, z = clip.root_quat[k].astype(float)
    c, s = np.cos(half), np.sin(half)
    qpos[3:7] = c * w - s * z, c * x - s * y, c * y + s * x, c * z + s * w
    ghost = NearestReference([walk_clip(wildrobot, 0.8), clip]).pose(qpos, speed[k], 0.4)
    np.testing.assert_allclose(ghost[7:], clip.joint_pos[k], atol=1e-6)
    np.testing.assert_allclose(ghost[:2], [3.0, -2.0])
    np.testing.assert_allclose(ghost[2], clip.root_pos[k, 2], atol=1e-6)
    np.testing.assert_allclose(ghost[3:7], qpos[3:7], atol=1e-6)


def test_a_chart_keeps_the_last_seconds_and_the_liveliest_lines() -> None:
    chart = StripChart("N", most=2)
    assert chart.picture().min() == 255  # empty
    for i in range(SPAN + 50):
        chart.add({"still": 1.0, "slow": 0.01 * i, "fast": float(i)})
    lines = chart.lines()
    assert list(lines) == ["slow", "fast"] and len(lines["fast"]) == SPAN
    assert lines["fast"][-1] == SPAN + 49
    picture = chart.picture()
    assert (picture == (213, 94, 0)).all(axis=-1).sum() > 100  # the second line
    chart.clear()
    assert chart.lines() == {}


@pytest.mark.parametrize(("speed", "steps"), [(0.5, 25), (1.0, 50), (4.0, 200)])
def test_time_runs_at_the_wanted_speed(speed: float, steps: int) -> None:
    controls, clock, counts = Controls(speed=speed), [0.0], {"steps": 0, "shows": 0}

    def step() -> None:
        counts["steps"] += 1

    def show() -> None:
        counts["shows"] += 1
        if clock[0] >= 1.0:
            controls.stopped.set()

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    play(controls, 0.02, step, show, lambda: clock[0], sleep)
    assert abs(counts["steps"] - steps) <= steps * 0.1 + 2
    assert counts["shows"] <= 62


def test_a_paused_clock_steps_once_when_asked() -> None:
    controls, counts = Controls(), list[int]()
    controls.step_once()
    shows = iter(range(5))

    def show() -> None:
        if next(shows) == 4:
            controls.stopped.set()

    play(controls, 0.02, lambda: counts.append(1), show, sleep=lambda _: None)
    assert len(counts) == 1


# --- the window ---


def test_keys_command_the_robot(clip_session, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, geoms, running = [], [], [True]
    scene = mujoco.MjvScene(clip_session.robot.model, 200)
    shown = SimpleNamespace(
        is_running=lambda: running[0],
        lock=nullcontext,
        user_scn=scene,
        set_texts=texts.append,
        sync=lambda: geoms.append(scene.ngeom),
        close=lambda: texts.append("closed"),
        cam=mujoco.MjvCamera(),
    )
    monkeypatch.setattr(window, "open_window", lambda *_: (shown, shown.close))
    one = window.PolicyWindow(clip_session)
    assert one._viewer.cam.trackbodyid == clip_session.robot.model.body("waist").id
    one.on_key(265)  # up: a tenth of 0.8 m/s
    assert clip_session.command[0] == pytest.approx(0.48)
    one.on_key(263)  # left: this policy does not turn
    assert clip_session.command[2] == 0.0
    for _ in range(20):
        one.on_key(264)
    assert clip_session.command[0] == 0.0
    one.on_key(ord(" "))
    assert one.controls.paused
    one.on_key(ord("."))
    assert one.controls.steps == 1
    one.on_key(ord("="))
    assert one.controls.speed == 2.0
    one.on_key(257)
    one.step()
    assert clip_session.pushes == [(0.0, 1.0)] and one.controls.push is None
    one.show()
    assert "paused" in texts[-1][3] and geoms[-1] == 2  # the feet's loads
    one.on_key(ord("G"))
    one.show()
    assert geoms[-1] > 30
    running[0] = False
    one.show()
    assert one.controls.stopped.is_set()
    one.close()
    assert texts[-1] == "closed"


def test_a_closed_window_has_no_threads_left(
    wildrobot: RobotModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = threading.Event()
    threads = []

    def launch(*_: object) -> SimpleNamespace:
        threads.append(threading.Thread(target=lambda: closed.wait(5.0) and time.sleep(0.2)))
        threads[0].start()
        return SimpleNamespace(close=closed.set)

    monkeypatch.setattr(render, "has_screen", lambda: True)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("mujoco.viewer.launch_passive", launch)
    _, close = render.open_window(wildrobot.model, mujoco.MjData(wildrobot.model))
    close()
    assert not threads[0].is_alive()


def test_a_mac_without_mjpython_is_told_so(
    monkeypatch: pytest.MonkeyPatch, wildrobot: RobotModel
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("mujoco.viewer._MJPYTHON", None)
    with pytest.raises(PhysicsError, match=r"mjpython -m wildrobot_gym\.cli\.main enjoy walk"):
        render.open_window(wildrobot.model, mujoco.MjData(wildrobot.model))


# --- settings ---


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="port is 0"):
        ViewSettings(port=0).check()
    with pytest.raises(ConfigError, match="seconds is -1"):
        ViewSettings(seconds=-1.0).check()
    with pytest.raises(ConfigError, match="command is nan"):
        ViewSettings(command=float("nan")).check()
    with pytest.raises(ConfigError, match="seed is -1"):
        ViewSettings(seed=-1).check()
    pytest.importorskip("viser")
    from wildrobot_gym.experiments.view.stage import Stage

    with pytest.raises(RunError, match=r"host '10\.9\.8\.7'.*127\.0\.0\.1"):
        Stage("10.9.8.7", 8080)


# --- the page without Python ---


def test_the_player_holds_the_motion_and_escapes_its_title(wildrobot: RobotModel) -> None:
    clip = walk_clip(wildrobot, 0.4)
    qpos = np.concatenate([clip.root_pos, clip.root_quat, clip.joint_pos], axis=1)
    walk = export.walk(
        "</script>", wildrobot, qpos, np.full((len(qpos), 2), 17.0), np.zeros((len(qpos), 2, 3))
    )
    text = export.player_page("<b>{{data}}", wildrobot, [walk], 50.0)
    assert "<title>&lt;b&gt;{{data}}</title>" in text
    assert text.count("<script") == text.count("</script>") == 2
    assert "default-src 'none'" in text and "http" not in text.replace("http-equiv", "")
    data = json.loads(re.search(r'type="application/json">(.*?)</script>', text)[1])
    bodies = np.frombuffer(base64.b64decode(data["walks"][0]["bodies"]), "<f4")
    bodies = bodies.reshape(len(qpos), wildrobot.model.nbody, 7)
    np.testing.assert_allclose(bodies[:, 1, :3], clip.root_pos, atol=1e-6)


def test_bars_stand_on_z_and_turn_to_any_direction() -> None:
    vertices, faces = bar(0.4)
    np.testing.assert_allclose(vertices[4:].mean(axis=0), [0, 0, 0.4], atol=1e-7)
    a, b, c = np.moveaxis(vertices[faces].astype(float), 1, 0)
    volume = np.einsum("ij,ij->", a, np.cross(b, c)) / 6
    np.testing.assert_allclose(volume, 0.01**2 * 0.4, rtol=1e-4)  # all faces outward
    for direction in np.array([[0, 0, 1], [0.3, 0, 0], [1, -2, 0.5], [0, 0, -2]], float):
        turned, z = np.zeros(3), np.array([0.0, 0.0, 1.0])
        mujoco.mju_rotVecQuat(turned, z, turned_from_z(direction))
        np.testing.assert_allclose(turned, direction / np.linalg.norm(direction), atol=1e-12)
    np.testing.assert_allclose(turned_from_z(np.zeros(3)), [1, 0, 0, 0])


# --- motions ---


def test_a_human_stands_in_the_robots_size_and_goes_ahead(wildrobot: RobotModel) -> None:
    names = ("pelvis", "torso", "head", *LEG_BODIES)
    at = {"pelvis": 1.0, "torso": 1.2, "head": 1.7, "hip": 0.9, "knee": 0.5, "ankle": 0.1, "toe": 0}
    heights = [at[name.rpartition("_")[2]] for name in names]
    way = np.linspace(0.0, 3.0, 31)[:, None]  # along +y
    positions = np.stack(
        np.broadcast_arrays(5.0, 2.0 + way, np.array(heights)[None]), axis=-1
    ).astype(float)
    rotations = np.zeros((31, len(names), 4))
    rotations[..., 0] = 1.0
    human = HumanMotion("person", 30.0, names, positions, rotations)
    track = human_track(human, 0.4, 0.7)  # half as long as the human's legs
    assert track.bones is not None and track.duration == 0.7
    np.testing.assert_allclose(track.bones[0, 0, 0], [0, 0, 0.5], atol=1e-9)  # the pelvis
    np.testing.assert_allclose(track.bones[-1, 0, 0], [1.5, 0, 0.5], atol=1e-9)
    assert track.bones.shape[1] == 2 + 2 + 6  # no arms


def test_a_clip_begins_at_the_origin_and_plays_in_a_loop(wildrobot: RobotModel) -> None:
    pytest.importorskip("viser")
    from wildrobot_gym.experiments.view.playback import MotionPage

    clip = walk_clip(wildrobot, 0.4)
    track = robot_track(clip, "some/where.npz")
    assert track.name.endswith("(where.npz)") and track.qpos is not None
    np.testing.assert_allclose(track.qpos[0, :2], 0.0)
    page = MotionPage(wildrobot, [track, track], "127.0.0.1", 8250)
    try:
        for _ in range(round(track.duration / 0.02) + 2):
            page.step()
        assert page._time < 0.05  # again from the beginning
        page.scrubber.value = 0.5
        page._scrub(by_hand=True)
        page._shown = -1.0
        page.show()
        assert page.controls.paused and page._time == 0.5
        left, right = (np.array(figure._frames[1].position) for figure in page._figures)
        np.testing.assert_allclose(left - right, [0.0, 0.6, 0.0], atol=1e-6)
    finally:
        page.close()


def test_names_are_no_markup_and_no_code_on_a_page():
    assert as_markdown("walk{alert(1)}\n<b>_x_") == r"walk\{alert\(1\)\} \<b\>\_x\_"
