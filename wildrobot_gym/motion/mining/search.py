"""Searching a controller for a clip: most windows should pass the gates at the clip's own
velocity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.mining.gates import Gates
from wildrobot_gym.motion.mining.window_metrics import read_signals, window_metrics
from wildrobot_gym.motion.tracking import Controller, TrackSettings, track
from wildrobot_gym.motion.tracking.settings import GAIN_COUNTS
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import base_in_heading, numpy_yaw

# Spread of the first generation's gains, in the order of Controller.
_SPREAD = Controller(
    feed_forward=(0.3, 0.5),
    ankle=(0.15, 0.03, 0.6, 0.15),
    hip_pitch=(0.2, 0.03),
    hip_roll=(0.2, 0.03, 0.45, 0.12),
    step_forward=(0.2, 0.4),
    step_sideways=(0.2, 0.4),
    clearance=(3.0,),
    stiffness=(0.1, 0.15),
)
_ELITE_FRACTION = 0.25  # of a generation, the best of which make the next one.
_KEEP = 0.4  # fraction of the old mean and spread that is kept
_TRIAL_S, _FINAL_S = 4.0, 8.0
_MIN_SPEED = 0.1  # m/s; the velocity error of a slower clip is relative to this


def search_controller(
    robot: RobotModel,
    clip: MotionClip,
    settings: TrackSettings,
    gates: Gates,
    generations: int = 8,
    population: int = 20,
    seed: int = 0,
) -> Controller:
    """Search gains for a clip by the cross-entropy method (Rubinstein 1999).

    Strategies that are off stay off. A candidate performs the clip's loops from two places for four
    seconds. The best and the mean of each generation meet in a longer final.

    Args:
        robot: The robot.
        clip: The clip.
        settings: Variants and harness; its first controller is the start of the search.
        gates: Bounds on what is kept.
        generations: Number of generations.
        population: Candidates in each generation.
        seed: Random seed.

    Returns:
        The best controller.
    """
    rng, first = np.random.default_rng(seed), settings.controllers[0]
    warp = sorted(settings.warps)[len(settings.warps) // 2]
    start_interval_s = max(clip.duration_s / warp / 2, 0.5)
    trial = replace(
        settings,
        duration_s=_TRIAL_S,
        warps=(warp,),
        turns=(0.0,),
        mirror=False,
        start_interval_s=start_interval_s,
    )
    mean, spread = _vector(first, first), _vector(_SPREAD, first)
    finalists = [first]
    for _ in range(generations):
        candidates = np.stack(
            [mean, *(mean + spread * rng.standard_normal((population - 1, len(mean))))]
        )
        controllers = [_controller(gains, first) for gains in candidates]
        order = np.argsort(_worths(robot, clip, trial, controllers, gates))[::-1]
        elite = candidates[order[: max(2, round(_ELITE_FRACTION * population))]]
        mean = _KEEP * mean + (1 - _KEEP) * elite.mean(axis=0)
        spread = _KEEP * spread + (1 - _KEEP) * elite.std(axis=0)
        finalists += [controllers[order[0]], _controller(mean, first)]
    worths = _worths(robot, clip, replace(trial, duration_s=_FINAL_S), finalists, gates)
    return finalists[int(np.argmax(worths))]


def _worths(
    robot: RobotModel,
    clip: MotionClip,
    settings: TrackSettings,
    controllers: Sequence[Controller],
    gates: Gates,
) -> Float[np.ndarray, " controller"]:
    """Return each controller's mean worth over its windows.

    A window is worth its closeness to the gates. If it passes, closeness to the clip's velocity
    adds to that. What a fall takes away counts as windows of no worth.
    """
    worth: dict[Controller | None, float] = dict.fromkeys(controllers, 0.0)
    frames: dict[Controller | None, int] = dict.fromkeys(controllers, 1)
    wanted = _mean_velocity(clip) * settings.warps[0]
    for performance in track(
        robot, [clip], replace(settings, controllers=tuple(dict.fromkeys(controllers)))
    ):
        controller = performance.variant.controller
        frames[controller] += performance.num_frames
        starts, length = gates.windows(performance.num_frames)
        if not len(starts):
            continue
        metrics = window_metrics(read_signals(robot, performance), starts, length)
        velocity = base_in_heading(performance.qpos, performance.qvel).velocity[:, :2]
        velocity = velocity[starts[:, None] + np.arange(length)].mean(axis=1)
        miss = np.linalg.norm(velocity - wanted, axis=-1) / max(
            float(np.linalg.norm(wanted)), _MIN_SPEED
        )
        worth[controller] += float(
            np.sum(gates.closeness(metrics) + gates.passed(metrics) * np.maximum(1.0 - miss, 0.0))
        )
    return np.array([worth[c] * gates.stride / frames[c] for c in controllers])


def _mean_velocity(clip: MotionClip) -> Float[np.ndarray, " 2"]:
    """Return the mean velocity of a clip, forward and to the left, in m/s."""
    yaw = numpy_yaw(clip.root_quat[:-1])
    dx, dy = np.diff(clip.root_pos[:, :2], axis=0).T * clip.fps
    return np.array(
        [np.mean(np.cos(yaw) * dx + np.sin(yaw) * dy), np.mean(np.cos(yaw) * dy - np.sin(yaw) * dx)]
    )


def _gains_on(controller: Controller) -> list[str]:
    return [name for name in GAIN_COUNTS if getattr(controller, name) is not None]


def _vector(controller: Controller, like: Controller) -> Float[np.ndarray, " gain"]:
    """Return the gains of `controller` that are on in `like`, one after the other."""
    return np.array([gain for name in _gains_on(like) for gain in getattr(controller, name)])


def _controller(vector: Float[np.ndarray, " gain"], like: Controller) -> Controller:
    """Return `like` with the gains of `vector`, rounded, since every segment stores them."""
    names = _gains_on(like)
    parts = np.split(vector.round(4), np.cumsum([GAIN_COUNTS[name] for name in names])[:-1])
    gains: Any = {name: tuple(map(float, p)) for name, p in zip(names, parts, strict=True)}
    return replace(like, **gains)
