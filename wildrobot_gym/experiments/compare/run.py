"""A run that is compared: its benchmark, and what its folder knows of how it came about."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from amp_sbx import AMPConfig
from amp_sbx.common.errors import AMPError
from wildrobot_gym.errors import ConfigError, MotionError, RunError
from wildrobot_gym.evaluation.benchmark import WalkResult
from wildrobot_gym.evaluation.plots.gait import read_curves
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.reference import load_clips
from wildrobot_gym.paths import motion_file
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import dotted
from wildrobot_gym.training.logger import last_told, verdicts_text
from wildrobot_gym.training.policy import LoadedPolicy


@dataclass(frozen=True, eq=False)
class ComparedRun:
    """One policy of a comparison.

    Attributes:
        name: unlike the other runs'. figures: the structure of a results file.
        config: the run's settings by dotted key; empty where there is no config.yaml that can be read.
        curves: of its progress.csv (``plots.read_curves``); empty likewise.
        verdicts: on its discriminator, with their shares of the iterations, and what was told of it last; None where none was
            judged.
        reference: name of the motion it learned from, with its clips; none where it had none or it cannot be read.
        lacks: what could not be had and why, for people to read.
    """

    name: str
    policy: LoadedPolicy
    result: WalkResult
    figures: dict[str, Any]
    config: dict[str, Any]
    curves: dict[str, np.ndarray]
    verdicts: str | None
    reference: str | None
    clips: list[MotionClip]
    lacks: tuple[str, ...]


def gather(
    name: str, policy: LoadedPolicy, result: WalkResult, figures: dict[str, Any]
) -> ComparedRun:
    """A policy's benchmark with what its run folder says. A part that is missing or damaged is left out and told of."""
    lacks = []
    config: dict[str, Any] = {}
    curves: dict[str, np.ndarray] = {}
    verdicts = None
    folder = policy.run_directory
    if folder is None:
        lacks.append("a policy without its run folder: neither settings nor learning curves")
    else:
        try:
            config = _settings(folder.read_config(), policy.model.amp)
        except (ConfigError, RunError) as error:
            lacks.append(f"no settings: {error}")
        try:
            curves, verdicts = read_curves(folder.progress), verdicts_text(folder.progress)
            if verdicts is not None and (told := last_told(folder.told)):
                verdicts += f"; last told at {told}"
        except RunError as error:
            lacks.append(
                f"no learning curves: {error}"
                if folder.progress.exists()
                else "no learning curves: no progress.csv"
            )
    reference = policy.reference
    clips: list[MotionClip] = []
    if reference is None:
        lacks.append("no reference motion")
    else:
        try:
            clips = load_clips(reference, result.robot)
            if not policy.learned_from(motion_file(reference)):
                lacks.append(
                    f"the reference motion as it was in training: {reference} has been changed since"
                )
        except MotionError as error:
            lacks.append(f"no reference motion: {error}")
    return ComparedRun(
        name,
        policy,
        result,
        figures,
        config,
        curves,
        verdicts,
        reference if clips else None,
        clips,
        tuple(lacks),
    )


def _settings(values: Mapping[str, Any], amp: AMPConfig | None) -> dict[str, Any]:
    """By dotted key with the defaults spelled out, those of ``amp`` as the policy's file has them: they may have been others
    than today's. As they stand where the settings are of another version.
    """
    try:
        config = run_config.from_mapping(values).resolved()
    except (ConfigError, AMPError):
        config = dotted(values)
    return config | ({} if amp is None else dotted({"amp": amp.to_dict()}))


def names_of(runs: Sequence[str]) -> list[str]:
    """A short name for each run: the last part of its path where that is enough to tell it from the others, else all of it.

    Raises:
        RunError: a run is named twice.
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
    """Keys whose values are not the same in all configs, with each config's value as JSON; "-" where it has none.

    Of a section that is null in some configs and alike in the others only that is told: ``amp`` of a run without AMP.
    """
    keys = [
        key
        for key in dict.fromkeys(key for config in configs for key in config)
        if not _is_of_a_null_section(key, configs)
    ]
    rows = {
        key: [_told(config[key]) if key in config else "-" for config in configs] for key in keys
    }
    return {key: values for key, values in rows.items() if len(set(values)) > 1}


def _is_of_a_null_section(key: str, configs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the configs without ``key`` have null for a section of it, and those with it agree."""
    parts = key.split(".")
    sections = [".".join(parts[:i]) for i in range(1, len(parts))]
    lacking = [config for config in configs if key not in config]
    agreed = len({_told(config[key]) for config in configs if key in config}) == 1
    return (
        bool(lacking)
        and agreed
        and all(any(config.get(name, 0) is None for name in sections) for config in lacking)
    )


def _told(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
