"""How close a gait is to reference motion: two_sample_auc, dtw, frechet and amp_reward.

The metrics come from one more batch of episodes. Each is commanded the speed of one of the
reference's clips, so that policy and reference have the same mix of speeds. Straight walks make the
metrics. Other kinds of the reference's motion, such as turns, have a batch and metrics of their
own, so a turning policy is held against reference that turns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import MotionError
from wildrobot_gym.evaluation.benchmark import make_env
from wildrobot_gym.evaluation.cycles import clip_cycles, recorded_cycles
from wildrobot_gym.evaluation.distances import nearest_distances
from wildrobot_gym.evaluation.intervals import mean_interval
from wildrobot_gym.evaluation.metrics import measured_steps
from wildrobot_gym.evaluation.protocol import SEED
from wildrobot_gym.evaluation.recording import Policy, record
from wildrobot_gym.evaluation.two_sample import SampleSet, time_halves, two_sample_auc
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.command_kinds import KINDS, STAND, VARIED, WALK, kind_of_clip
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import FeatureConfig
from wildrobot_gym.task.features import MOVING_SPEED

EPISODES = 64
SIMILAR_SPEED = 0.05  # m/s; motions that differ by less are compared with each other
METRICS = ("two_sample_auc", "dtw", "frechet")

Rewards = Callable[[Float[np.ndarray, "sample window"]], Float[np.ndarray, " sample"]]
"""Style rewards that a policy's own discriminator gives AMP observations."""


@dataclass(frozen=True, eq=False)
class StyleReference:
    """The motion that a policy's style is compared with.

    Attributes:
        clips: Walks of the motions to compare with.
        others: Walks of the reference's other motions of similar speed. In the policy's place they
            show what a policy would reach that performs the reference perfectly.
        kinds: Clips of the other kinds of steady motion (see `command_kinds`): of the motions to
            compare with, or of all where those have none.
    """

    clips: list[MotionClip]
    others: list[MotionClip]
    kinds: dict[str, list[MotionClip]] = field(default_factory=dict)

    @classmethod
    def choose(cls, clips: Sequence[MotionClip], motions: Sequence[str]) -> StyleReference:
        """Split the walks of a reference. Clips that stand have no gait to compare.

        Args:
            clips: All clips of the reference.
            motions: The motions to compare with.

        Raises:
            MotionError: None of these motions walks.
        """
        of_kind: dict[str, list[MotionClip]] = {}
        for clip in clips:
            of_kind.setdefault(kind_of_clip(clip), []).append(clip)
        walks = [clip for clip in of_kind.pop(WALK, []) if clip.command[0] >= MOVING_SPEED]
        chosen = [clip for clip in walks if clip.motion_id in motions]
        if not chosen:
            raise MotionError(
                f"No clip of {', '.join(motions) or 'no motion'} walks at {MOVING_SPEED} m/s or"
                " faster; style has nothing to compare with."
            )
        speeds = np.array([clip.command[0] for clip in chosen])
        near = [
            c
            for c in walks
            if c.motion_id not in motions and np.abs(speeds - c.command[0]).min() < SIMILAR_SPEED
        ]
        kinds = {
            kind: [c for c in of_kind[kind] if c.motion_id in motions] or of_kind[kind]
            for kind in KINDS
            if kind in of_kind and kind not in (STAND, VARIED)
        }
        return cls(chosen, near, kinds)

    def description(self) -> dict[str, Any]:
        """Motions and their mean speeds in m/s, for a results file."""
        motions = sorted({clip.motion_id for clip in self.clips})
        speeds = [
            _mean_speed([c for c in self.clips if c.motion_id == motion]) for motion in motions
        ]
        return {"motions": motions, "speeds": speeds}


def style_env(env_kwargs: Mapping[str, Any], backend: str = "native") -> WildRobotVectorEnv:
    """The environment that style is measured in. Policies of equal settings can use one."""
    return make_env(env_kwargs, EPISODES, backend)


def measure_style(
    policy: Policy,
    env: WildRobotVectorEnv,
    reference: StyleReference,
    rewards: Rewards | None = None,
    seed: int = SEED,
    on_step: Callable[[int], Any] | None = None,
) -> dict[str, Any]:
    """Measure the style metrics.

    Only steps count that are measured in the walk benchmark: after the settling time, up to a fall.

    Args:
        policy: Maps observations to actions.
        env: An environment of `style_env`.
        reference: The motion to compare with.
        rewards: The policy's own style reward, if it has one.
        seed: Random seed of the initial states.
        on_step: Called with the number of each control step.

    Returns:
        JSON types: each metric with its 95 % bootstrap interval over episodes, or with the mean
        None. `other_motions` has the metrics of the reference's other motions in the policy's
        place, over motions; None if there are none. `kinds` has the three metrics and the motions
        of each other kind; it is missing if there is none.

    Raises:
        MotionError: A clip has no pad forces, which the AMP features need, or it is too short.
    """
    robot, features, control_dt = env.robot, env.config.features, env.config.control_dt
    real, motions = _reference_samples(robot, features, reference.clips, control_dt)
    cycles = [cycle for of_motion in _cycles(robot, motions, control_dt) for cycle in of_motion]
    commands = np.zeros((env.num_envs, 3), np.float32)
    commands[:, 0] = spread_speeds(reference.clips, env.num_envs)
    ours, of_episode = _episodes(env, policy, commands, seed, on_step)
    metrics = _compare(ours, of_episode, real, cycles)
    metrics["amp_reward"] = None
    if rewards is not None:
        values = rewards(ours.samples) if len(ours.samples) else np.empty(0)
        metrics["amp_reward"] = mean_interval(_group_means(values, ours.groups))
    others = None
    if reference.others:
        other, other_motions = _reference_samples(robot, features, reference.others, control_dt)
        others = _compare(other, _cycles(robot, other_motions, control_dt), real, cycles)
        others["motions"] = list(other_motions)
    return {
        **reference.description(),
        "episodes": env.num_envs,
        "seed": seed,
        **metrics,
        "other_motions": others,
        **_other_kinds(policy, env, reference, seed),
    }


