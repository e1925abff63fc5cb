"""Clips as the tracking task follows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.dynamics import pad_loads, servo_targets
from wildrobot_gym.motion.states import clip_states
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.clip_frames import ClipFrames, feet_in_heading
from wildrobot_gym.task.contact import foot_forces


def clip_frames(robot: RobotModel, clips: Iterable[MotionClip], control_dt: float) -> ClipFrames:
    """The frames of all clips at the control rate, with the servo targets that lead from one to the
    next.

    Args:
        robot: The robot that follows them.
        clips: Its clips.
        control_dt: s.

    Raises:
        MotionError: there is no clip, or one belongs to another robot.
    """
    parts: list[dict[str, np.ndarray]] = []
    first = 0
    for clip in clips:
        part = _frames_of(robot, clip, control_dt)
        frames = len(part["qpos"])
        parts.append({**part, "last": np.full(frames, first + frames - 1, np.int32)})
        first += frames
    if not parts:
        raise MotionError("There is no clip to follow.")
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return ClipFrames(**{name: jnp.asarray(array) for name, array in joined.items()})


def _frames_of(robot: RobotModel, clip: MotionClip, control_dt: float) -> dict[str, np.ndarray]:
    states = clip_states(robot, clip, control_dt)
    if np.isnan(np.asarray(states.pad_forces)).any():
        loads: Any = pad_loads(robot, states, control_dt).astype(np.float32)
        states = replace(states, pad_forces=loads)
    target = servo_targets(robot, states, control_dt)
    feet = feet_in_heading(states.base_quat_w, states.base_pos_w, states.foot_pos_w)
    forces = foot_forces(np.asarray(states.pad_forces), robot.pad_ids_of_foot)
    return {
        "qpos": np.asarray(states.qpos),
        "qvel": np.asarray(states.qvel),
        "feet": np.asarray(feet),
        "load": forces / robot.weight,
        "target": np.concatenate([target, target[-1:]]).astype(np.float32),
        "command": clip.commands_at(1.0 / control_dt),
    }
