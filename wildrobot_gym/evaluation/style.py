"""Style against a reference: the walk benchmark's two_sample_auc, dtw, frechet and amp_reward, from one more batch of episodes.

Each episode's command is the speed of one of the reference's clips, so that policy and reference have the same mix of speeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from wildrobot_gym.config import FeatureConfig
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import MotionError
from wildrobot_gym.evaluation.benchmark import SEED, make_env
from wildrobot_gym.evaluation.cycles import clip_cycles, recorded_cycles
from wildrobot_gym.evaluation.distances import nearest_distances
from wildrobot_gym.evaluation.intervals import mean_interval
from wildrobot_gym.evaluation.metrics import measured_steps
from wildrobot_gym.evaluation.recording import Policy, record
from wildrobot_gym.evaluation.two_sample import Lot, time_halves, two_sample_auc
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.features import MOVING_SPEED

EPISODES = 64
SIMILAR_SPEED = 0.05  # m/s; motions that differ by less are compared with each other
METRICS = ("two_sample_auc", "dtw", "frechet")

Rewards = Callable[[Float[np.ndarray, "sample window"]], Float[np.ndarray, " sample"]]
"""Style rewards of AMP windows under a policy's own discriminator."""


@dataclass(frozen=True, eq=False)
class StyleReference:
    """What a policy's style is held against.

    Attributes:
        clips: walks of the motions to compare with. others: walks of the reference's other motions of similar speed; put in
            the policy's place they give the figures of one that performs the reference perfectly, but not these very motions.
    """

    clips: list[MotionClip]
    others: list[MotionClip]

    @classmethod
    def choose(cls, clips: Sequence[MotionClip], motions: Sequence[str]) -> StyleReference:
        """The walks of ``clips`` parted by whether their ``motion_id`` is one of ``motions``; who stands has no gait to compare.

        Raises:
            MotionError: none of ``motions`` walks.
        """
        walks = [clip for clip in clips if clip.command[0] >= MOVING_SPEED]
        chosen = [clip for clip in walks if clip.motion_id in motions]
        if not chosen:
            raise MotionError(
                f"No clip of {', '.join(motions) or 'no motion'} walks at {MOVING_SPEED} m/s or faster; style has nothing to"
                " compare with."
            )
        speeds = np.array([clip.command[0] for clip in chosen])
        near = [
            c
            for c in walks
            if c.motion_id not in motions and np.abs(speeds - c.command[0]).min() < SIMILAR_SPEED
        ]
        return cls(chosen, near)

    def description(self) -> dict[str, Any]:
        """Motions and their mean speeds in m/s, for a results file."""
        motions = sorted({clip.motion_id for clip in self.clips})
        speeds = [
            _mean_speed([c for c in self.clips if c.motion_id == motion]) for motion in motions
        ]
        return {"motions": motions, "speeds": speeds}


def style_env(env_kwargs: Mapping[str, Any], backend: str = "native") -> WildRobotVectorEnv:
    """The environment that style is measured in; policies of the same settings can share it."""
    return make_env(env_kwargs, EPISODES, backend)


def measure_style(
    policy: Policy,
    env: WildRobotVectorEnv,
    reference: StyleReference,
    rewards: Rewards | None = None,
    seed: int = SEED,
    on_step: Callable[[int], Any] | None = None,
) -> dict[str, Any]:
    """Style figures as JSON types, each with its 95 % bootstrap interval over episodes; ``other_motions`` has those of the
    reference's other motions in the policy's place (over motions), None where there are none.

    ``env``: of :func:`style_env`. Only what follows the walk benchmark's first step and precedes a fall counts. A figure
    without data has the mean None.

    Raises:
        MotionError: the features need pad forces and a clip has none, or a clip is shorter than a window.
    """
    robot, features, control_dt = env.robot, env.config.features, env.config.control_dt
    lot, motions = _reference_lot(robot, features, reference.clips, control_dt)
    cycles = [cycle for of_motion in _cycles(robot, motions, control_dt) for cycle in of_motion]
    fake, of_episode = _episodes(
        env, policy, spread_speeds(reference.clips, env.num_envs), seed, on_step
    )
    figures = _compare(fake, of_episode, lot, cycles)
    figures["amp_reward"] = None
    if rewards is not None:
        values = rewards(fake.samples) if len(fake.samples) else np.empty(0)
        figures["amp_reward"] = mean_interval(_group_means(values, fake.groups))
    others = None
    if reference.others:
        other_lot, other_motions = _reference_lot(robot, features, reference.others, control_dt)
        others = _compare(other_lot, _cycles(robot, other_motions, control_dt), lot, cycles)
        others["motions"] = list(other_motions)
    return {
        **reference.description(),
        "episodes": env.num_envs,
        "seed": seed,
        **figures,
        "other_motions": others,
    }


