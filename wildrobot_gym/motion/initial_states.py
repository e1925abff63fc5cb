"""States of reference motion in which an episode may start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class InitialStates:
    """States in which an episode may start, and the features of the steps before them.

    Attributes:
        qpos: (n, nq) poses, with base x and y at zero.
        qvel: (n, nv) velocities.
        commands: (n, 3) commands that the motion follows: vx and vy in m/s, yaw rate in rad/s.
        features: (n, feature) features of the state itself.
        history: (n, past, feature) features of the control steps before it, newest last.
        clip_ids: (n,) index of the clip that each state is from.
        phases: (n,) where in its stride the gait is, in cycles (`gait_phase`).
    """

    qpos: Float[np.ndarray, "n nq"]
    qvel: Float[np.ndarray, "n nv"]
    commands: Float[np.ndarray, "n 3"]
    features: Float[np.ndarray, "n feature"]
    history: Float[np.ndarray, "n past feature"]
    clip_ids: Int[np.ndarray, " n"]
    phases: Float[np.ndarray, " n"]


def stack_states(
    features: Sequence[Float[np.ndarray, "_ feature"]],
    qpos: Sequence[Float[np.ndarray, "_ nq"]],
    qvel: Sequence[Float[np.ndarray, "_ nv"]],
    commands: Sequence[Float[np.ndarray, "_ 3"]],
    phases: Sequence[Float[np.ndarray, " _"]],
    *,
    past: int,
) -> InitialStates:
    """Stack the frames of several clips that have a full past.

    Args:
        features: (time, feature) AMP features of each clip.
        qpos: (time, nq) poses of each clip.
        qvel: (time, nv) velocities of each clip.
        commands: (time, 3) commands of each clip.
        phases: (time,) phases of each clip, in cycles.
        past: Number of frames before the state that its history needs.

    Returns:
        The states of all clips.
    """
    counts = [len(frames) - past for frames in features]
    histories = [
        frames[np.arange(count)[:, None] + np.arange(past)].reshape(count, past, frames.shape[1])
        for frames, count in zip(features, counts, strict=True)
    ]
    poses = np.concatenate([frames[past:] for frames in qpos])
    poses[:, :2] = 0.0
    return InitialStates(
        qpos=poses,
        qvel=np.concatenate([frames[past:] for frames in qvel]),
        commands=np.concatenate([frames[past:] for frames in commands], dtype=np.float32),
        features=np.concatenate([frames[past:] for frames in features]),
        history=np.concatenate(histories),
        clip_ids=np.repeat(np.arange(len(counts)), counts),
        phases=np.concatenate([frames[past:] for frames in phases], dtype=np.float32),
    )
