"""The style reward of a saved, frozen discriminator as a Gymnasium wrapper, for any other trainer."""

import math
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from amp_sbx.algorithm.ppo import AMPPPO
from amp_sbx.common.checks import check_number
from amp_sbx.common.errors import FeatureError
from amp_sbx.common.vec_infos import amp_layout, step_infos
from amp_sbx.reference.features import check_layouts


class AMPRewardWrapper(gym.vector.VectorWrapper):
    """`task_weight * reward + weight * style` in place of the reward of a vector environment that hands out `amp_obs`.

    The discriminator is that of a trained `AMPPPO` and does not learn here: a policy that is far from those it was trained
    against may be misjudged. Infos get `style_reward` and `task_reward`, (num_envs,) each.

    Args:
        env: its step's infos hold `amp_obs` (num_envs, feature). What is from after an autoreset is paid no style: of a
            same-step reset the row in `final_info` counts, and the step that a next-step reset takes is none.
        model: an `AMPPPO`, or the path of its checkpoint. (One that goes on learning pays by the discriminator of the day.)
        weight, task_weight: of the two rewards; if not given, the model's own at the end of its schedule (with `critic: separate`
            those were weights of normalised advantages, and are another thing here: better give them).

    Raises:
        FeatureError: the model has no discriminator, or the environment other features than it was trained with.
        CheckpointError: the file is missing, damaged or foreign.
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
                "this model was trained without AMP and has no discriminator; give one that was trained with it."
            )
        check_layouts(trained.layout, amp_layout(env), "model", "environment")
        self._learner = trained.learner
        config = trained.learner.config
        mode = (env.metadata or {}).get("autoreset_mode")
        self._resets_next = mode in (AutoresetMode.NEXT_STEP, AutoresetMode.NEXT_STEP.value)
        self._ended = np.zeros(self.num_envs, bool)
        self.weight = config.style_weight(math.inf) if weight is None else weight
        self.task_weight = config.task_fraction(self.weight) if task_weight is None else task_weight
        for name in ("weight", "task_weight"):
            check_number(name, getattr(self, name), 0.0)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """As the environment's."""
        mask = (options or {}).get(
            "reset_mask"
        )  # of a partial reset: the others' endings are still to be reset
        self._ended = (
            np.zeros(self.num_envs, bool) if mask is None else self._ended & ~np.asarray(mask, bool)
        )
        return self.env.reset(seed=seed, options=options)

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """As the environment's, with the rewards mixed; a diverged environment's features (not finite) are paid no style."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        ended = np.asarray(terminated, bool) | np.asarray(truncated, bool)
        was_reset, self._ended = self._ended, ended & self._resets_next
        batch, missing = step_infos(infos, ended)
        shape = (self.num_envs, self._learner.feature_dim)
        features = np.asarray(batch.get("amp_obs", np.zeros(shape)), np.float32)
        absent = missing.get("amp_obs", np.full(self.num_envs, "amp_obs" not in batch)) & ~was_reset
        if absent.any():
            raise FeatureError(
                f"the step's infos have no amp_obs of environments {np.flatnonzero(absent)[:10].tolist()}."
            )
        if features.shape != shape:
            raise FeatureError(
                f"the step's infos have amp_obs of shape {features.shape}; expected {shape}."
            )
        style = self._learner.rewards(np.nan_to_num(features, nan=0.0, posinf=0.0, neginf=0.0))
        style = np.where(np.isfinite(features).all(axis=1) & ~was_reset, style, 0.0)
        task = np.asarray(rewards, np.float64)
        mixed = self.task_weight * task + self.weight * style
        return (
            observations,
            mixed,
            terminated,
            truncated,
            {**infos, "style_reward": style, "task_reward": task},
        )
