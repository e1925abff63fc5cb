"""What rl_zoo3's search for hyperparameters tries for AMPPPO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna


def sample_amp_ppo(
    trial: optuna.Trial,
    n_actions: int,
    n_envs: int,
    additional_args: Mapping[str, Any],
    amp: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Hyperparameters of one trial, as rl_zoo3's samplers return them.

    The sizes of a rollout and of its minibatches belong together, so they stay the file's.

    Args:
        trial: The trial.
        n_actions: Not used.
        n_envs: Not used.
        additional_args: Not used.
        amp: The file's settings of AMP, which the sampled ones replace in part; None: plain PPO.
    """
    params: dict[str, Any] = {
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 2e-3, log=True),
        "one_minus_gamma": trial.suggest_float("one_minus_gamma", 0.005, 0.05, log=True),
        "one_minus_gae_lambda": trial.suggest_float("one_minus_gae_lambda", 0.01, 0.2, log=True),
        "n_epochs": trial.suggest_int("n_epochs", 2, 8),
        "clip_range": trial.suggest_float("clip_range", 0.1, 0.3),
        "ent_coef": trial.suggest_float("ent_coef", 1e-5, 1e-2, log=True),
    }
    if not amp:
        return convert_amp_ppo(params)
    params["amp_weight"] = trial.suggest_float("amp_weight", 0.1, 0.8)
    params["amp_disc_lr"] = trial.suggest_float("amp_disc_lr", 1e-4, 1e-3, log=True)
    params["amp_r1_gamma"] = trial.suggest_float("amp_r1_gamma", 2.0, 30.0, log=True)
    found = convert_amp_ppo(params)
    inner = {key.removeprefix("amp."): found.pop(key) for key in list(found) if "." in key}
    return found | {"amp": {**amp, **inner}}


def convert_amp_ppo(sampled: Mapping[str, Any]) -> dict[str, Any]:
    """A trial's parameters as hyperparameters; those of AMP have dotted keys, "amp.weight"."""
    found: dict[str, Any] = {}
    for name, value in sampled.items():
        if name.startswith("one_minus_"):
            found[name.removeprefix("one_minus_")] = 1 - value
        elif name.startswith("amp_"):
            found[f"amp.{name.removeprefix('amp_')}"] = value
        else:
            found[name] = value
    return found
