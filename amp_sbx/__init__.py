"""Adversarial motion priors (AMP) for Stable-Baselines Jax.

`AMPPPO` trains with AMP in any environment that offers AMP observations (`amp_obs`). The names in
`__all__` are the public API; everything else may move. They are imported on first use, so
`import amp_sbx` loads neither JAX nor torch.

Example:
    >>> from amp_sbx import AMPPPO
    >>> model = AMPPPO("MlpPolicy", env, amp={"weight": 0.4}, reference=reference)
    >>> model.learn(1_000_000)
    >>> model.save("my_walk")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amp_sbx.algorithm.cloning import CloningConfig
    from amp_sbx.algorithm.ppo import AMPPPO
    from amp_sbx.common.errors import (
        AMPError,
        CheckpointError,
        ConfigError,
        FeatureError,
        LostProcessError,
        MissingPackageError,
        NonFiniteError,
        OutOfMemoryError,
        UnknownArgumentError,
        VecEnvError,
    )
    from amp_sbx.common.functional_vector_env import FunctionalVectorEnv
    from amp_sbx.common.schedules import LinearSchedule, linear_schedule
    from amp_sbx.common.vec_env import GymnasiumVecEnv
    from amp_sbx.discriminator.config import AMPConfig
    from amp_sbx.discriminator.controller import Event
    from amp_sbx.discriminator.learner import AMPLearner
    from amp_sbx.discriminator.verdict import Verdict
    from amp_sbx.discriminator.weight_schedule import WeightSchedule
    from amp_sbx.integrations.callbacks import AMPCallback
    from amp_sbx.integrations.info_metrics import InfoMetricsCallback
    from amp_sbx.integrations.observation_features import ObservationFeatures
    from amp_sbx.integrations.reward_wrapper import AMPRewardWrapper
    from amp_sbx.integrations.rollout_buffer import AMPRolloutBuffer
    from amp_sbx.reference.features import ReferenceFeatures

_MODULES = {
    "AMPPPO": "algorithm.ppo",
    "AMPCallback": "integrations.callbacks",
    "AMPConfig": "discriminator.config",
    "AMPError": "common.errors",
    "AMPLearner": "discriminator.learner",
    "AMPRewardWrapper": "integrations.reward_wrapper",
    "AMPRolloutBuffer": "integrations.rollout_buffer",
    "CheckpointError": "common.errors",
    "CloningConfig": "algorithm.cloning",
    "ConfigError": "common.errors",
    "Event": "discriminator.controller",
    "FeatureError": "common.errors",
    "FunctionalVectorEnv": "common.functional_vector_env",
    "GymnasiumVecEnv": "common.vec_env",
    "InfoMetricsCallback": "integrations.info_metrics",
    "LinearSchedule": "common.schedules",
    "LostProcessError": "common.errors",
    "MissingPackageError": "common.errors",
    "NonFiniteError": "common.errors",
    "OutOfMemoryError": "common.errors",
    "ObservationFeatures": "integrations.observation_features",
    "ReferenceFeatures": "reference.features",
    "UnknownArgumentError": "common.errors",
    "VecEnvError": "common.errors",
    "Verdict": "discriminator.verdict",
    "WeightSchedule": "discriminator.weight_schedule",
    "linear_schedule": "common.schedules",
}

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
    "Event",
    "FeatureError",
    "FunctionalVectorEnv",
    "GymnasiumVecEnv",
    "InfoMetricsCallback",
    "LinearSchedule",
    "LostProcessError",
    "MissingPackageError",
    "NonFiniteError",
    "ObservationFeatures",
    "OutOfMemoryError",
    "ReferenceFeatures",
    "UnknownArgumentError",
    "VecEnvError",
    "Verdict",
    "WeightSchedule",
    "linear_schedule",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    except ModuleNotFoundError as error:
        from amp_sbx.common.errors import MissingPackageError

        if (error.name or "").partition(".")[0] in (__name__, ""):
            raise
        raise MissingPackageError(
            f"amp_sbx.{name} needs the package {error.name}, which is not installed. Install the "
            "extra `train`: pip install 'wildrobot[train]', or in a clone: pip install -e "
            "'.[train]'.",
            name=error.name,
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
