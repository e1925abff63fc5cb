"""A policy in MuJoCo's window, commanded by keys."""

from __future__ import annotations

import mujoco
import numpy as np

from wildrobot_gym.env.render import open_window
from wildrobot_gym.experiments.view.controls import SPEEDS, Controls, play
from wildrobot_gym.experiments.view.session import AXES, PolicySession
from wildrobot_gym.experiments.view.stage import (
    FORCE_COLOR,
    GHOST_COLOR,
    GHOST_OPACITY,
    force_ends,
)

KEYS = (
    "up and down: forward speed; left and right: turn; page up and down: sideways; space: pause;"
    " period: single step; enter: push; backspace: reset; minus and equals: slower and faster;"
    " G: nearest reference"
)
# GLFW's codes.
_RIGHT, _LEFT, _DOWN, _UP, _PAGE_UP, _PAGE_DOWN = range(262, 268)
_ENTER, _BACKSPACE = 257, 259
COMMAND_KEYS = {
    _UP: ("vx", 1),
    _DOWN: ("vx", -1),
    _LEFT: ("yaw_rate", 1),
    _RIGHT: ("yaw_rate", -1),
    _PAGE_UP: ("vy", 1),
    _PAGE_DOWN: ("vy", -1),
}
KEY_STEP = 0.1  # of a command's range
PUSH = (0.0, 1.0)  # N*s: to the left
FORCE_WIDTH = 0.008  # m


class PolicyWindow:
    """The window. `run` plays until it is closed or the controls say stop.

    Args:
        session: The robot.

    Attributes:
        controls: What the keys set.

    Raises:
        PhysicsError: There is no screen, or on a Mac no mjpython.
    """

    def __init__(self, session: PolicySession) -> None:
        self.session, self.controls = session, Controls()
        self._model = session.robot.model
        self._data, self._ghost = mujoco.MjData(self._model), mujoco.MjData(self._model)
        self._show_ghost = False
        self._viewer, self._close = open_window(self._model, self._data, self.on_key)
        self._aim()
        self.show()

    def run(self) -> None:
        """Step in real time and show."""
        play(self.controls, self.session.control_dt, self.step, self.show)

    def step(self) -> None:
        """Do what the keys ask for, and take one control step."""
        if self.controls.push is not None:
            self.session.push(*self.controls.push)
            self.controls.push = None
        self.session.step()

    def show(self) -> None:
        """Update the window; say stop once it is closed."""
        if not self._viewer.is_running():
            self.controls.stopped.set()
            return
        if self.controls.reset:
            self.controls.reset = False
            self.session.reset()
        snapshot = self.session.snapshot
        with self._viewer.lock():
            self._place(self._data, snapshot.qpos)
            scene = self._viewer.user_scn
            scene.ngeom = 0
            tips = force_ends(snapshot.foot_pos, snapshot.foot_force, self.session.robot.weight)
            for start, end in zip(snapshot.foot_pos, tips, strict=True):
                self._add_arrow(scene, start, end)
            if self._show_ghost and snapshot.ghost is not None:
                self._add_ghost(scene, snapshot.ghost)
        vx, vy, yaw = self.session.command
        self._viewer.set_texts(
            (
                mujoco.mjtFontScale.mjFONTSCALE_100.value,
                mujoco.mjtGridPos.mjGRID_TOPLEFT.value,
                "command\nrobot\nspeed of time\nfalls",
                f"{vx:.2f} m/s, {vy:.2f} m/s, {yaw:.2f} rad/s\n{snapshot.forward_velocity:.2f} m/s"
                f"\n{'paused' if self.controls.paused else f'{self.controls.speed:g} x'}"
                f"\n{snapshot.falls}",
            )
        )
        self._viewer.sync()

    def close(self) -> None:
        """Close the window and free the environment."""
        self.controls.stopped.set()
        self._close()
        self.session.close()

    def on_key(self, code: int) -> None:
        """Obey a key. MuJoCo calls this in a thread of its own."""
        controls = self.controls
        if code in COMMAND_KEYS:
            axis, sign = COMMAND_KEYS[code]
            if axis in self.session.ranges:
                low, high = self.session.ranges[axis]
                number = AXES.index(axis)
                wanted = self.session.command[number] + sign * KEY_STEP * (high - low)
                self.session.command[number] = np.clip(wanted, low, high)
        elif code == ord(" "):
            controls.paused = not controls.paused
        elif code == ord("."):
            controls.step_once()
        elif code == _ENTER:
            controls.push = PUSH
        elif code == _BACKSPACE:
            controls.reset = True
        elif code in (ord("-"), ord("=")):
            place = SPEEDS.index(controls.speed) + (1 if code == ord("=") else -1)
            controls.speed = SPEEDS[min(max(place, 0), len(SPEEDS) - 1)]
        elif code == ord("G"):
            self._show_ghost = not self._show_ghost

    def _aim(self) -> None:
        camera = self._viewer.cam
        camera.type = mujoco.mjtCamera.mjCAMERA_TRACKING
        camera.trackbodyid = int(self._model.jnt_bodyid[0])
        camera.distance, camera.azimuth, camera.elevation = 1.8, 130.0, -15.0

    def _place(self, data: mujoco.MjData, qpos: np.ndarray) -> None:
        data.qpos[:] = qpos
        mujoco.mj_kinematics(self._model, data)
        mujoco.mj_comPos(self._model, data)
        mujoco.mj_camlight(self._model, data)

    def _add_arrow(self, scene: mujoco.MjvScene, start: np.ndarray, end: np.ndarray) -> None:
        if scene.ngeom >= scene.maxgeom or end[2] - start[2] < 1e-3:
            return
        geom = scene.geoms[scene.ngeom]
        color = np.array([*(c / 255 for c in FORCE_COLOR), 1.0], np.float32)
        kind = mujoco.mjtGeom.mjGEOM_ARROW
        mujoco.mjv_initGeom(geom, kind, np.zeros(3), np.zeros(3), np.zeros(9), color)
        mujoco.mjv_connector(geom, kind, FORCE_WIDTH, start.astype(float), end.astype(float))
        scene.ngeom += 1

    def _add_ghost(self, scene: mujoco.MjvScene, qpos: np.ndarray) -> None:
        self._place(self._ghost, qpos)
        first = scene.ngeom
        mujoco.mjv_addGeoms(
            self._model,
            self._ghost,
            mujoco.MjvOption(),
            mujoco.MjvPerturb(),
            mujoco.mjtCatBit.mjCAT_DYNAMIC.value,
            scene,
        )
        for geom in scene.geoms[first : scene.ngeom]:
            geom.rgba[:] = (*(c / 255 for c in GHOST_COLOR), GHOST_OPACITY)
