"""Makes AMPPPO and the batched environments known to rl_zoo3, in place."""

from __future__ import annotations

from amp_sbx import AMPPPO
from wildrobot_gym.extras import require
from wildrobot_gym.training.config.for_zoo import AMP_PPO


def register() -> None:
    """Add `amp_ppo` to rl_zoo3's algorithms and samplers, and extend its manager.

    Scripts of rl_zoo3 that are imported later find both. A second call does nothing.

    Raises:
        MissingPackageError: rl_zoo3 is not installed.
    """
    zoo = require("rl_zoo3.exp_manager", "zoo")
    from wildrobot_gym.experiments.zoo.manager import WildRobotManager
    from wildrobot_gym.experiments.zoo.tuning import convert_amp_ppo, sample_amp_ppo

    zoo.ALGOS[AMP_PPO] = AMPPPO
    zoo.HYPERPARAMS_SAMPLER.setdefault(AMP_PPO, sample_amp_ppo)
    zoo.HYPERPARAMS_CONVERTER[AMP_PPO] = convert_amp_ppo
    zoo.ExperimentManager = WildRobotManager
