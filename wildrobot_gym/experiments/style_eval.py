"""The style part of ``wildrobot eval``: which reference a policy is held against, and its few lines of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from amp_sbx.reference.features import held_out_motions
from wildrobot_gym.config import EnvConfig
from wildrobot_gym.console.progress_bar import step_bar
from wildrobot_gym.console.tables import NAMES_WIDTH, number_table
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import ConfigError, MotionError
from wildrobot_gym.evaluation import style
from wildrobot_gym.evaluation.formatting import STYLE_ROWS, cell
from wildrobot_gym.evaluation.style import StyleReference
from wildrobot_gym.motion.reference import load_clips
from wildrobot_gym.paths import motion_file
from wildrobot_gym.robot import RobotModel
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
    """name: of the reference, as it was asked for. held_out: AMP learned from none of the motions; None: that is not known."""

    name: str
    reference: StyleReference
    held_out: bool | None


def prepare_style(
    policy: LoadedPolicy, reference: str | None, console: Console
) -> StyleTest | None:
    """Motions of ``reference`` (a file or a shipped name; None: the policy's own) to hold a policy against.

    None, with a line that says why, where the policy's own reference is not known, not there or does not fit.

    Raises:
        ConfigError, MotionError: the same of a reference that was asked for.
    """
    name = reference or policy.reference
    if name is None:
        _tell(
            policy,
            "no style figures: the policy names no reference; give one by --reference",
            console,
        )
        return None
    try:
        return _choose(policy, name, console)
    except (ConfigError, MotionError) as error:
        if reference is not None:
            raise
        _tell(
            policy,
            f"no style figures: {error} Another reference can be given by --reference.",
            console,
        )
        return None


def _choose(policy: LoadedPolicy, name: str, console: Console) -> StyleTest:
    path, robot = (
        find_motion(name),
        RobotModel.load(policy.env_kwargs.get("robot", EnvConfig().robot)),
    )
    clips = load_clips(path, robot)
    amp, ids = policy.model.amp, {clip.motion_id for clip in clips}
    is_own = policy.learned_from(path)
    held_out_fraction = amp.held_out_fraction if amp is not None and is_own else 0.0
    chosen = {*map(str, held_out_motions(sorted(ids), held_out_fraction or FRACTION))} or ids
    learned = _learned_motions(policy, ids if is_own else None, robot)
    if learned is None:
        gone = "its reference is not there as it was in training"
        why = gone if policy.knows_its_motion else "it knows its reference by name alone"
        _tell(policy, f"{why}: which motions it learned from is not known", console)
    return StyleTest(
        name,
        StyleReference.choose(clips, sorted(chosen)),
        None if learned is None else learned.isdisjoint(chosen),
    )


def _learned_motions(
    policy: LoadedPolicy, ids: set[str] | None, robot: RobotModel
) -> set[str] | None:
    """Motions that its AMP learned from; None where its reference is not there as it was.

    ``ids``: of that reference, where it has been read.
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
    return (
        ids.difference(map(str, away)) if len(ids) - len(away) >= 2 else ids
    )  # else rows were held out, not motions


def evaluate_style(
    policy: LoadedPolicy, test: StyleTest, env: WildRobotVectorEnv, seed: int, console: Console
) -> dict[str, Any] | None:
    """Style figures in ``env`` (of ``style.style_env``) as JSON types.

    None, with a line that says why, where the clips lack what the policy's features need.
    """
    learner = policy.model.learner
    with step_bar(console) as progress:
        task = progress.add_task("style", total=env.task.max_episode_steps * env.num_envs)
        try:
            figures = style.measure_style(
                policy,
                env,
                test.reference,
                None if learner is None else learner.rewards,
                seed,
                lambda _: progress.advance(task, env.num_envs),
            )
        except MotionError as error:
            _tell(policy, f"no style figures: {error}", console)
            return None
    return {"reference": test.name, "held_out": test.held_out, **figures}


def _tell(policy: LoadedPolicy, what: str, console: Console) -> None:
    console.print(f"{policy.path}: {what}", soft_wrap=True, highlight=False, markup=False)


def held_against(figures: dict[str, Any]) -> str:
    """What style was measured against: "walk: walk_0.20_long (0.20 m/s), ..., held out from the discriminator"."""
    speeds = ", ".join(
        f"{motion} ({speed:.2f} m/s)"
        for motion, speed in zip(figures["motions"], figures["speeds"], strict=True)
    )
    return f"{figures['reference']}: {speeds}, {HELD_OUT[figures['held_out']]}"


def style_table(figures: dict[str, Any]) -> Table:
    """Figures with half their intervals: the policy's, and those of the reference's other motions in its place."""
    title = escape(f"style against {figures['reference']}")
    others = "other motions: of the same reference at similar speed, in the policy's place"
    caption = escape(f"against {held_against(figures)}; {others}")
    table = number_table(title, "figure", ("policy", "other motions"), caption, NAMES_WIDTH)
    of_others = figures["other_motions"] or {}
    for name, heading in STYLE_ROWS:
        table.add_row(heading, cell(figures[name]), cell(of_others.get(name)))
    return table