def spread_speeds(clips: Sequence[MotionClip], count: int) -> Float[np.ndarray, " count"]:
    """``count`` of the clips' own speeds (m/s), ascending, each by its share of the time, whatever the clip's frame rate."""
    speeds = np.repeat(
        [clip.command[0] for clip in clips], [round(clip.seconds / CONTROL_DT) for clip in clips]
    )
    return np.quantile(speeds, (np.arange(count) + 0.5) / count, method="inverted_cdf")


def _episodes(
    env: WildRobotVectorEnv,
    policy: Policy,
    speeds: Float[np.ndarray, " env"],
    seed: int,
    on_step: Callable[[int], Any] | None,
) -> tuple[Lot, list[list[np.ndarray]]]:
    """Windows and cycles of one episode at each speed; neighbours in speed are of different halves."""
    windows = []

    def keep(step: int, _: Any) -> None:
        windows.append(env.amp_obs)
        if on_step is not None:
            on_step(step)

    commands = np.zeros((len(speeds), 3), np.float32)
    commands[:, 0] = speeds
    recording = record(env, policy, commands, env.task.max_episode_steps, seed, keep)
    measured = measured_steps(recording, env.config.control_dt)
    measured[: env.config.features.history.num_past] = (
        False  # a long window still holds what filled it at the reset
    )
    groups = np.nonzero(measured)[1]
    cycles = recorded_cycles(recording, env.robot, env.config.control_dt)
    return Lot(np.stack(windows)[measured], groups % 2, groups), cycles


def _reference_lot(
    robot: RobotModel, features: FeatureConfig, clips: Sequence[MotionClip], control_dt: float
) -> tuple[Lot, dict[str, list[MotionClip]]]:
    """Windows of ``clips`` as a lot whose groups are motions, and the clips of each motion.

    Each motion's own time is halved, with a window's length left out between: were whole motions put into halves, the few of
    a small share would have other speeds and styles in one half than in the other, and what is learned on one would mislead.
    """
    motions: dict[str, list[MotionClip]] = {}
    for clip in clips:
        motions.setdefault(clip.motion_id, []).append(clip)
    windows = [
        ReferenceDataset.from_clips(robot, features, part, control_dt).windows
        for part in motions.values()
    ]
    groups = np.repeat(np.arange(len(windows)), [len(part) for part in windows])
    return Lot(
        np.concatenate(windows), time_halves(groups, features.history.num_past), groups
    ), motions


def _cycles(
    robot: RobotModel, motions: Mapping[str, Sequence[MotionClip]], control_dt: float
) -> list[list[np.ndarray]]:
    return [
        [cycle for clip in clips for cycle in clip_cycles(robot, clip, control_dt)]
        for clips in motions.values()
    ]


def _compare(
    fake: Lot, of_group: Sequence[Sequence[np.ndarray]], real: Lot, cycles: Sequence[np.ndarray]
) -> dict[str, Any]:
    """The three figures; the two distances are means over each group's cycles, then over groups."""
    everything = [cycle for group in of_group for cycle in group]
    owner = np.repeat(np.arange(len(of_group)), [len(group) for group in of_group])
    distances = [
        mean_interval(_group_means(values, owner))
        for values in nearest_distances(everything, cycles)
    ]
    return dict(zip(METRICS, (two_sample_auc(fake, real), *distances), strict=True))


def _group_means(
    values: Float[np.ndarray, " n"], groups: np.ndarray
) -> Float[np.ndarray, " group"]:
    return np.array([values[groups == group].mean() for group in np.unique(groups)])


def _mean_speed(clips: Sequence[MotionClip]) -> float:
    return float(
        np.average([clip.command[0] for clip in clips], weights=[clip.seconds for clip in clips])
    )
