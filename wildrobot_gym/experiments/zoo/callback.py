"""What a policy of rl_zoo3 learns and keeps beyond what rl_zoo3 does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback

from amp_sbx.algorithm.cloning import CloningConfig
from wildrobot_gym.config import build
from wildrobot_gym.files import file_digest
from wildrobot_gym.training.config import find_motion
from wildrobot_gym.training.reference import demonstrations, load_reference
from wildrobot_gym.training.run_directory import MOTION_DIGESTS


class PolicyCallback(BaseCallback):
    """Writes into the policy's file what it was trained in, and warm-starts a new policy.

    `wildrobot eval`, `record` and `enjoy` rebuild the environment from that.

    Args:
        env_id: The environment.
        env_kwargs: Its settings.
        reference: Name of the motion that AMP imitates; None without AMP.
        warm_start: Settings of behavior cloning before training; None: none.
    """

    def __init__(
        self,
        env_id: str,
        env_kwargs: Mapping[str, Any],
        reference: str | None = None,
        warm_start: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        names = sorted(str(name) for name in {env_kwargs.get("reference"), reference} if name)
        self._extra = {
            "env_id": env_id,
            "env_kwargs": dict(env_kwargs),
            "reference": reference,
            MOTION_DIGESTS: {name: file_digest(find_motion(name)) for name in names},
        }
        self._reference = reference
        self._cloning: CloningConfig | None = None
        if warm_start is not None:
            self._cloning = build(CloningConfig, warm_start, "amp.warm_start")

    def _init_callback(self) -> None:
        self.model.extra |= self._extra  # type: ignore[attr-defined]

    def _on_training_start(self) -> None:
        if self._cloning is None or self._reference is None:
            return
        motion = load_reference(self._reference, self.training_env)
        pairs = demonstrations(self.training_env, motion)
        error = self.model.clone_behavior(*pairs, self._cloning)  # type: ignore[attr-defined]
        print(f"Warm start: {self._cloning.steps:,} steps of behavior cloning, error {error:.3f}")

    def _on_step(self) -> bool:
        return True
