"""Pictures of one robot: offscreen or in a window."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import mujoco
import numpy as np

from wildrobot_gym.env.scene import Scene
from wildrobot_gym.errors import ConfigError, PhysicsError, unknown_name
from wildrobot_gym.robot import RobotModel

CLOSING_S = 5.0
NO_GL = (
    "Cannot render offscreen: {error}. On Debian or Ubuntu: apt install libegl1 libgl1-mesa-dri"
    " (then MUJOCO_GL=egl), or"
    " libosmesa6 and MUJOCO_GL=osmesa; `wildrobot doctor` shows what works."
)


NO_SCREEN = (
    "render_mode 'human' needs a screen, and neither DISPLAY nor WAYLAND_DISPLAY is set. Use"
    " render_mode='rgb_array',"
    " `wildrobot view POLICY --web` for a page in the browser, or `wildrobot record` for a video."
)
NO_MJPYTHON = (
    "On a Mac, MuJoCo's window needs mjpython, which is installed with MuJoCo. Type `mjpython -m"
    " wildrobot_gym.cli.main enjoy walk` for `wildrobot enjoy walk`, or `mjpython your_script.py`."
    " `wildrobot view POLICY --web` needs none: it is a page in the browser."
)


# Without a GPU, the size of the shadow map, reflections and four samples a pixel are three quarters
# of a picture's cost.
SHADOW_SIZE, SAMPLES = 1024, 0


def has_screen() -> bool:
    """Whether a window can be opened. MuJoCo's viewer ends the process where it cannot open one."""
    return sys.platform != "linux" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def open_window(
    model: mujoco.MjModel, data: mujoco.MjData, on_key: Callable[[int], None] | None = None
) -> tuple[Any, Callable[[], None]]:
    """Open MuJoCo's window on a model. Returns the window, and the function that closes it.

    Args:
        model: The model.
        data: What the window shows after each of its `sync`.
        on_key: Called with the GLFW code of each key.

    Raises:
        PhysicsError: there is no screen, or this is a Mac and the program runs without mjpython.
    """
    if not has_screen():
        raise PhysicsError(NO_SCREEN)
    import mujoco.viewer

    if sys.platform == "darwin" and mujoco.viewer._MJPYTHON is None:
        raise PhysicsError(NO_MJPYTHON)
    keys = {} if on_key is None else {"key_callback": on_key}
    before = threading.enumerate()
    viewer = mujoco.viewer.launch_passive(model, data, **keys)
    threads = [thread for thread in threading.enumerate() if thread not in before]

    def close() -> None:
        viewer.close()
        for thread in threads:  # a program that ends before its window does can crash
            thread.join(CLOSING_S)

    return viewer, close


def check_render_mode(mode: str | None, allowed: Sequence[str]) -> None:
    """Raise ConfigError for an unknown render mode, and PhysicsError for a window without a
    screen.
    """
    if mode is not None and mode not in allowed:
        raise ConfigError(unknown_name("render_mode", str(mode), allowed))
    if mode == "human" and not has_screen():
        raise PhysicsError(NO_SCREEN)


def available_render_modes() -> list[str]:
    """Render modes that work on this machine."""
    return ["rgb_array", "human"] if has_screen() else ["rgb_array"]


@contextlib.contextmanager
def offscreen_gl() -> Iterator[None]:
    """Let MuJoCo draw through EGL where there is no screen, unless `MUJOCO_GL` asks for something
    else.

    MuJoCo chooses its GL library when it is imported, and takes GLFW by default. GLFW needs a
    screen. The choice here holds for renderers made inside the block. It changes no environment
    variable that other code reads for MuJoCo.

    Raises:
        Exception: the EGL library is missing (the type is PyOpenGL's).
    """
    if has_screen() or os.environ.get("MUJOCO_GL"):
        yield
        return
    from mujoco.egl import GLContext
    from mujoco.rendering.classic import gl_context

    chosen = gl_context.GLContext
    gl_context.GLContext = GLContext
    try:
        yield
    finally:
        gl_context.GLContext = chosen


@contextlib.contextmanager
def _cheap_quality(model: mujoco.MjModel) -> Iterator[None]:
    """A model whose pictures cost little, for renderers made inside the block."""
    quality = model.vis.quality
    before = quality.shadowsize, quality.offsamples
    quality.shadowsize, quality.offsamples = min(before[0], SHADOW_SIZE), min(before[1], SAMPLES)
    try:
        yield
    finally:
        quality.shadowsize, quality.offsamples = before


class SceneRenderer:
    """Draws a robot in given poses. The first picture opens GL.

    Args:
        robot: The robot.
        width: Width of a picture, pixels.
        height: Height of a picture, pixels.
        camera: Name of a camera of the model.

    Raises:
        ConfigError: there is no such camera, or the picture does not fit the model's frame buffer.
    """

    def __init__(
        self, robot: RobotModel, width: int = 480, height: int = 360, camera: str = "track"
    ) -> None:
        cameras = [robot.model.camera(i).name for i in range(robot.model.ncam)]
        if camera not in cameras:
            raise ConfigError(unknown_name("camera", str(camera), cameras))
        largest = (robot.model.vis.global_.offwidth, robot.model.vis.global_.offheight)
        for got, most in zip((width, height), largest, strict=True):
            if not isinstance(got, int | np.integer) or not 0 < got <= most:
                raise ConfigError(
                    f"picture size is {width} x {height}; allowed: 1 x 1 to {largest[0]} x"
                    f" {largest[1]}."
                )
        self._scene = Scene(robot)
        self._width, self._height, self._camera = width, height, camera
        self._renderer: mujoco.Renderer | None = None
        self._viewer: Any = None
        self._close: Callable[[], None]
        self._due = 0.0  # when the window may show the next picture
        self._data = mujoco.MjData(self._scene.model)

    def frame(self, qpos: np.ndarray) -> np.ndarray:
        """A picture of the robot at `qpos`.

        Returns:
            (height, width, 3) uint8.

        Raises:
            PhysicsError: there is no OpenGL; the message says what to install.
        """
        if self._renderer is None:
            try:
                model = self._scene.model
                with offscreen_gl(), _cheap_quality(model):
                    self._renderer = mujoco.Renderer(model, self._height, self._width)
                self._renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
            except Exception as error:  # GL libraries raise errors of any type
                raise PhysicsError(NO_GL.format(error=error)) from error
        self._place(qpos)
        self._renderer.update_scene(self._data, camera=self._camera)
        picture: np.ndarray = self._renderer.render()
        return picture

    def show(self, qpos: np.ndarray, period: float = 0.0) -> None:
        """Show the robot at `qpos` in the window, which the first call opens.

        Args:
            qpos: (nq,) pose.
            period: s from this picture to the next at the earliest.

        Raises:
            PhysicsError: there is no screen; on a Mac, this is not mjpython.
        """
        if self._viewer is None:
            self._viewer, self._close = open_window(self._scene.model, self._data)
        self._place(qpos)
        time.sleep(max(0.0, self._due - time.monotonic()))
        self._due = max(self._due, time.monotonic()) + period
        self._viewer.sync()

    def close(self) -> None:
        """Close the renderer and the window."""
        if self._renderer is not None:
            self._renderer.close()
        if self._viewer is not None:
            self._close()
        self._renderer = self._viewer = None

    def _place(self, qpos: np.ndarray) -> None:
        self._data.qpos[:] = qpos
        self._scene.follow(self._data.qpos[:2])
        model = self._scene.model
        mujoco.mj_kinematics(model, self._data)
        mujoco.mj_comPos(model, self._data)
        mujoco.mj_camlight(model, self._data)
