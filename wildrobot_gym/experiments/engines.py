"""The benchmark's row `engines`: one policy on two physics engines, through the same episodes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.evaluation.benchmark import WalkBenchmark
from wildrobot_gym.evaluation.protocol import COMMANDS, EPISODES, SEED, check_protocol
from wildrobot_gym.evaluation.suites.results import RowResult, SuiteResult, flat_result
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.training.policy import load_policy

# What is compared: what a success is made of, and the success.
COMPARED = ("survived", "success", "velocity_error", "cadence", "clearance", "slip")


@dataclass(frozen=True)
class Difference:
    """A metric of one row on two engines.

    Attributes:
        row: The row.
        metric: The metric.
        first: Its mean on the first engine; None where no episode could be measured.
        second: Its mean on the second engine.
        allowed: How far apart chance alone brings them in 95 % of the cases.
        agrees: Whether they are no farther apart, or whether both have no value.
    """

    row: str
    metric: str
    first: float | None
    second: float | None
    allowed: float
    agrees: bool


def compare_engines(
    policy: str | Path,
    engines: Sequence[str] = ("native", "mjx"),
    commands: Sequence[float] = COMMANDS,
    episodes: int = EPISODES,
    seed: int = SEED,
    report: Reporter = SILENT,
) -> list[Difference]:
    """Run the suite `flat` on two engines.

    Args:
        policy: A .zip file, a run directory, or the name of a shipped policy.
        engines: Names of two physics engines.
        commands: Forward speeds, in m/s.
        episodes: Episodes for each command.
        seed: Random seed of the episodes.
        report: Receives progress.

    Raises:
        ConfigError: A setting is wrong.
        RunError: There is no such policy.
    """
    if len(engines) != 2:
        raise ConfigError(f"engines are {list(engines)}; allowed: two names, as native mjx.")
    check_protocol(commands, episodes, seed=seed)
    loaded = load_policy(policy)
    results = []
    for engine in engines:
        benchmark = WalkBenchmark(loaded.env_kwargs, commands, episodes, seed=seed, backend=engine)
        with closing(benchmark), report.progress(engine, benchmark.num_steps) as advance:
            results.append(flat_result(benchmark.run(loaded, lambda _: advance(1))))
    return differences(*results)


def differences(first: SuiteResult, second: SuiteResult) -> list[Difference]:
    """Differences of all compared metrics, row by row, of two results with the same rows."""
    return [
        _difference(a, b, metric)
        for a, b in zip(first.rows, second.rows, strict=True)
        for metric in COMPARED
    ]


def _difference(first: RowResult, second: RowResult, metric: str) -> Difference:
    """The interval of a difference is that of Zou and Donner (2008), from the two intervals."""
    a, b = first.summary[metric], second.summary[metric]
    name = first.row.name
    if a["mean"] is None or b["mean"] is None:
        return Difference(name, metric, a["mean"], b["mean"], 0.0, a["mean"] == b["mean"])
    upper, lower = (a, b) if a["mean"] >= b["mean"] else (b, a)
    allowed = math.hypot(_half(upper, "low"), _half(lower, "high"))
    apart = upper["mean"] - lower["mean"]
    return Difference(name, metric, a["mean"], b["mean"], allowed, apart <= allowed)


def _half(interval: Mapping[str, Any], end: str) -> float:
    return abs(float(interval["mean"] - interval[end]))
