"""Comparing a policy's AMP features with those of a reference, one column at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import ConfigError, MotionError
from wildrobot_gym.evaluation.benchmark import make_env
from wildrobot_gym.evaluation.feature_check import DimensionCheck, Spread, check_features
from wildrobot_gym.evaluation.recording import record
from wildrobot_gym.evaluation.style import spread_commands
from wildrobot_gym.experiments.datasets import load_dataset
from wildrobot_gym.experiments.motion.settings import CheckFeaturesSettings
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.task.config import EnvConfig, FeatureConfig, HistoryConfig
from wildrobot_gym.task.features import feature_names, make_frame_features
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import RunConfig
from wildrobot_gym.training.policy import load_policy

ENVS, STEPS, SETTLING_STEPS = 64, 300, 50  # 5 s of walking each, after the first second


@dataclass(frozen=True)
class FeatureComparison:
    """A policy's features beside a reference's.

    Attributes:
        columns: The check of each column, the largest difference first.
    """

    columns: Sequence[DimensionCheck]

    @property
    def shortcuts(self) -> list[DimensionCheck]:
        """The columns that tell policy and reference apart on their own."""
        return [check for check in self.columns if check.is_shortcut]

    def to_json(self) -> dict[str, Any]:
        """Return the metrics of every column as JSON types."""
        return {check.name: asdict(check) for check in self.columns}


@dataclass(frozen=True)
class FeatureSummary:
    """The features of a reference.

    Attributes:
        reference: Name of the reference.
        num_frames: Number of frames.
        features: The feature settings.
        columns: Mean, standard deviation and fraction of zeros of each column, by name.
    """

    reference: str
    num_frames: int
    features: FeatureConfig
    columns: Mapping[str, Spread]


def check_policy_features(
    dataset: str,
    settings: CheckFeaturesSettings | None = None,
    *,
    report: Reporter = SILENT,
) -> FeatureComparison:
    """Compare the features of a walking policy with those of a reference, column by column.

    The policy follows the reference's own commands.

    Args:
        dataset: A reference file or the name of a shipped one.
        settings: The policy and the features to compare.
        report: Receives the progress.

    Returns:
        The check of each column.

    Raises:
        ConfigError: The run config is wrong.
        MotionError: The dataset does not fit, or the policy falls at once.
        RunError: There is no such policy.
    """
    settings = settings or CheckFeaturesSettings()
    robot, clips = load_dataset(dataset, settings.robot)
    asked = FeatureConfig()
    if settings.config is not None:
        asked = features_of(run_config.load(settings.config))
    features = _one_frame(asked)
    reference = ReferenceDataset.from_clips(robot, features, clips)
    commands = spread_commands(clips, ENVS)
    performed = _policy_features(
        settings.policy, settings.robot or robot.name, features, commands, report
    )
    names = feature_names(robot, reference.layout)
    return FeatureComparison(check_features(names, performed, reference.features))


def summarize_features(config: str) -> FeatureSummary:
    """Summarize the features that a run config asks for, as they are in its reference.

    Raises:
        ConfigError: The config has no amp section.
        MotionError: The reference does not fit.
    """
    run = run_config.load(config)
    if run.reference is None:
        raise ConfigError(
            f"{config} has no amp section, so it has no reference. Name another config."
        )
    named = run.env.settings.robot
    robot, clips = load_dataset(
        str(run.reference.path), None if named == EnvConfig().robot else named
    )
    features = features_of(run)
    dataset = ReferenceDataset.from_clips(robot, _one_frame(features), clips)
    names = feature_names(robot, dataset.layout)
    columns = {
        name: Spread.of(values) for name, values in zip(names, dataset.features.T, strict=True)
    }
    return FeatureSummary(run.reference.path.stem, len(dataset), features, columns)


def features_of(run: RunConfig) -> FeatureConfig:
    """Return the feature settings of a run config."""
    return run.env.settings.features


def _one_frame(features: FeatureConfig) -> FeatureConfig:
    return replace(features, history=HistoryConfig(frames=1, stride=1))


def _policy_features(
    policy: str,
    robot: str,
    features: FeatureConfig,
    commands: Float[np.ndarray, "env 3"],
    report: Reporter,
) -> Float[np.ndarray, "sample feature"]:
    """Return the feature frames of a policy that follows `commands`, as long as it has not
    fallen.
    """
    loaded = load_policy(policy, robot)
    env = make_env(loaded.env_kwargs, ENVS, num_steps=STEPS)
    of_frame = make_frame_features(env.robot, features, env.config.control_dt)
    frames: list[np.ndarray] = []
    previous_qpos = None
    try:
        with report.progress(policy, STEPS * ENVS) as advance:

            def on_step(step: int, state: PhysicsState) -> None:
                nonlocal previous_qpos
                advance(ENVS)
                if step >= SETTLING_STEPS:
                    frames.append(np.asarray(of_frame(state, previous_qpos, commands)))
                previous_qpos = np.array(state.qpos)

            recording = record(env, loaded, commands, STEPS, seed=0, on_step=on_step)
    finally:
        env.close()
    alive = recording.alive[SETTLING_STEPS:]
    if not alive.any():
        raise MotionError(
            f"{policy} falls in its first second at the reference's commands."
            " There is nothing to compare. Choose another policy."
        )
    return np.stack(frames)[alive]