def _other_kinds(
    policy: Policy, env: WildRobotVectorEnv, reference: StyleReference, seed: int
) -> dict[str, Any]:
    """The metrics of each other kind of motion, under `kinds`; empty if there is none."""
    robot, features, control_dt = env.robot, env.config.features, env.config.control_dt
    found = {}
    for kind, clips in reference.kinds.items():
        real, motions = _reference_samples(robot, features, clips, control_dt)
        cycles = [cycle for of_motion in _cycles(robot, motions, control_dt) for cycle in of_motion]
        commands = spread_commands(clips, env.num_envs)
        ours, of_episode = _episodes(env, policy, commands, seed, None)
        found[kind] = {"motions": sorted(motions), **_compare(ours, of_episode, real, cycles)}
    return {"kinds": found} if found else {}


def spread_commands(clips: Sequence[MotionClip], count: int) -> Float[np.ndarray, "count 3"]:
    """Commands (vx m/s, vy m/s, yaw rate rad/s) with the same mix as the clips, each as often as
    its fraction of the time. A straight walk counts by its speed alone.
    """
    frames = [round(clip.seconds / CONTROL_DT) for clip in clips]
    parts = [np.array([1.0, kind_of_clip(c) != WALK, kind_of_clip(c) != WALK]) for c in clips]
    asked = [part * clip.command for part, clip in zip(parts, clips, strict=True)]
    commands = np.repeat(asked, frames, axis=0)
    commands = commands[np.lexsort(commands.T[::-1])]
    place = np.ceil((np.arange(count) + 0.5) / count * len(commands)).astype(int) - 1
    return commands[place].astype(np.float32)


def spread_speeds(clips: Sequence[MotionClip], count: int) -> Float[np.ndarray, " count"]:
    """Commands with the same mix of speeds as the clips.

    Args:
        clips: The clips.
        count: Number of commands.

    Returns:
        The clips' own speeds in m/s, ascending, each as often as its fraction of the time.
    """
    speeds = np.repeat(
        [clip.command[0] for clip in clips], [round(clip.seconds / CONTROL_DT) for clip in clips]
    )
    return np.quantile(speeds, (np.arange(count) + 0.5) / count, method="inverted_cdf")


def _episodes(
    env: WildRobotVectorEnv,
    policy: Policy,
    commands: Float[np.ndarray, "env 3"],
    seed: int,
    on_step: Callable[[int], Any] | None,
) -> tuple[SampleSet, list[list[np.ndarray]]]:
    """AMP observations and gait cycles of one episode with each command; the halves alternate."""
    windows = []

    def keep(step: int, _: Any) -> None:
        windows.append(env.amp_obs)
        if on_step is not None:
            on_step(step)

    recording = record(env, policy, commands, env.task.max_episode_steps, seed, keep)
    measured = measured_steps(recording, env.config.control_dt)
    # A long window still holds frames from before the reset.
    measured[: env.config.features.history.num_past] = False
    groups = np.nonzero(measured)[1]
    cycles = recorded_cycles(recording, env.robot, env.config.control_dt)
    return SampleSet(np.stack(windows)[measured], groups % 2, groups), cycles


def _reference_samples(
    robot: RobotModel, features: FeatureConfig, clips: Sequence[MotionClip], control_dt: float
) -> tuple[SampleSet, dict[str, list[MotionClip]]]:
    """AMP observations of clips with motions as their groups, and the clips of each motion.

    The time of each motion is halved, with the length of a window left out between. With whole
    motions in each half, the halves would differ in speed and style.
    """
    motions: dict[str, list[MotionClip]] = {}
    for clip in clips:
        motions.setdefault(clip.motion_id, []).append(clip)
    windows = [
        ReferenceDataset.from_clips(robot, features, part, control_dt).windows
        for part in motions.values()
    ]
    groups = np.repeat(np.arange(len(windows)), [len(part) for part in windows])
    return SampleSet(
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
    ours: SampleSet,
    of_group: Sequence[Sequence[np.ndarray]],
    real: SampleSet,
    cycles: Sequence[np.ndarray],
) -> dict[str, Any]:
    """The three metrics. A distance is the mean over each group's cycles, then over groups."""
    everything = [cycle for group in of_group for cycle in group]
    owner = np.repeat(np.arange(len(of_group)), [len(group) for group in of_group])
    distances = [
        mean_interval(_group_means(values, owner))
        for values in nearest_distances(everything, cycles)
    ]
    return dict(zip(METRICS, (two_sample_auc(ours, real), *distances), strict=True))


def _group_means(
    values: Float[np.ndarray, " n"], groups: np.ndarray
) -> Float[np.ndarray, " group"]:
    return np.array([values[groups == group].mean() for group in np.unique(groups)])


def _mean_speed(clips: Sequence[MotionClip]) -> float:
    return float(
        np.average([clip.command[0] for clip in clips], weights=[clip.seconds for clip in clips])
    )
