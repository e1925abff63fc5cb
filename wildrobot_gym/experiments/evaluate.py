"""Evaluate a policy: the walk benchmark with its suites, and how close its gait is to reference
motion.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import ConfigError, RunError, unknown_name
from wildrobot_gym.evaluation.benchmark import WalkBenchmark, WalkResult, evaluation_settings
from wildrobot_gym.evaluation.protocol import SUITES_PROTOCOL, check_protocol
from wildrobot_gym.evaluation.style import style_env
from wildrobot_gym.evaluation.suites.benchmark import SuiteBenchmark
from wildrobot_gym.evaluation.suites.catalog import FLAT, chosen_suites
from wildrobot_gym.evaluation.suites.definition import Suite
from wildrobot_gym.evaluation.suites.results import SuiteResult, flat_result
from wildrobot_gym.experiments.settings import EvaluateSettings
from wildrobot_gym.experiments.style_eval import StyleTest, evaluate_style, prepare_style
from wildrobot_gym.physics.backends import resolve_backend
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.training.policy import LoadedPolicy, load_policy
from wildrobot_gym.training.versions import versions


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """What an evaluation measured.

    A metric is a dictionary with `mean`, `low`, `high` (its 95 % bootstrap interval) and `n`. The
    first three are None where no episode could be measured.

    Attributes:
        policy: The policy that was evaluated.
        walk: The recorded episodes of the suite `flat` and the metrics of each; None without it.
        suites: Rows and verdicts of each suite that was run, by its name.
        style: Style metrics; None if they were not asked for or could not be measured.
        backend: The physics engine; "auto" is resolved.
    """

    policy: LoadedPolicy
    walk: WalkResult | None
    suites: Mapping[str, SuiteResult]
    style: Mapping[str, Any] | None
    backend: str

    @property
    def flat(self) -> WalkResult:
        """The recorded episodes of the suite `flat`.

        Raises:
            RunError: That suite was not run.
        """
        if self.walk is None:
            raise RunError("The suite flat was not run. Evaluate with suite='flat' or 'all'.")
        return self.walk

    @property
    def commands(self) -> Mapping[float, Mapping[str, Any]]:
        """Metrics by name, for each commanded speed of the suite `flat` in m/s."""
        return {} if self.walk is None else self.walk.by_command

    @property
    def overall(self) -> Mapping[str, Any]:
        """Metrics by name, over all commands of the suite `flat`."""
        return {} if self.walk is None else self.walk.overall

    def to_json(self) -> dict[str, Any]:
        """The content of a results file. Without the suite `flat` it has suites alone."""
        walk = {"protocol": SUITES_PROTOCOL} if self.walk is None else self.walk.to_json()
        return {
            **walk,
            "suites": {name: result.to_json() for name, result in self.suites.items()},
            "backend": self.backend,
            "policy": self.policy.description(),
            "versions": versions(),
            "style": self.style,
        }


def evaluate(
    policy: str | Path | LoadedPolicy,
    settings: EvaluateSettings | None = None,
    *,
    report: Reporter = SILENT,
    **changes: Any,
) -> EvaluationResult:
    """Run a policy through the walk benchmark and compare its gait with reference motion.

    Args:
        policy: A loaded policy, a .zip file, a run directory, or the name of a shipped policy.
        settings: What to measure; the full benchmark by default.
        report: Receives messages and progress.
        **changes: Fields of `EvaluateSettings` to change, e.g. `suite="stand"` or
            `commands=[0.2, 0.6]`.

    Returns:
        The metrics and the recorded episodes.

    Raises:
        ConfigError: A setting is wrong, or `reference` does not exist.
        MotionError: `reference` does not fit the robot.
        RunError: There is no such policy.

    Example:
        ```python
        results = evaluate("walk", commands=[0.2, 0.6], episodes=8)
        results.overall["success"]["mean"]
        ```
    """
    chosen = change_settings(settings or EvaluateSettings(), changes)
    check_protocol(chosen.commands, chosen.episodes, seed=chosen.seed)
    suites = chosen_suites(chosen.suite)
    loaded = load(policy, chosen.robot)
    report.info(f"{loaded.path}, trained for {loaded.model.num_timesteps:,} steps")
    # A wrong reference stops the evaluation now, and not after minutes of benchmark.
    with_style = chosen.style and FLAT in suites
    test = prepare_style(loaded, chosen.reference, report) if with_style else None
    with Evaluator(chosen, report) as evaluator:
        return evaluator.evaluate(loaded, test)


def change_settings(settings: EvaluateSettings, changes: Mapping[str, Any]) -> EvaluateSettings:
    """Settings with some fields changed.

    Args:
        settings: The settings.
        changes: New values by field; `commands` may be any sequence of numbers.

    Raises:
        ConfigError: There is no such field; the message says which there are.
    """
    known = [field.name for field in fields(settings)]
    for name in changes:
        if name not in known:
            raise ConfigError(unknown_name("evaluation setting", name, known))
    values = dict(changes)
    if "commands" in values:
        values["commands"] = tuple(float(speed) for speed in values["commands"])
    return replace(settings, **values)


def load(policy: str | Path | LoadedPolicy, robot: str | None = None) -> LoadedPolicy:
    """The policy as it is, or loaded by its name or path; `robot` replaces its robot."""
    if isinstance(policy, LoadedPolicy):
        return policy if robot is None else load_policy(str(policy.path), robot)
    return load_policy(str(policy), robot)


class Evaluator:
    """Evaluates policies one after the other. Policies of equal settings share environments.

    Building and compiling an environment takes about half of an evaluation's time.

    Args:
        settings: What to measure.
        report: Receives messages and progress.
        suites: Suites to run; by default those that the settings name.
    """

    def __init__(
        self,
        settings: EvaluateSettings,
        report: Reporter = SILENT,
        suites: Sequence[Suite] | None = None,
    ) -> None:
        self._settings, self._report = settings, report
        self._backend = resolve_backend(settings.backend)
        self._suites = tuple(suites or chosen_suites(settings.suite))
        self._benchmarks: dict[str, WalkBenchmark] = {}
        self._suite_benchmarks: dict[str, SuiteBenchmark] = {}
        self._style_envs: dict[str, WildRobotVectorEnv] = {}
        self._open = ExitStack()

    def evaluate(self, policy: LoadedPolicy, test: StyleTest | None = None) -> EvaluationResult:
        """Evaluate one policy.

        Args:
            policy: The policy.
            test: The reference motion to compare with, from `prepare_style`; None for no style.

        Returns:
            The metrics and the recorded episodes.
        """
        walk, style = None, None
        suites: dict[str, SuiteResult] = {}
        for suite in self._suites:
            if suite is FLAT:
                walk = self._run(self._benchmark(policy), policy)
                suites[suite.name] = flat_result(walk)
            else:
                suites[suite.name] = self._run_suite(suite, policy)
        if test is not None:
            env = self._style_env(policy)
            style = evaluate_style(policy, test, env, self._settings.seed, self._report)
        return EvaluationResult(policy, walk, suites, style, self._backend)

    def _run(self, benchmark: WalkBenchmark, policy: LoadedPolicy) -> WalkResult:
        num_envs = benchmark.env.num_envs
        label = f"{len(benchmark.commands)} x {benchmark.episodes} episodes"
        with self._report.progress(label, benchmark.num_steps * num_envs) as advance:
            return benchmark.run(policy, lambda step: advance(num_envs))

    def _run_suite(self, suite: Suite, policy: LoadedPolicy) -> SuiteResult:
        key, s = _key(policy), self._settings
        if key not in self._suite_benchmarks:
            benchmark = SuiteBenchmark(policy.env_kwargs, s.episodes, s.seed, self._backend)
            self._suite_benchmarks[key] = self._open.enter_context(closing(benchmark))
        benchmark = self._suite_benchmarks[key]
        with self._report.progress(f"suite {suite.name}", benchmark.work(suite)) as advance:
            return benchmark.run(suite, policy, advance)

    def _benchmark(self, policy: LoadedPolicy) -> WalkBenchmark:
        key, s = _key(policy), self._settings
        if key not in self._benchmarks:
            benchmark = WalkBenchmark(
                policy.env_kwargs, s.commands, s.episodes, seed=s.seed, backend=self._backend
            )
            self._benchmarks[key] = self._open.enter_context(closing(benchmark))
        return self._benchmarks[key]

    def _style_env(self, policy: LoadedPolicy) -> WildRobotVectorEnv:
        key = _key(policy)
        if key not in self._style_envs:
            env = style_env(policy.env_kwargs, self._backend)
            self._style_envs[key] = self._open.enter_context(closing(env))
        return self._style_envs[key]

    def __enter__(self) -> Evaluator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()


def _key(policy: LoadedPolicy) -> str:
    """Equal for policies whose benchmark environments are equal."""
    return json.dumps(evaluation_settings(policy.env_kwargs), sort_keys=True)
