"""Logging of a vector environment's batched infos."""

from collections.abc import Iterable

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback


class InfoMetricsCallback(BaseCallback):
    """Logs rollout means of `GymnasiumVecEnv.batch_infos`.

    Each (num_envs,) array whose name starts with `reward_` is logged as `reward/<rest>`. Those
    named in `metrics` are logged as `metrics/<name>`. Without `batch_infos`, nothing is logged.

    Args:
        metrics: names of more infos to log.
        verbose: as in SB3.

    Example:
        >>> model.learn(1_000_000, callback=InfoMetricsCallback(["velocity_error"]))
    """

    def __init__(self, metrics: Iterable[str] = (), verbose: int = 0) -> None:
        super().__init__(verbose)
        self.metrics = frozenset(metrics)
        self._sums: dict[str, np.ndarray] = {}
        self._counts: dict[str, int] = {}

    def _on_rollout_start(self) -> None:
        self._sums.clear()
        self._counts.clear()

    def _on_step(self) -> bool:
        for key, values in (getattr(self.training_env, "batch_infos", None) or {}).items():
            if values.ndim != 1 or not (key.startswith("reward_") or key in self.metrics):
                continue
            # Sums per environment: a step costs one small addition per key and no reduction.
            if key not in self._sums:
                self._sums[key] = np.zeros(values.shape, dtype=np.float64)
                self._counts[key] = 0
            self._sums[key] += values
            self._counts[key] += 1
        return True

    def _on_rollout_end(self) -> None:
        for key, total in self._sums.items():
            reward = key.startswith("reward_")
            name = f"reward/{key.removeprefix('reward_')}" if reward else f"metrics/{key}"
            self.logger.record(name, float(total.mean() / self._counts[key]))
