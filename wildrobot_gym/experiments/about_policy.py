"""What is said about a policy that leaves this machine: its evaluation and its license."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wildrobot_gym import json_io
from wildrobot_gym.errors import RunError
from wildrobot_gym.evaluation.protocol import FLAT
from wildrobot_gym.paths import POLICIES

PROJECT_LICENSE = "MIT"


def is_shipped(policy: Path) -> bool:
    """Whether a policy's file is one of this package's."""
    return POLICIES in policy.parents


def license_of(policy: Path, asked: str | None) -> str | None:
    """A policy's license: the one asked for, or the project's for a shipped policy."""
    return asked or (PROJECT_LICENSE if is_shipped(policy) else None)


def read_results(path: Path, policy: Path, num_timesteps: int) -> dict[str, Any]:
    """The JSON file that `wildrobot eval` wrote of a policy.

    Args:
        path: The JSON file.
        policy: The policy's file.
        num_timesteps: How many steps the policy was trained for.

    Raises:
        RunError: There is no such file, it holds no evaluation, or is of another policy.
    """
    make = f"Make them by `wildrobot eval {policy} --json {path}`."
    try:
        results: dict[str, Any] = json_io.read(path)
        summarize(results)
        steps = int(results["policy"]["num_timesteps"])
    except FileNotFoundError:
        raise RunError(f"There are no results {path}. {make}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path} holds no results: {error!r}. {make}") from error
    if steps != num_timesteps:
        raise RunError(
            f"{path} is of a policy trained for {steps:,} steps; {policy} was trained for"
            f" {num_timesteps:,}. {make}"
        )
    return results


def summarize(results: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The means of an evaluation by speed in m/s and metric, and of each suite by row and metric.

    The suite `flat` is what stands by speed. Without it, suites stand alone.
    """
    if results is None:
        return None
    found: dict[str, Any] = {"protocol": results["protocol"]}
    suites = {name: suite for name, suite in results.get("suites", {}).items() if name != FLAT}
    if "commands" in results or not suites:
        found["episodes_per_command"] = results["episodes_per_command"]
        found["commands"] = {
            command: _means(metrics) for command, metrics in results["commands"].items()
        }
    if suites:
        found["suites"] = {
            name: {
                "passed": suite["passed"],
                "episodes_per_row": suite["episodes_per_row"],
                "rows": {row: _means(of["metrics"]) for row, of in suite["rows"].items()},
            }
            for name, suite in suites.items()
        }
    return found


def _means(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {name: metric["mean"] for name, metric in metrics.items()}
