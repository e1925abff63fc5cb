"""Adversarial motion priors for Stable-Baselines Jax: AMP on any environment that hands out AMP features."""

from amp_sbx.algorithm.cloning import CloningConfig
from amp_sbx.algorithm.ppo import AMPPPO
from amp_sbx.common.errors import (
    AMPError,
    CheckpointError,
    ConfigError,
    FeatureError,
    NonFiniteError,
    VecEnvError,
)
from amp_sbx.common.schedules import LinearSchedule, linear_schedule
from amp_sbx.common.vec_env import GymnasiumVecEnv
from amp_sbx.discriminator.config import AMPConfig, WeightSchedule
from amp_sbx.discriminator.learner import AMPLearner
from amp_sbx.integrations.callbacks import AMPCallback, InfoMetricsCallback
from amp_sbx.integrations.reward_wrapper import AMPRewardWrapper
from amp_sbx.integrations.rollout_buffer import AMPRolloutBuffer
from amp_sbx.reference.features import ReferenceFeatures

__all__ = [
    "AMPPPO",
    "AMPCallback",
    "AMPConfig",
    "AMPError",
    "AMPLearner",
    "AMPRewardWrapper",
    "AMPRolloutBuffer",
    "CheckpointError",
    "CloningConfig",
    "ConfigError",
    "FeatureError",
    "GymnasiumVecEnv",
    "InfoMetricsCallback",
    "LinearSchedule",
    "NonFiniteError",
    "ReferenceFeatures",
    "VecEnvError",
    "WeightSchedule",
    "linear_schedule",
]
