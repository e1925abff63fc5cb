"""Recorded walks of a policy as one HTML file that plays in any browser.

The file has the robot's shapes, the recorded motion and a small WebGL player. It loads nothing,
runs without Python, and simulates nothing: the walks are those that were recorded.
"""

from __future__ import annotations

import base64
import json
import re
from contextlib import closing
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from wildrobot_gym.evaluation.benchmark import make_env
from wildrobot_gym.evaluation.recording import record
from wildrobot_gym.experiments.settings import ViewSettings
from wildrobot_gym.experiments.view.shapes import Poser, shapes_of
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import CommandConfig, EnvConfig
from wildrobot_gym.training.policy import LoadedPolicy

TEMPLATE = Path(__file__).with_name("player.html")
SPEEDS = 5  # recorded forward walks, evenly from the policy's lowest speed to its highest
SECONDS = 8.0  # of each walk
FPS = 25.0  # the player blends between frames


def page_of(policy: LoadedPolicy, settings: ViewSettings, report: Reporter = SILENT) -> str:
    """Record walks of a policy and write them as an HTML page.

    Args:
        policy: The policy.
        settings: The seed, and the length of each walk.
        report: Receives progress.

    Raises:
        MissingPackageError: The extra `viz` is not installed.
    """
    labels, commands = recorded_commands(policy.command)
    dt = control_dt_of(policy)
    num_steps = max(1, round((settings.seconds or SECONDS) / dt))
    poses: list[np.ndarray] = []
    with closing(make_env(policy.env_kwargs, len(commands), num_steps=num_steps)) as env:
        with report.progress("recording", num_steps) as advance:

            def on_step(step: int, state: PhysicsState) -> None:
                poses.append(np.array(state.qpos))
                advance(1)

            recording = record(env, policy, commands, num_steps, settings.seed, on_step)
        robot = env.robot
    every = max(1, round(1 / (FPS * dt)))
    walks = [
        walk(
            label,
            robot,
            np.array(poses)[::every, i],
            np.asarray(recording.foot_force)[::every, i],
            np.asarray(recording.foot_pos_w)[::every, i],
        )
        for i, label in enumerate(labels)
    ]
    return player_page(f"WildRobot: {policy.path.parent.name}", robot, walks, 1 / (every * dt))


def recorded_commands(trained: CommandConfig) -> tuple[list[str], Float[np.ndarray, "walk 3"]]:
    """The recorded walks: forward speeds, and what the policy was trained for besides.

    Args:
        trained: The ranges of its commands.

    Returns:
        A label of each walk, and its command: vx m/s, vy m/s, yaw rate rad/s.
    """
    low, high = map(float, trained.vx)
    speeds = np.round(np.linspace(low, high, SPEEDS if low < high else 1), 3)
    walks = [(f"{speed:g} m/s", (speed, 0.0, 0.0)) for speed in speeds]
    for vy in trained.vy:
        if vy != 0.0:
            side = "left" if vy > 0 else "right"
            walks.append((f"{abs(vy):g} m/s to the {side}", (0.0, vy, 0.0)))
    for rate in trained.yaw_rate:
        if rate != 0.0:
            side = "left" if rate > 0 else "right"
            walks.append((f"{abs(rate):g} rad/s to the {side}", (0.0, 0.0, rate)))
    labels, commands = zip(*walks, strict=True)
    return list(labels), np.array(commands, np.float32)


def control_dt_of(policy: LoadedPolicy) -> float:
    """Seconds between control steps of a policy."""
    return float(policy.env_kwargs.get("control_dt", EnvConfig.control_dt))


def walk(
    label: str, robot: RobotModel, qpos: np.ndarray, force: np.ndarray, foot: np.ndarray
) -> dict[str, Any]:
    """One recorded motion as the player reads it.

    Args:
        label: Its name in the list.
        robot: The robot.
        qpos: (time, nq) poses.
        force: (time, foot) loads, N.
        foot: (time, foot, 3) places of the feet, m.
    """
    poser = Poser(robot)
    bodies = [np.concatenate(poser.bodies(pose), axis=1) for pose in qpos.astype(float)]
    return {
        "label": label,
        "frames": len(qpos),
        "bodies": _packed(np.array(bodies)),
        "root": _packed(qpos[:, :3]),
        "force": _packed(force / robot.weight),
        "foot": _packed(foot),
    }


def player_page(title: str, robot: RobotModel, walks: list[dict[str, Any]], fps: float) -> str:
    """The player with motions in it.

    Args:
        title: Title of the page, as plain text.
        robot: The robot.
        walks: What `walk` gave, one or more.
        fps: Frames per second of the walks.
    """
    shapes = [
        {
            "body": shape.body,
            "color": [round(c, 3) for c in shape.color],
            "triangles": _packed(shape.vertices[shape.faces]),
        }
        for shape in shapes_of(robot.model)
    ]
    data = {
        "bodies": robot.model.nbody,
        "feet": len(robot.foot_names),
        "fps": fps,
        "shapes": shapes,
        "walks": walks,
    }
    # Nothing in the text can end the element that holds it.
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    texts = {"{{title}}": escape(title), "{{data}}": text}
    page = TEMPLATE.read_text(encoding="utf-8")
    return re.sub("|".join(map(re.escape, texts)), lambda found: texts[found[0]], page)


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()
