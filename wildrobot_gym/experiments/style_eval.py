"""The style part of an evaluation: which reference motion a policy is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amp_sbx.reference.held_out import held_out_motions
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import ConfigError, MotionError
from wildrobot_gym.evaluation import style
from wildrobot_gym.evaluation.style import StyleReference
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.paths import motion_file
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.training.config import find_motion
from wildrobot_gym.training.policy import LoadedPolicy

FRACTION = 0.1  # of the motions, where training held out none
HELD_OUT = {
    True: "held out from the discriminator",
    False: "which the policy learned from, too",
    None: "and whether the policy learned from them is not known",
}


@dataclass(frozen=True, eq=False)
class StyleTest:
    """Reference motion to compare a policy with.

    Attributes:
        name: The reference, as it was asked for.
        reference: The chosen clips.
        held_out: True if AMP learned from none of the motions; None if that is not known.
    """

    name: str
    reference: StyleReference
    held_out: bool | None


def prepare_style(
    policy: LoadedPolicy, reference: str | None = None, report: Reporter = SILENT
) -> StyleTest | None:
    """Choose the reference motion that a policy is compared with.

    Args:
        policy: The policy.
        reference: A file or a shipped name; the policy's own reference by default.
        report: Receives the reason where there is nothing to compare with.

    Returns:
        The motions. None if the policy's own reference is unknown, missing or does not fit.

    Raises:
        ConfigError: `reference` was given and does not exist.
        MotionError: `reference` was given and does not fit the robot.
    """
    name = reference or policy.reference
    if name is None:
        _report(policy, "No style metrics: it names no reference. Give one as reference.", report)
        return None
    try:
        return _choose(policy, name, report)
    except (ConfigError, MotionError) as error:
        if reference is not None:
            raise
        _report(policy, f"No style metrics: {error} Give another one as reference.", report)
        return None


def _choose(policy: LoadedPolicy, name: str, report: Reporter) -> StyleTest:
    path = find_motion(name)
    robot = RobotModel.load(policy.env_kwargs.get("robot", EnvConfig().robot))
    clips = load_clips(path, robot)
    amp, ids = policy.model.amp, {clip.motion_id for clip in clips}
    is_own = policy.learned_from(path)
    held_out_fraction = amp.held_out_fraction if amp is not None and is_own else 0.0
    chosen = {*map(str, held_out_motions(sorted(ids), held_out_fraction or FRACTION))} or ids
    learned = _learned_motions(policy, ids if is_own else None, robot)
    if learned is None:
        reason = "Its reference is not the one it was trained with"
        if not policy.knows_its_motion:
            reason = "It knows its reference by name alone"
        _report(policy, f"{reason}: which motions it learned from is not known.", report)
    return StyleTest(
        name,
        StyleReference.choose(clips, sorted(chosen)),
        None if learned is None else learned.isdisjoint(chosen),
    )


def _learned_motions(
    policy: LoadedPolicy, ids: set[str] | None, robot: RobotModel
) -> set[str] | None:
    """Motions that the policy's AMP learned from.

    Args:
        policy: The policy.
        ids: Motions of its reference, where that has been read already.
        robot: The robot whose motions they are.

    Returns:
        Motion names; None if its reference is not the one it was trained with.
    """
    amp, own = policy.model.amp, policy.reference
    if amp is None:
        return set()
    if own is None or not policy.knows_its_motion:
        return None
    if ids is None:
        file = motion_file(own)
        if not policy.learned_from(file):
            return None
        try:
            ids = {clip.motion_id for clip in load_clips(file, robot)}
        except MotionError:
            return None
    away = held_out_motions(sorted(ids), amp.held_out_fraction)
    # With fewer than two motions left, frames were held out and no motions.
    return ids.difference(map(str, away)) if len(ids) - len(away) >= 2 else ids


def evaluate_style(
    policy: LoadedPolicy,
    test: StyleTest,
    env: WildRobotVectorEnv,
    seed: int,
    report: Reporter = SILENT,
) -> dict[str, Any] | None:
    """Measure the style metrics.

    Args:
        policy: The policy.
        test: What to compare with, from `prepare_style`.
        env: An environment of `evaluation.style.style_env`.
        seed: Random seed of the episodes.
        report: Receives progress, and the reason where nothing can be measured.

    Returns:
        Metrics as JSON types; None if the clips have no data for the policy's AMP features.
    """
    learner = policy.model.learner
    rewards = None if learner is None else learner.rewards
    total = env.task.max_episode_steps * env.num_envs
    with report.progress("style", total) as advance:
        try:
            metrics = style.measure_style(
                policy, env, test.reference, rewards, seed, lambda step: advance(env.num_envs)
            )
        except MotionError as error:
            _report(policy, f"No style metrics: {error}", report)
            return None
    return {"reference": test.name, "held_out": test.held_out, **metrics}


def _report(policy: LoadedPolicy, text: str, report: Reporter) -> None:
    report.warning(f"{policy.path}: {text}")


def compared_with(metrics: Mapping[str, Any]) -> str:
    """The motions of a style result as text: `walk: walk_0.20_long (0.20 m/s), held out ...`."""
    motions = zip(metrics["motions"], metrics["speeds"], strict=True)
    speeds = ", ".join(f"{motion} ({speed:.2f} m/s)" for motion, speed in motions)
    return f"{metrics['reference']}: {speeds}, {HELD_OUT[metrics['held_out']]}"
