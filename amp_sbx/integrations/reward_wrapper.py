"""Style rewards of a trained discriminator as a Gymnasium wrapper, for any training library."""

import math
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from amp_sbx.algorithm.ppo import AMPPPO
from amp_sbx.common.autoreset import autoreset_mode
from amp_sbx.common.checks import check_number
from amp_sbx.common.errors import FeatureError
from amp_sbx.common.vec_infos import amp_layout, step_infos
from amp_sbx.reference.features import check_layouts

_NEXT_STEP = (AutoresetMode.NEXT_STEP, AutoresetMode.NEXT_STEP.value)


class AMPRewardWrapper(gym.vector.VectorWrapper):
    """Replaces a vector environment's reward by `task_weight * reward + weight * style`.

    The style reward comes from the discriminator of a trained `AMPPPO`, which does not learn here.
    It may misjudge a policy that differs much from those it was trained against. Infos get
    `style_reward` and `task_reward`, (num_envs,) each.

    Args:
        env: vector environment whose step infos hold `amp_obs` (num_envs, feature_dim). The step
            of a next-step reset earns no style reward.
        model: an `AMPPPO`, or the path of its checkpoint.
        weight: weight of the style reward. None: the model's, at the end of its schedule.
        task_weight: weight of the task reward. None: the model's. Give both weights if the model
            was trained with `critic: separate`, where they applied to normalized advantages.

    Raises:
        FeatureError: the model has no discriminator, or the environment another layout.
        CheckpointError: the file is missing, damaged or foreign.

    Example:
        >>> env = AMPRewardWrapper(gymnasium.make_vec("WildRobot-v0", num_envs=8), "my_walk")
        >>> model = stable_baselines3.PPO("MlpPolicy", GymnasiumVecEnv(env))
    """

    def __init__(
        self,
        env: gym.vector.VectorEnv,
        model: AMPPPO | str | Path,
        weight: float | None = None,
        task_weight: float | None = None,
    ) -> None:
        super().__init__(env)
        trained = model if isinstance(model, AMPPPO) else AMPPPO.load(model)
        if trained.learner is None:
            raise FeatureError(
                "this model was trained without AMP and has no discriminator; give a model "
                "that was trained with AMP."
            )
        check_layouts(trained.layout, amp_layout(env), "model", "environment")
        self._learner = trained.learner
        config = trained.learner.config
        self._ended = np.zeros(self.num_envs, bool)
        self.weight = config.style_weight(math.inf) if weight is None else weight
        self.task_weight = config.task_fraction(self.weight) if task_weight is None else task_weight
        for name in ("weight", "task_weight"):
            check_number(name, getattr(self, name), 0.0)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset as the environment does."""
        mask = (options or {}).get("reset_mask")  # a partial reset keeps the others' endings
        self._ended = (
            np.zeros(self.num_envs, bool) if mask is None else self._ended & ~np.asarray(mask, bool)
        )
        return self.env.reset(seed=seed, options=options)

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Step and mix the rewards. AMP observations that are not finite earn no style reward."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        ended = np.asarray(terminated, bool) | np.asarray(truncated, bool)
        # Read at every step: GymnasiumVecEnv may switch the mode.
        next_step = autoreset_mode(self.env) in _NEXT_STEP
        was_reset, self._ended = self._ended, ended & next_step
        batch, missing = step_infos(infos, ended)
        shape = (self.num_envs, self._learner.feature_dim)
        amp_obs = np.asarray(batch.get("amp_obs", np.zeros(shape)), np.float32)
        absent = missing.get("amp_obs", np.full(self.num_envs, "amp_obs" not in batch)) & ~was_reset
        if absent.any():
            raise FeatureError(
                f"the step's infos have no amp_obs of environments "
                f"{np.flatnonzero(absent)[:10].tolist()}; return info['amp_obs'] from every step()."
            )
        if amp_obs.shape != shape:
            raise FeatureError(
                f"the step's infos have amp_obs of shape {amp_obs.shape}; expected {shape}."
            )
        style = self._learner.rewards(np.nan_to_num(amp_obs, nan=0.0, posinf=0.0, neginf=0.0))
        style = np.where(np.isfinite(amp_obs).all(axis=1) & ~was_reset, style, 0.0)
        task = np.asarray(rewards, np.float64)
        mixed = self.task_weight * task + self.weight * style
        return (
            observations,
            mixed,
            terminated,
            truncated,
            {**infos, "style_reward": style, "task_reward": task},
        )
