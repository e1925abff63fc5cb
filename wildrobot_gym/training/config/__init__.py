"""The settings of a training run, and the YAML file that holds them in rl-zoo's flat keys."""

from wildrobot_gym.training.config.names import find_config, find_motion
from wildrobot_gym.training.config.overrides import Overrides, dotted, override, override_all
from wildrobot_gym.training.config.reader import (
    from_mapping,
    load,
    read_mapping,
    with_overrides,
)
from wildrobot_gym.training.config.run import RunConfig
from wildrobot_gym.training.config.sections import (
    EnvRun,
    EvalSettings,
    PPOSettings,
    ReferenceSettings,
    WandbSettings,
)

__all__ = [
    "EnvRun",
    "EvalSettings",
    "Overrides",
    "PPOSettings",
    "ReferenceSettings",
    "RunConfig",
    "WandbSettings",
    "dotted",
    "find_config",
    "find_motion",
    "from_mapping",
    "load",
    "override",
    "override_all",
    "read_mapping",
    "with_overrides",
]
