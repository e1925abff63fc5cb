"""``wildrobot motion validate``: a policy's features beside a reference's, dimension by dimension."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.markup import escape

from wildrobot_gym.config import FeatureConfig, HistoryConfig, build
from wildrobot_gym.console.progress_bar import step_bar
from wildrobot_gym.console.tables import number_table
from wildrobot_gym.errors import ConfigError, MotionError
from wildrobot_gym.evaluation.benchmark import make_env
from wildrobot_gym.evaluation.feature_check import DimensionCheck, Spread, check_features
from wildrobot_gym.evaluation.recording import record
from wildrobot_gym.evaluation.style import spread_speeds
from wildrobot_gym.experiments.datasets import load_dataset
from wildrobot_gym.files import check_free, write_figures
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.task.features import feature_names, make_frame_features
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import RunConfig
from wildrobot_gym.training.policy import load_policy

ENVS, STEPS, SETTLING_STEPS = 64, 300, 50  # 5 s of walking each, after the first second
_SPREAD = ("mean", "std", "zeros")


def run_validate(
    dataset: str,
    policy: str,
    config: str | None,
    json_file: Path | None,
    robot: str | None = None,
    force: bool = False,
) -> int:
    """Print and write every dimension's check, the most telling first, and name the shortcuts.

    Features are those of a run config, or without one all channels. The policy is asked for the reference's own speeds.
    """
    console = Console()
    check_free([json_file], force)
    model, clips = load_dataset(dataset, robot)
    features = _one_frame(
        FeatureConfig() if config is None else features_of(run_config.load(config))
    )
    reference = ReferenceDataset.from_clips(model, features, clips)
    performed = _policy_features(
        policy, robot or model.name, features, spread_speeds(clips, ENVS), console
    )
    checks = check_features(feature_names(model, reference.layout), performed, reference.features)
    table = number_table(
        "features: policy, reference", "dimension", ("mean", "", "spread", "", "zeros", "", "KS")
    )
    for check in checks:
        cells = [
            f"{getattr(side, part):.3f}"
            for part in _SPREAD
            for side in (check.policy, check.reference)
        ]
        table.add_row(escape(check.name), *cells, f"{check.ks:.2f}")
    console.print(table)
    console.print(shortcut_text(checks), soft_wrap=True, highlight=False, markup=False)
    write_figures(json_file, {check.name: asdict(check) for check in checks}, console)
    return 0


def run_features(config: str) -> int:
    """Print the features that a run config asks for as they are in its reference."""
    run, console = run_config.load(config), Console()
    if run.reference_path is None:
        raise ConfigError(f"{config} has no amp section, and so no reference. Name another config.")
    model, clips = load_dataset(str(run.reference_path), run.env_kwargs.get("robot"))
    features = features_of(run)
    dataset = ReferenceDataset.from_clips(model, _one_frame(features), clips)
    title = f"{run.reference_path.stem}: {len(dataset)} frames"
    table = number_table(title, "dimension", ("mean", "spread", "zeros"), str(features))
    for name, values in zip(feature_names(model, dataset.layout), dataset.features.T, strict=True):
        spread = Spread.of(values)
        table.add_row(escape(name), *(f"{getattr(spread, part):.3f}" for part in _SPREAD))
    console.print(table)
    return 0


def features_of(run: RunConfig) -> FeatureConfig:
    """The feature settings of a run config."""
    return build(FeatureConfig, run.env_kwargs.get("features"), "env_kwargs.features")


def _one_frame(features: FeatureConfig) -> FeatureConfig:
    return replace(features, history=HistoryConfig(frames=1, stride=1))


def _policy_features(
    policy: str,
    robot: str,
    features: FeatureConfig,
    speeds: Float[np.ndarray, " env"],
    console: Console,
) -> Float[np.ndarray, "sample feature"]:
    """Frames of a policy that walks at ``speeds``, while it stands."""
    loaded = load_policy(policy, robot)
    env = make_env(loaded.env_kwargs, ENVS, num_steps=STEPS)
    of_frame = make_frame_features(env.robot, features, env.config.control_dt)
    rows: list[np.ndarray] = []
    previous_qpos = None
    commands = np.zeros((ENVS, 3), np.float32)
    commands[:, 0] = speeds
    try:
        with step_bar(console) as progress:
            task = progress.add_task(policy, total=STEPS * ENVS)

            def on_step(step: int, state: PhysicsState) -> None:
                nonlocal previous_qpos
                progress.advance(task, ENVS)
                if step >= SETTLING_STEPS:
                    rows.append(np.asarray(of_frame(state, previous_qpos)))
                previous_qpos = np.array(state.qpos)

            recording = record(env, loaded, commands, STEPS, seed=0, on_step=on_step)
    finally:
        env.close()
    alive = recording.alive[SETTLING_STEPS:]
    if not alive.any():
        raise MotionError(
            f"{policy} falls within its first second at the reference's speeds; there is nothing to compare."
        )
    return np.stack(rows)[alive]


def shortcut_text(checks: Sequence[DimensionCheck]) -> str:
    """The dimensions that alone are enough to tell the two apart, or that there is none."""
    shortcuts = [check for check in checks if check.is_shortcut]
    if not shortcuts:
        worst = checks[0]
        return f"No shortcut: the most telling dimension, {worst.name}, alone is right for {worst.accuracy:.0%} of samples."
    lines = [
        f"SHORTCUT: {check.name} alone is right for {check.accuracy:.0%} of samples: policy {_spread_text(check.policy)},"
        f" reference {_spread_text(check.reference)}."
        for check in shortcuts
    ]
    advice = "Leave such channels out of features.channels until the policy's are alike, or mend the reference."
    return "\n".join([*lines, advice])


def _spread_text(spread: Spread) -> str:
    return f"{spread.mean:.3f} +- {spread.std:.3f}, zero {spread.zeros:.0%}"
