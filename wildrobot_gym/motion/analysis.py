"""Judging a dataset of reference motion: its metrics, and whether to train on it."""

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
from wildrobot_gym.task.features import MOVING_SPEED

# Seconds of segments that pass the gates: at least the one to train, fewer than the other to stop.
GO_S, STOP_S = 60.0, 30.0
MIN_CLIPS = 3  # source clips; with fewer the policy may memorize one motion.
SPEED_BINS = np.round(np.arange(-0.2, 1.5, 0.1), 1)  # m/s, edges

ADVICE = {
    "go": "Probe the dataset with `wildrobot motion probe`, then train on it.",
    "caution": "Train with caution: watch the discriminator. Track more or other clips meanwhile.",
    "stop": (
        "Do not train on it: too little of the motion passes the gates."
        " Start from plain PPO and its own gait with `wildrobot self-imitate`."
    ),
    "not performed": (
        "These clips were not performed in physics. Track them first with `wildrobot motion track`."
    ),
}


@dataclass(frozen=True)
class Analysis:
    """Metrics of a dataset.

    Attributes:
        verdict: `go`, `caution`, `stop` or `not performed`.
        seconds: Duration of all segments, in seconds.
        segments: Number of segments.
        seconds_of_motion: Duration of the segments of each motion, in seconds.
        metrics: The gates' metrics, averaged over segments with their length as weight. Empty if
            the clips were not performed.
        scores: Number of segments with each score.
        moving: Fraction of frames faster than `MOVING_SPEED`.
        speed_mean: Mean forward velocity in the heading frame, in m/s.
        speed_p5: Its 5th percentile.
        speed_p95: Its 95th percentile.
        speed_counts: Number of frames in each bin between `SPEED_BINS`, by forward velocity.
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

    @property
    def advice(self) -> str:
        """What to do with the dataset."""
        return ADVICE[self.verdict]

    def as_dict(self) -> dict[str, Any]:
        """Return the metrics as JSON types, with the bins and the advice."""
        return {**asdict(self), "speed_bins": SPEED_BINS.tolist(), "advice": self.advice}


def analyze(robot: RobotModel, clips: Sequence[MotionClip]) -> Analysis:
    """Compute the metrics of mined segments or any other clips.

    Args:
        robot: The robot that the clips are for.
        clips: One clip or more.

    Returns:
        The metrics and the verdict.

    Raises:
        MotionError: There is no clip, or one does not fit the robot.
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
    in_bins, _ = np.histogram(np.clip(speed, *SPEED_BINS[[0, -1]]), SPEED_BINS)
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
        speed_counts=tuple(int(n) for n in in_bins),
    )


def _verdict(seconds: float, motions: int) -> str:
    if seconds < STOP_S:
        return "stop"
    return "go" if seconds >= GO_S and motions >= MIN_CLIPS else "caution"


def _forward_speed(robot: RobotModel, clip: MotionClip) -> Float[np.ndarray, " time"]:
    states = clip_states(robot, clip)
    return np.asarray(states.base_lin_vel_h)[:, 0]
