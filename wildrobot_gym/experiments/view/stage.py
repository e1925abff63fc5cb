"""The scene of a browser page: a floor, robots and people on it, and a camera that follows."""

from __future__ import annotations

import re
import socket
from typing import Any

import numpy as np

from wildrobot_gym.errors import RunError
from wildrobot_gym.experiments.view.shapes import Poser, shapes_of
from wildrobot_gym.extras import require
from wildrobot_gym.robot import RobotModel

WORLD = "/world"
CELL, FLOOR = 0.25, 24.0  # m
SECTION = 1.0  # m: the floor looks the same after that way
CAMERA, TARGET = (0.75, -1.0, 0.6), (0.05, 0.1, 0.28)  # m
GHOST_COLOR, GHOST_OPACITY = (60, 130, 220), 0.35
FORCE_LENGTH = 0.3  # m for the robot's weight
FORCE_COLOR = (220, 30, 60)
BAR, SAME = 0.005, 1e-3  # m: half of a bar's width; lengths that look the same


class Stage:
    """A web server with a scene. Several browsers may look at it.

    Args:
        host: Address to listen on. 127.0.0.1 is seen from this machine alone.
        port: Port; the next free one where it is taken.

    Attributes:
        server: viser's server.

    Raises:
        MissingPackageError: The extra `viz` is not installed.
        RunError: The address does not belong to this machine.
    """

    def __init__(self, host: str, port: int) -> None:
        viser = require("viser", "viz")
        try:
            with socket.socket() as probe:
                probe.bind((host, 0))
        except OSError as error:
            raise RunError(
                f"Cannot listen on host {host!r}: {error}. Allowed: 127.0.0.1 for this machine"
                " alone, 0.0.0.0 for its network."
            ) from error
        self.server: Any = viser.ViserServer(host=host, port=port, label="WildRobot", verbose=False)
        self.host = host
        if hasattr(self.server.gui, "add_command"):  # the page of viser 0.2 breaks on it
            self.server.gui.configure_theme(show_logo=False, show_share_button=False)
        self.server.scene.set_up_direction("+z")
        self._world = self.server.scene.add_frame(WORLD, show_axes=False)
        self._grid = self.server.scene.add_grid(
            "/floor", FLOOR, FLOOR, plane="xy", cell_size=CELL, section_size=SECTION
        )
        self.server.on_client_connect(_aim)

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{self.host}:{self.server.get_port()}"

    @property
    def watched(self) -> bool:
        """Whether any browser looks at it."""
        return bool(self.server.get_clients())

    def follow(self, x: float, y: float) -> None:
        """Keep a place on the floor in the middle. The world moves, so all cameras stay free.

        Args:
            x: Place in the world, m.
            y: Place in the world, m.
        """
        x, y = float(x), float(y)  # viser sends Python's numbers alone
        self._world.position = (-x, -y, 0.0)
        self._grid.position = (-(x % SECTION), -(y % SECTION), 0.0)

    def close(self) -> None:
        """End the server."""
        self.server.stop()


def as_markdown(text: str) -> str:
    """A text that viser's Markdown shows as it is; it would run what stands in braces."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def _aim(client: Any) -> None:
    client.camera.position = CAMERA
    client.camera.look_at = TARGET


class RobotFigure:
    """A robot in the scene.

    Args:
        stage: The scene.
        name: Its name in the scene.
        robot: The robot.
        ghost: Draw it in one color that lets light through.
    """

    def __init__(self, stage: Stage, name: str, robot: RobotModel, ghost: bool = False) -> None:
        self._poser = Poser(robot)
        scene = stage.server.scene
        path = f"{WORLD}/{name}"
        self._root = scene.add_frame(path, show_axes=False)
        self._frames: dict[int, Any] = {}
        for number, shape in enumerate(shapes_of(robot.model)):
            body = f"{path}/body{shape.body}"
            if shape.body not in self._frames:
                self._frames[shape.body] = scene.add_frame(body, show_axes=False)
            color = tuple(round(255 * c) for c in shape.color[:3])
            opacity = shape.color[3] if shape.color[3] < 1 else None
            scene.add_mesh_simple(
                f"{body}/shape{number}",
                shape.vertices,
                shape.faces,
                color=GHOST_COLOR if ghost else color,
                opacity=GHOST_OPACITY if ghost else opacity,
                flat_shading=True,
            )

    def place(self, qpos: np.ndarray) -> None:
        """Show the robot in a pose (nq,)."""
        positions, orientations = self._poser.bodies(qpos)
        for body, frame in self._frames.items():
            frame.position, frame.wxyz = positions[body], orientations[body]

    def show(self, visible: bool) -> None:
        """Show or hide it."""
        self._root.visible = visible


class Segments:
    """Thin bars in the scene, such as forces or a human's bones.

    Args:
        stage: The scene.
        name: Their name in the scene.
        color: Red, green and blue, 0 to 255.
    """

    def __init__(self, stage: Stage, name: str, color: tuple[int, int, int] = FORCE_COLOR) -> None:
        self._scene, self._name, self._color = stage.server.scene, f"{WORLD}/{name}", color
        self._bars: list[Any] = []
        self._lengths = np.zeros(0)

    def place(self, starts: np.ndarray, ends: np.ndarray) -> None:
        """Draw from starts (segment, 3) to ends (segment, 3), m."""
        along = ends - starts
        lengths = np.linalg.norm(along, axis=1)
        if not self._bars:
            self._lengths = np.full(len(starts), -1.0)
            for number in range(len(starts)):
                vertices, faces = bar(BAR)
                path = f"{self._name}/{number}"
                self._bars.append(
                    self._scene.add_mesh_simple(path, vertices, faces, color=self._color)
                )
        for number, one in enumerate(self._bars):
            if abs(lengths[number] - self._lengths[number]) > SAME:
                self._lengths[number] = lengths[number]
                one.vertices = bar(lengths[number])[0]
            one.position, one.wxyz = starts[number].astype(float), turned_from_z(along[number])

    def show(self, visible: bool) -> None:
        """Show or hide them; nothing is there before the first `place`."""
        for one in self._bars:
            one.visible = visible


def bar(length: float) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and faces of a square prism from the origin along z."""
    ring = BAR * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    vertices = np.array([[*corner, z] for z in (0.0, length) for corner in ring], np.float32)
    sides = [(k, (k + 1) % 4, (k + 1) % 4 + 4, k + 4) for k in range(4)]
    quads = [*sides, (3, 2, 1, 0), (4, 5, 6, 7)]
    faces = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    return vertices, np.array(faces, np.int32)


def turned_from_z(direction: np.ndarray) -> np.ndarray:
    """The shortest turn, wxyz, that brings the z axis into a direction; none for no direction."""
    x, y, z = direction / max(float(np.linalg.norm(direction)), 1e-9)
    turn = np.array([1.0 + z, -y, x, 0.0])
    length = float(np.linalg.norm(turn))
    return turn / length if length > 1e-6 else np.array([0.0, 1.0, 0.0, 0.0])


def force_ends(foot_pos: np.ndarray, foot_force: np.ndarray, weight: float) -> np.ndarray:
    """Tips of arrows that stand on the feet, as long as the feet's loads, (foot, 3)."""
    ends = foot_pos.copy()
    ends[:, 2] += FORCE_LENGTH * foot_force / weight
    return ends
