"""Adversarial motion priors for Stable-Baselines Jax: AMP on any environment that hands out AMP features."""

from amp_sbx.callbacks import AMPCallback, InfoMetricsCallback
from amp_sbx.cloning import CloningConfig
from amp_sbx.config import AMPConfig, WeightSchedule
from amp_sbx.errors import (
    AMPError,
    CheckpointError,
    ConfigError,
    FeatureError,
    NonFiniteError,
    VecEnvError,
)
from amp_sbx.learner import AMPLearner
from amp_sbx.ppo import AMPPPO
from amp_sbx.reference import ReferenceFeatures
from amp_sbx.reward_wrapper import AMPRewardWrapper
from amp_sbx.rollout_buffer import AMPRolloutBuffer
from amp_sbx.schedule import LinearSchedule, linear_schedule
from amp_sbx.vec_env import GymnasiumVecEnv

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
