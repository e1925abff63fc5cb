"""The JSON description of a model in a checkpoint."""

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from gymnasium import spaces

from amp_sbx.algorithm.critic import CriticInputs
from amp_sbx.algorithm.policy_kwargs import describe, resolve
from amp_sbx.algorithm.symmetry import WAYS
from amp_sbx.common.errors import CheckpointError, ConfigError
from amp_sbx.common.mirror import Mirror
from amp_sbx.common.schedules import schedule_to_json
from amp_sbx.common.spaces import space_from_json, space_to_json
from amp_sbx.discriminator.config import AMPConfig

_NUMBERS = (
    "n_steps", "batch_size", "n_epochs", "gamma", "gae_lambda", "normalize_advantage", "ent_coef",
    "vf_coef", "max_grad_norm", "use_sde", "sde_sample_freq", "target_kl", "symmetric_policy",
    "tensorboard_log", "verbose", "seed", "critic_learning_rate",
)  # fmt: skip
_SINCE = {"critic_learning_rate": None}  # older files have none
SCHEDULES = ("learning_rate", "clip_range", "clip_range_vf")
_COUNTERS = (
    "num_timesteps", "_total_timesteps", "_n_updates", "_episode_num",
    "_current_progress_remaining", "task_paid",
)  # fmt: skip
_PACKAGES = ("numpy", "jax", "flax", "optax", "gymnasium", "stable_baselines3", "sbx_rl")


@dataclass(frozen=True)
class Description:
    """What a checkpoint's JSON says about its model, checked and converted.

    Attributes:
        arguments: constructor arguments by name.
        policy: name of the policy class.
        policy_kwargs: resolved `policy_kwargs`.
        stored_policy_kwargs: `policy_kwargs` as stored, for messages.
        observation_space: the observation space.
        action_space: the action space.
        n_envs: number of environments that the model was trained with.
        amp: AMP settings; None without AMP.
        feature_dim: number of columns of `amp_obs`; None without AMP.
        layout: layout of the AMP observations, if known.
        mirror: reflection of a symmetric policy.
        critic_inputs: what the critic sees in place of the observations; None: the observations.
        extra: the caller's own data.
        counters: SB3's counters by attribute name.
        adaptive_lr: current learning rate with `target_kl`.
        controller: state of the discriminator's controller; None without AMP.
        episodes: SB3's statistics of the last episodes.
        successes: SB3's successes of the last episodes.
    """

    arguments: dict[str, Any]
    policy: str
    policy_kwargs: dict[str, Any]
    stored_policy_kwargs: dict[str, Any]
    observation_space: spaces.Space
    action_space: spaces.Space
    n_envs: int
    amp: AMPConfig | None
    feature_dim: int | None
    layout: dict[str, Any] | None
    mirror: Mirror | None
    critic_inputs: CriticInputs | None
    extra: dict[str, Any]
    counters: dict[str, Any]
    adaptive_lr: float | None
    controller: dict[str, Any] | None
    episodes: list[dict[str, float]]
    successes: list[float]

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any], path: Any) -> "Description":
        """Read a checkpoint's `meta`.

        Raises:
            CheckpointError: an entry is missing or invalid.
        """
        try:
            described = cls(
                arguments=_SINCE | dict(meta["hyperparameters"]),
                policy=meta["policy"],
                policy_kwargs=resolve(meta["policy_kwargs"]),
                stored_policy_kwargs=meta["policy_kwargs"],
                observation_space=space_from_json(meta["observation_space"]),
                action_space=space_from_json(meta["action_space"]),
                n_envs=meta["n_envs"],
                amp=None if meta["amp"] is None else AMPConfig.from_dict(meta["amp"]),
                feature_dim=meta["feature_dim"],
                layout=meta["layout"],
                mirror=None if meta["mirror"] is None else Mirror.from_json(meta["mirror"]),
                critic_inputs=CriticInputs.from_json(meta.get("critic")),  # older files: none
                extra=dict(meta["extra"]),
                counters={name: meta["counters"][name] for name in _COUNTERS},
                adaptive_lr=meta["adaptive_lr"],
                controller=meta["controller"],
                episodes=[
                    {"r": float(r), "l": int(n), "t": float(t)}
                    for r, n, t in meta["episodes"]["infos"]
                ],
                successes=[float(success) for success in meta["episodes"]["successes"]],
            )
        except CheckpointError as error:
            raise CheckpointError(f"{path}: {error}") from error
        except (KeyError, TypeError, ValueError, ConfigError) as error:
            raise CheckpointError(
                f"{path}: the description of the model is incomplete: {error!r}."
            ) from error
        described._check(path)
        return described

    def _check(self, path: Any) -> None:
        for name, count in (("feature_dim", self.feature_dim), ("n_envs", self.n_envs)):
            if not (
                (count is None and name == "feature_dim") or (type(count) is int and count > 0)
            ):
                raise CheckpointError(f"{path}: {name} is {count!r}; allowed: a number above 0.")
        if wrong := sorted(set(self.arguments) ^ {*_NUMBERS, *SCHEDULES}):
            raise CheckpointError(
                f"{path}: settings of the model are missing or unknown: {', '.join(wrong)}."
            )
        way = self.arguments["symmetric_policy"]
        if way not in WAYS:
            raise CheckpointError(
                f"{path}: symmetric_policy is {way!r}; allowed: {', '.join(WAYS)}."
            )
        if (way == "none") != (self.mirror is None):
            raise CheckpointError(
                f"{path}: symmetric_policy is {way} but the mirror "
                f"is {'missing' if self.mirror is None else 'given'}."
            )
        if self.mirror is not None:
            try:
                self.mirror.check(self.observation_space.shape, self.action_space.shape)
            except ConfigError as error:
                raise CheckpointError(f"{path}: {error}") from error


