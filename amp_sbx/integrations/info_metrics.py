"""Logging of a vector environment's batched infos."""

from collections.abc import Iterable

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback


class InfoMetricsCallback(BaseCallback):
    """Logs rollout means of `GymnasiumVecEnv.batch_infos`.

    Each (num_envs,) array is logged by its name. `reward_alive` is `reward/alive` where `groups`
    has `reward`. Those named in `metrics` are `task/<name>`. Others are not logged. Without
    `batch_infos`, nothing is.

    Args:
        metrics: names of infos to log as `task/<name>`.
        verbose: as in SB3.
        groups: prefixes of infos to log as `<prefix>/<rest>`.

    Example:
        >>> model.learn(1_000_000, callback=InfoMetricsCallback(["velocity_error"]))
    """

    def __init__(
        self,
        metrics: Iterable[str] = (),
        verbose: int = 0,
        groups: Iterable[str] = ("reward",),
    ) -> None:
        super().__init__(verbose)
        self.metrics = frozenset(metrics)
        self.groups = frozenset(groups)
        self._sums: dict[str, np.ndarray] = {}
        self._counts: dict[str, int] = {}

    def _on_rollout_start(self) -> None:
        self._sums.clear()
        self._counts.clear()

    def _on_step(self) -> bool:
        for key, values in (getattr(self.training_env, "batch_infos", None) or {}).items():
            if values.ndim != 1 or self._logged(key) is None:
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
            self.logger.record(str(self._logged(key)), float(total.mean() / self._counts[key]))

    def _logged(self, key: str) -> str | None:
        """The name in the log."""
        if key in self.metrics:
            return f"task/{key}"
        group, _, rest = key.partition("_")
        return f"{group}/{rest}" if rest and group in self.groups else None
