"""Judging a dataset of reference motion by the data-first plan: its dashboard, and whether to go on with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.states import clip_states
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import to_heading

GO_S, STOP_S = 60.0, 30.0  # Tier 0+ seconds: from the one go on, under the other stop
MIN_CLIPS = 3  # source clips; fewer invite learning one motion by heart
MOVING_SPEED = 0.05  # m/s
SPEED_BINS = np.round(np.arange(-0.2, 1.5, 0.1), 1)  # m/s, edges

ADVICE = {
    "go": "Go on: a short AMP run first (the plan's phase 2), then training.",
    "caution": "Try with caution: watch the discriminator, and track more or other clips meanwhile.",
    "stop": "Stop: too little of it is physics. Begin with plain PPO and mine its walk (`wildrobot bootstrap`).",
    "not performed": "These clips were made, not performed: track them first (`wildrobot motion track`).",
}


@dataclass(frozen=True)
class Analysis:
    """Figures of a dataset. Shares are of frames.

    metrics: the gates' numbers, means over segments weighted by their length; empty where the clips were not performed.
    speed_counts: frames in each bin between :data:`SPEED_BINS`, by heading-frame forward velocity.
    """

    verdict: str
    seconds: float
    segments: int
    seconds_of_motion: dict[str, float]
    metrics: dict[str, float]
    scores: dict[str, int]
    moving: float
    speed_mean: float
    speed_p5: float
    speed_p95: float
    speed_counts: tuple[int, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON types, with the advice that goes with the verdict."""
        return {**asdict(self), "speed_bins": SPEED_BINS.tolist(), "advice": ADVICE[self.verdict]}


def analyze(robot: RobotModel, clips: Sequence[MotionClip]) -> Analysis:
    """The plan's figures of ``clips``, mined segments or any reference.

    Raises:
        MotionError: no clip, or one that does not fit the robot.
    """
    if not clips:
        raise MotionError("There is no clip to analyze.")
    frames = np.array([clip.num_frames for clip in clips])
    seconds = frames / np.array([clip.fps for clip in clips])
    speed = np.concatenate([_forward_speed(robot, clip) for clip in clips])
    performed = all("metrics" in clip.metadata for clip in clips)
    of_motion: dict[str, float] = {}
    for clip, duration in zip(clips, seconds, strict=True):
        of_motion[clip.motion_id] = of_motion.get(clip.motion_id, 0.0) + float(duration)
    names = list(clips[0].metadata["metrics"]) if performed else []
    scores = [str(clip.metadata["score"]) for clip in clips if "score" in clip.metadata]
    return Analysis(
        verdict=_verdict(float(seconds.sum()), len(of_motion)) if performed else "not performed",
        seconds=float(seconds.sum()),
        segments=len(clips),
        seconds_of_motion=of_motion,
        metrics={
            n: float(np.average([clip.metadata["metrics"][n] for clip in clips], weights=frames))
            for n in names
        },
        scores={score: scores.count(score) for score in sorted(set(scores), key=float)},
        moving=float(np.mean(np.abs(speed) > MOVING_SPEED)),
        speed_mean=float(speed.mean()),
        speed_p5=float(np.percentile(speed, 5)),
        speed_p95=float(np.percentile(speed, 95)),
        speed_counts=tuple(
            int(n) for n in np.histogram(np.clip(speed, *SPEED_BINS[[0, -1]]), SPEED_BINS)[0]
        ),
    )


def _verdict(seconds: float, motions: int) -> str:
    if seconds < STOP_S:
        return "stop"
    return "go" if seconds >= GO_S and motions >= MIN_CLIPS else "caution"


def _forward_speed(robot: RobotModel, clip: MotionClip) -> Float[np.ndarray, " time"]:
    states = clip_states(robot, clip)
    return np.asarray(to_heading(states.base_quat_w, states.qvel[:, :3]))[:, 0]
