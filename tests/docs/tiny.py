"""Makes documented code small enough for a test: few robots, small networks, little training.

The code runs as it is printed. Only the numbers that cost time are replaced, where the
libraries receive them.
What takes seconds to load or evaluate is done once and kept for later code.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
import sbx
import stable_baselines3

import wildrobot_gym as wr
from amp_sbx import AMPPPO, AMPCallback
from wildrobot_gym.evaluation.suites.catalog import STAND, SUITES
from wildrobot_gym.experiments.export import export
from wildrobot_gym.motion import reference
from wildrobot_gym.training.config import load
from wildrobot_gym.training.policy import LoadedPolicy

NUM_ENVS = 8
NUM_CLIPS = 6
N_STEPS = 8
ROLLOUT = N_STEPS * NUM_ENVS
AMP = {
    "discriminator_hidden": (16,),
    "batch_size": 32,
    "update_steps": 1,
    "replay_buffer_size": 256,
}
RUN = {"n_envs": NUM_ENVS, "n_timesteps": ROLLOUT, "checkpoint_every": ROLLOUT, "eval.every": 0}


def shrink(patch: pytest.MonkeyPatch, folder: Path, kept: dict[str, Any]) -> None:
    """Patches everything that documented code calls and that would take minutes.

    Args:
        patch: Undoes the changes after the test.
        folder: Where runs go.
        kept: Results of earlier calls, which are used again.
    """
    make_vec, train, evaluate = gym.make_vec, wr.train, wr.evaluate
    load_policy, load_reference, demonstrations = (
        wr.load_policy,
        wr.load_reference,
        wr.demonstrations,
    )
    make_env, load_clips = LoadedPolicy.make_env, reference.load_clips

    def small_make_vec(env: Any, num_envs: int = 1, **settings: Any) -> Any:
        return make_vec(env, num_envs=min(num_envs, NUM_ENVS), **settings)

    def small_train(config: str, *, seed: int, overrides: dict[str, Any]) -> Any:
        load(config, overrides, seed)  # every setting is one that the config takes
        if "run" not in kept:
            kept["run"] = train("smoke", seed=seed, overrides=RUN, out=folder / "run")
        return kept["run"]

    def small_evaluate(policy: Any, **changes: Any) -> Any:
        key = f"evaluation {changes.get('suite')}"
        if key not in kept:
            changes |= {"episodes": 1, "style": False}
            kept[key] = evaluate(policy, **changes)
        return kept[key]

    def kept_policy(policy: Any) -> Any:
        key = f"policy {policy}"
        if key not in kept:
            kept[key] = load_policy(policy)
        return kept[key]

    def kept_reference(name: str, env: Any) -> Any:
        key = f"reference {name} {env.unwrapped.config.features}"
        if key not in kept:
            kept[key] = load_reference(name, env)
        return kept[key]

    def kept_demonstrations(env: Any, motion: Any) -> Any:
        if "demonstrations" not in kept:
            kept["demonstrations"] = demonstrations(env, motion)
        return kept["demonstrations"]

    def windowless(policy: LoadedPolicy, **settings: Any) -> Any:
        settings.pop("render_mode", None)
        return make_env(policy, **settings)

    def few_clips(path: Any, robot: Any) -> Any:
        return load_clips(path, robot)[:NUM_CLIPS]

    row = replace(STAND.rows[0], duration_s=0.2)
    patch.setitem(SUITES, STAND.name, replace(STAND, rows=(row,)))
    patch.setattr(reference, "load_clips", few_clips)
    patch.setattr(gym, "make_vec", small_make_vec)
    patch.setattr(wr, "train", small_train)
    patch.setattr(wr, "evaluate", small_evaluate)
    patch.setattr(wr, "load_policy", kept_policy)
    patch.setattr(export, "load_policy", kept_policy)
    patch.setattr(export, "_ENVS", 2)
    patch.setattr(export, "_STEPS", 20)
    patch.setattr(wr, "load_reference", kept_reference)
    patch.setattr(wr, "demonstrations", kept_demonstrations)
    patch.setattr(LoadedPolicy, "make_env", windowless)
    _shrink_callback(patch)
    for algorithm in (AMPPPO, sbx.PPO, stable_baselines3.PPO):
        _shrink_algorithm(patch, algorithm)


def _shrink_callback(patch: pytest.MonkeyPatch) -> None:
    create = AMPCallback.__init__

    def small_init(callback: Any, amp: dict[str, Any], *args: Any, **settings: Any) -> None:
        create(callback, amp | AMP, *args, **settings)

    patch.setattr(AMPCallback, "__init__", small_init)


def _shrink_algorithm(patch: pytest.MonkeyPatch, algorithm: Any) -> None:
    learn, create = algorithm.learn, algorithm.__init__

    @functools.wraps(create)  # loading a model reads the signature
    def small_init(model: Any, *args: Any, **settings: Any) -> None:
        if settings.get("_init_setup_model", True):
            settings |= {"n_steps": N_STEPS, "batch_size": ROLLOUT, "n_epochs": 1}
            policy_kwargs = settings.get("policy_kwargs") or {}
            settings["policy_kwargs"] = policy_kwargs | {"net_arch": [16]}
            if isinstance(settings.get("amp"), Mapping):
                settings["amp"] = settings["amp"] | AMP
        create(model, *args, **settings)

    def small_learn(model: Any, total_timesteps: int, *args: Any, **settings: Any) -> Any:
        settings.pop("progress_bar", None)
        return learn(model, min(total_timesteps, ROLLOUT), *args, **settings)

    patch.setattr(algorithm, "__init__", small_init)
    patch.setattr(algorithm, "learn", small_learn)
    if hasattr(algorithm, "clone_behavior"):
        clone = algorithm.clone_behavior
        patch.setattr(
            algorithm,
            "clone_behavior",
            lambda model, *data: clone(model, *data, {"steps": 2, "batch_size": 16}),
        )
