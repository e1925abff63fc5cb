"""Compare policies: each through the same walk benchmark, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from wildrobot_gym.errors import RunError
from wildrobot_gym.evaluation.protocol import MAX_COMPARED, check_protocol
from wildrobot_gym.evaluation.suites.catalog import with_flat
from wildrobot_gym.experiments.compare.page import page
from wildrobot_gym.experiments.compare.run import ComparedRun, gather, names_of
from wildrobot_gym.experiments.evaluate import Evaluator
from wildrobot_gym.experiments.settings import CompareSettings, EvaluateSettings
from wildrobot_gym.experiments.style_eval import StyleTest, prepare_style
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.training.policy import load_policy


@dataclass(frozen=True, eq=False)
class Comparison:
    """Policies that ran through the same episodes."""

    runs: tuple[ComparedRun, ...]

    def to_json(self) -> dict[str, Any]:
        """The results of each policy, by its short name; the form of a results file."""
        return {run.name: run.results for run in self.runs}

    def page(self) -> str:
        """One HTML file with tables and plots."""
        return page(self.runs)


def compare(
    policies: Sequence[str],
    settings: CompareSettings | None = None,
    *,
    report: Reporter = SILENT,
) -> Comparison:
    """Run policies through the walk benchmark and collect what their run directories say.

    Args:
        policies: One to eight .zip files, run directories, or names of shipped policies.
        settings: What to measure.
        report: Receives messages and progress.

    Returns:
        The results of each policy. What is missing in a run directory is reported and left out.

    Raises:
        ConfigError: A setting is wrong, or `reference` does not exist.
        MotionError: `reference` does not fit a robot.
        RunError: There is no such policy, one is named twice, or there are too many.
    """
    s = settings or CompareSettings()
    if not 1 <= len(policies) <= MAX_COMPARED:
        raise RunError(
            f"{len(policies)} runs are named; allowed: 1 to {MAX_COMPARED} run directories,"
            " .zip files or shipped policies."
        )
    names = names_of(policies)
    check_protocol(s.commands, s.episodes, seed=s.seed)
    # All policies are loaded before the first is run: what cannot work is found at once.
    loaded = [load_policy(policy) for policy in policies]
    tests = [prepare_style(one, s.reference, report) if s.style else None for one in loaded]
    chosen = EvaluateSettings(
        commands=s.commands, episodes=s.episodes, backend=s.backend, seed=s.seed
    )
    suites = with_flat(s.suite)
    compared: list[ComparedRun] = []
    with Evaluator(chosen, report, suites) as evaluator:
        for name, policy, test in zip(names, loaded, tests, strict=True):
            report.info(
                f"run {len(compared) + 1}: {name}, {policy.path},"
                f" trained for {policy.model.num_timesteps:,} steps"
            )
            result = evaluator.evaluate(policy, _alone(test))
            walk, results = result.flat, result.to_json()
            compared.append(gather(name, policy, walk, results, result.suites))
            for text in compared[-1].missing:
                report.warning(f"  {text}")
    return Comparison(tuple(compared))


def _alone(test: StyleTest | None) -> StyleTest | None:
    """The test without the reference's other motions, which a comparison does not show."""
    if test is None:
        return None
    return replace(test, reference=replace(test.reference, others=[]))
