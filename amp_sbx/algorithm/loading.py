"""Reads an `AMPPPO` from a checkpoint."""

import inspect
from collections import deque
from typing import Any

import numpy as np

from amp_sbx.algorithm.arrays import Arrays, unflatten_into
from amp_sbx.algorithm.compatibility import check_critic, check_discriminator
from amp_sbx.algorithm.description import Description, package_versions
from amp_sbx.algorithm.named_reference import resolve_reference
from amp_sbx.algorithm.policy_kwargs import resolve
from amp_sbx.algorithm.saving import REPLAY_DATA, random_keys
from amp_sbx.algorithm.symmetry import parse_way
from amp_sbx.common import archive
from amp_sbx.common.errors import CheckpointError, FeatureError
from amp_sbx.common.mirror import Mirror
from amp_sbx.common.vec_infos import amp_layout
from amp_sbx.discriminator.learner import AMPLearner
from amp_sbx.reference.features import check_layouts

_FIXED = {"policy_kwargs", "symmetric_policy", "critic_obs"}
"""Constructor arguments that must equal the stored ones."""


def replaceable(cls: Any) -> set[str]:
    """Constructor arguments that `load` accepts in place of the stored ones."""
    return set(inspect.signature(cls.__init__).parameters) - {
        "self",
        "env",
        "device",
        "_init_setup_model",
    }


def load_model(
    cls: Any,
    path: archive.PathOrStream,
    env: Any,
    device: str,
    overrides: dict[str, Any],
    verbose: bool = False,
) -> Any:
    """Load a model of class `cls`; see `AMPPPO.load`."""
    meta, arrays = archive.read(path)
    if verbose:
        print(f"saved with: {meta.get('versions')}\nrunning:    {package_versions()}")
    stored = Description.from_meta(meta, path)
    arguments = stored.arguments | {"policy": stored.policy, "amp": stored.amp}
    _check_fixed(stored, overrides, path)
    allowed = replaceable(cls) - _FIXED
    arguments |= {name: value for name, value in overrides.items() if name in allowed}
    policy = arguments.pop("policy")
    if isinstance(policy, str) and policy not in cls.policy_aliases:
        raise CheckpointError(
            f"{path} was made with policy class {policy}; pass policy=<that class> to load()."
        )
    if env is not None:
        env = cls._wrap_env(env, arguments["verbose"])
        _check_env(stored, env, path)
    arguments["reference"] = resolve_reference(arguments.get("reference"), env)
    _check_layouts(stored, arguments, env, path)
    model = cls(
        policy,
        env,
        device=device,
        policy_kwargs=stored.policy_kwargs,
        critic_obs=stored.critic_inputs is not None,
        _init_setup_model=False,
        **arguments,
    )
    if env is None:
        model.observation_space = stored.observation_space
        model.action_space = stored.action_space
        model.n_envs = stored.n_envs
    model.layout, model.mirror, model.extra = stored.layout, stored.mirror, stored.extra
    model.critic_inputs = stored.critic_inputs
    model._setup_model()
    check_discriminator(stored.amp, model.amp)
    check_critic(stored.amp, model.amp)
    if stored.amp and model.amp and stored.amp.reintroduce != model.amp.reintroduce:
        arrays.pop("amp/mask", None)  # other stages start with their own mask
    if "seed" in overrides:  # new random streams instead of the stored ones
        arrays |= random_keys(model)
        if model.learner is not None:
            arrays["amp/key"] = np.asarray(model.learner.state.key)
    try:
        _restore_arrays(model, arrays, stored.feature_dim)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    _restore_progress(model, stored, path, keep_rate="learning_rate" not in overrides)
    return model


def _check_fixed(stored: Description, overrides: dict[str, Any], path: Any) -> None:
    """Raise `CheckpointError` if an override of a fixed argument differs from the file."""
    given = overrides.get("policy_kwargs")
    if "policy_kwargs" in overrides and resolve(given) != stored.policy_kwargs:
        raise CheckpointError(
            f"{path}: policy_kwargs {given} differ from the stored {stored.stored_policy_kwargs}. "
            "Omit policy_kwargs when loading."
        )
    symmetric = stored.arguments["symmetric_policy"]
    asked = parse_way(overrides.get("symmetric_policy", symmetric))
    if asked != symmetric:
        raise CheckpointError(
            f"{path}: symmetric_policy is {symmetric} in the file, asked {asked}. "
            "Omit it when loading."
        )
    has_own = stored.critic_inputs is not None
    if overrides.get("critic_obs", has_own) != has_own:
        raise CheckpointError(
            f"{path}: critic_obs is {has_own} in the file, asked {overrides['critic_obs']}. "
            "Omit it when loading."
        )


