"""Policies that perform clips, from `wildrobot train track`."""

from __future__ import annotations

from typing import Any

from amp_sbx import AMPPPO
from wildrobot_gym.env.registration import TRACK_ENV_ID
from wildrobot_gym.errors import RunError
from wildrobot_gym.training.policy import find_policy


def load_tracking_policy(policy: str) -> tuple[AMPPPO, dict[str, Any]]:
    """A tracking policy, and the settings of the environment that it was trained in.

    Args:
        policy: A run directory or .zip file of `wildrobot train track`.

    Raises:
        RunError: There is no such policy, or it is not a tracking policy.
    """
    path = find_policy(policy)
    model = AMPPPO.load(path)
    if model.extra.get("env_id") != TRACK_ENV_ID:
        raise RunError(
            f"{path} is not a policy of {TRACK_ENV_ID}. Train one with `wildrobot train track`."
        )
    return model, dict(model.extra.get("env_kwargs", {}))
