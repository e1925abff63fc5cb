"""One run of a comparison: its benchmark, and what its run directory says about its training."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from amp_sbx import AMPConfig
from amp_sbx.common.errors import AMPError
from wildrobot_gym.errors import ConfigError, MotionError, RunError
from wildrobot_gym.evaluation.benchmark import WalkResult
from wildrobot_gym.evaluation.plots.gait import read_curves
from wildrobot_gym.evaluation.suites.results import SuiteResult
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.paths import motion_file
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import dotted
from wildrobot_gym.training.policy import LoadedPolicy
from wildrobot_gym.training.verdicts import verdict_fractions, verdicts_text


@dataclass(frozen=True, eq=False)
class ComparedRun:
    """One policy of a comparison.

    Attributes:
        name: Short name; no other run has it.
        policy: The policy.
        result: The benchmark's metrics and recording.
        results: The content of a results file.
        config: The run's settings by dotted key; empty without a readable config.yaml.
        curves: Learning curves (`plots.gait.read_curves`); empty without a readable progress.csv.
        verdicts: Verdicts on the discriminator and the last event; None if there are none.
        reference: Name of the reference motion; None without one that can be read.
        clips: The clips of that reference.
        missing: What could not be read and why, one sentence each.
        suites: What it did in each suite, by name.
    """

    name: str
    policy: LoadedPolicy
    result: WalkResult
    results: dict[str, Any]
    config: dict[str, Any]
    curves: dict[str, np.ndarray]
    verdicts: str | None
    reference: str | None
    clips: list[MotionClip]
    missing: tuple[str, ...]
    suites: Mapping[str, SuiteResult] = field(default_factory=dict)


def gather(
    name: str,
    policy: LoadedPolicy,
    result: WalkResult,
    results: dict[str, Any],
    suites: Mapping[str, SuiteResult] | None = None,
) -> ComparedRun:
    """Collect what a policy's run directory and its reference say.

    Args:
        name: Short name of the run.
        policy: The policy.
        result: The benchmark's metrics and recording.
        results: The content of a results file.
        suites: What it did in each suite, by name.

    Returns:
        The run. A part that is missing or damaged is left out, and `missing` says why.
    """
    missing: list[str] = []
    config, curves, verdicts = _training(policy, missing)
    clips = _reference_clips(policy, result, missing)
    return ComparedRun(
        name=name,
        policy=policy,
        result=result,
        results=results,
        config=config,
        curves=curves,
        verdicts=verdicts,
        reference=policy.reference if clips else None,
        clips=clips,
        missing=tuple(missing),
        suites=suites or {},
    )


def _training(
    policy: LoadedPolicy, missing: list[str]
) -> tuple[dict[str, Any], dict[str, np.ndarray], str | None]:
    """Settings, learning curves and verdicts of a policy's run; adds to `missing`."""
    config: dict[str, Any] = {}
    curves: dict[str, np.ndarray] = {}
    verdicts = None
    folder = policy.run_directory
    if folder is None:
        missing.append("no settings and no learning curves: the policy has no run directory")
        return config, curves, verdicts
    try:
        config = _settings(folder.read_config(), policy.model.amp)
    except (ConfigError, RunError) as error:
        missing.append(f"no settings: {error}")
    try:
        curves = read_curves(folder.progress)
        verdicts = verdicts_text(verdict_fractions(folder.progress)) or None
        if verdicts is not None and (events := folder.events()):
            verdicts += f"; last event at {events[-1].num_timesteps:,} steps: {events[-1].text}"
    except RunError as error:
        reason = error if folder.progress.exists() else "no progress.csv"
        missing.append(f"no learning curves: {reason}")
    return config, curves, verdicts


def _reference_clips(
    policy: LoadedPolicy, result: WalkResult, missing: list[str]
) -> list[MotionClip]:
    """The clips of the motion that a policy learned from; adds to `missing`."""
    reference = policy.reference
    if reference is None:
        missing.append("no reference motion")
        return []
    try:
        clips = load_clips(reference, result.robot)
    except MotionError as error:
        missing.append(f"no reference motion: {error}")
        return []
    if not policy.learned_from(motion_file(reference)):
        missing.append(f"the reference motion of the training: {reference} has changed since")
    return clips


def _settings(values: Mapping[str, Any], amp: AMPConfig | None) -> dict[str, Any]:
    """A run's settings by dotted key, with the defaults spelled out.

    Args:
        values: The content of config.yaml.
        amp: The AMP settings in the policy's file, whose defaults may differ from today's.
    """
    try:
        config = run_config.from_mapping(values).resolved()
    except (ConfigError, AMPError):  # of another version: as they are
        config = dotted(values)
    return config | ({} if amp is None else dotted({"amp": amp.to_dict()}))


def names_of(runs: Sequence[str]) -> list[str]:
    """A short name for each run: the last part of its path, or all of it if that is ambiguous.

    Raises:
        RunError: A run is named twice.
    """
    if twice := [run for run, count in Counter(runs).items() if count > 1]:
        raise RunError(f"{twice[0]} is named twice; name each run once.")
    paths = [Path(run).resolve() for run in runs]
    short = [
        f"{path.parent.name}/{path.stem}" if path.suffix == ".zip" else path.name for path in paths
    ]
    counts = Counter(short)
    names = [name if counts[name] == 1 else run for name, run in zip(short, runs, strict=True)]
    return names if len({*names}) == len(names) else list(runs)


def differences(configs: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Settings that are not the same in all configs.

    Args:
        configs: Settings by dotted key.

    Returns:
        Each config's value as JSON, by key; "-" where it has none. If a section is null in some
        configs and equal in the others, only that is listed: `amp` of a run without AMP.
    """
    keys = dict.fromkeys(key for config in configs for key in config)
    rows = {
        key: [_text(config[key]) if key in config else "-" for config in configs]
        for key in keys
        if not _is_of_a_null_section(key, configs)
    }
    return {key: values for key, values in rows.items() if len(set(values)) > 1}


def _is_of_a_null_section(key: str, configs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a section of `key` is null in the configs without it, and the others agree."""
    parts = key.split(".")
    sections = [".".join(parts[:i]) for i in range(1, len(parts))]
    without = [config for config in configs if key not in config]
    agreed = len({_text(config[key]) for config in configs if key in config}) == 1
    return (
        bool(without)
        and agreed
        and all(any(config.get(name, 0) is None for name in sections) for config in without)
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