def _check_env(stored: Description, env: Any, path: Any) -> None:
    """Raise `CheckpointError` if the environment's spaces, mirror or critic_obs are others."""
    for name in ("observation_space", "action_space"):
        if getattr(env, name) != getattr(stored, name):
            raise CheckpointError(
                f"{path}: {name} differs.\n  checkpoint:  {getattr(stored, name)}\n"
                f"  environment: {getattr(env, name)}"
            )
    if stored.mirror is not None and Mirror.of(env) != stored.mirror:
        raise CheckpointError(
            f"{path}: the environment's mirror is another than the symmetric policy's."
        )
    if stored.critic_inputs is not None:
        stored.critic_inputs.check(env, CheckpointError)


def _check_layouts(stored: Description, arguments: dict[str, Any], env: Any, path: Any) -> None:
    try:
        if env is not None and arguments["amp"] is not None:
            check_layouts(stored.layout, amp_layout(env), "checkpoint", "environment")
        reference = arguments["reference"]
        if reference is not None:
            check_layouts(stored.layout, reference.layout, "checkpoint", "reference")
    except FeatureError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _restore_arrays(model: Any, arrays: Arrays, feature_dim: int | None) -> None:
    policy = model.policy
    policy.actor_state = unflatten_into(policy.actor_state, arrays, "actor")
    policy.vf_state = unflatten_into(policy.vf_state, arrays, "critic")
    if model.style_critic is not None and feature_dim is not None:  # a file without AMP has none
        model.style_critic = unflatten_into(model.style_critic, arrays, "style_critic")
    model.key = unflatten_into(model.key, arrays, "keys/model")
    policy.key = unflatten_into(policy.key, arrays, "keys/policy")
    policy.noise_key = unflatten_into(policy.noise_key, arrays, "keys/noise")
    if feature_dim is None or model.amp is None:
        return
    if model.learner is None:
        model.learner = AMPLearner(model.amp, None, feature_dim=feature_dim)
    if model.learner.feature_dim != feature_dim:
        raise CheckpointError(
            f"the checkpoint's amp_obs have {feature_dim} columns, the reference has "
            f"{model.learner.feature_dim}. Build the reference with the same feature settings."
        )
    if REPLAY_DATA in arrays:
        arrays = arrays | _resized_replay(arrays, model.amp.replay_buffer_size)
    state = model.learner.state
    arrays = {"amp/mask": np.asarray(state.mask)} | arrays  # absent if the stages differ
    model.learner.restore(unflatten_into(state, arrays, "amp"))


def _resized_replay(arrays: Arrays, capacity: int) -> Arrays:
    """The stored replay buffer in a buffer of `capacity`."""
    data, resized = arrays[REPLAY_DATA], {}
    if data.shape[0] > capacity or data.ndim != 2:
        raise CheckpointError(
            f"the stored replay buffer {data.shape} does not fit amp.replay_buffer_size "
            f"{capacity}; set it to {data.shape[0]} or more."
        )
    if data.shape[0] < capacity:  # a full ring continues after its newest sample
        position = unflatten_into(np.int32(0), arrays, "amp/replay/position")
        data = np.roll(data, -int(position), axis=0)
        resized["amp/replay/position"] = np.array(data.shape[0], np.int32)
    return resized | {REPLAY_DATA: np.pad(data, ((0, capacity - data.shape[0]), (0, 0)))}


def _restore_progress(model: Any, stored: Description, path: Any, keep_rate: bool) -> None:
    """Counters, episode statistics, the controller's state and the adaptive learning rate."""
    model.ep_info_buffer = deque(stored.episodes, maxlen=model._stats_window_size)
    model.ep_success_buffer = deque(stored.successes, maxlen=model._stats_window_size)
    if stored.controller is not None and model.learner is not None:
        try:
            model.learner.controller.restore(stored.controller)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{path}: the discriminator's health cannot be read: {error!r}."
            ) from error
    for name, value in stored.counters.items():
        setattr(model, name, value)
    if model.target_kl is not None and stored.adaptive_lr is not None and keep_rate:
        model.adaptive_lr.current_adaptive_lr = stored.adaptive_lr