def describe_model(model: Any, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The `meta` of a model's checkpoint.

    Raises:
        CheckpointError: the policy's settings or a schedule have no JSON form.
    """
    try:
        policy_kwargs = describe(model.policy_kwargs)
        schedules = {
            name: schedule_to_json(_plain(getattr(model, name)), name) for name in SCHEDULES
        }
    except ConfigError as error:
        raise CheckpointError(f"this model cannot be stored: {error}") from error
    hyperparameters = {name: _plain(getattr(model, name)) for name in _NUMBERS}
    hyperparameters |= schedules
    learner = model.learner
    return {
        "algorithm": type(model).__name__,
        "versions": package_versions(),
        "policy": _policy_name(model),
        "policy_kwargs": policy_kwargs,
        "hyperparameters": hyperparameters,
        "observation_space": space_to_json(model.observation_space),
        "action_space": space_to_json(model.action_space),
        "n_envs": _plain(model.n_envs),
        "counters": {name: _plain(getattr(model, name)) for name in _COUNTERS},
        "adaptive_lr": float(model.adaptive_lr.current_adaptive_lr)
        if model.target_kl is not None
        else None,
        "amp": None if model.amp is None else model.amp.to_dict(),
        "feature_dim": None if learner is None else learner.feature_dim,
        "layout": model.layout,
        "mirror": None if model.mirror is None else asdict(model.mirror),
        "critic": None if model.critic_inputs is None else model.critic_inputs.to_json(),
        "extra": dict(extra),
        "controller": None if learner is None else learner.controller.to_json(),
        "episodes": _episodes_to_json(model),
    }


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that a checkpoint depends on."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def _plain(value: Any) -> Any:
    """A NumPy number or a path as JSON can hold it."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.item() if isinstance(value, np.generic) else value


def _episodes_to_json(model: Any) -> dict[str, list]:
    """SB3's statistics of the last episodes; `amp.reintroduce` may depend on them."""
    infos = [
        [float(info["r"]), int(info["l"]), float(info.get("t", 0.0))]
        for info in model.ep_info_buffer or ()
    ]
    return {
        "infos": infos,
        "successes": [float(success) for success in model.ep_success_buffer or ()],
    }


def _policy_name(model: Any) -> str:
    for name, policy_class in model.policy_aliases.items():
        if policy_class is model.policy_class:
            return name
    return f"{model.policy_class.__module__}.{model.policy_class.__qualname__}"
