"""Between an `AMPPPO` and a checkpoint: what of a model is stored, and how it is put back."""

import inspect
import os
import platform
import warnings
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax.serialization import from_state_dict, to_state_dict

from amp_sbx.algorithm.policy_kwargs import describe, resolve
from amp_sbx.common import archive as checkpoint
from amp_sbx.common.errors import CheckpointError, ConfigError, FeatureError
from amp_sbx.common.mirror import Mirror
from amp_sbx.common.schedules import LinearSchedule
from amp_sbx.common.vec_infos import amp_layout
from amp_sbx.discriminator import replay_buffer
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.learner import AMPLearner
from amp_sbx.reference.features import check_layouts

Arrays = dict[str, np.ndarray]
_PLAIN = (
    "n_steps",
    "batch_size",
    "n_epochs",
    "gamma",
    "gae_lambda",
    "normalize_advantage",
    "ent_coef",
    "vf_coef",
    "max_grad_norm",
    "use_sde",
    "sde_sample_freq",
    "target_kl",
    "symmetric_policy",
    "tensorboard_log",
    "verbose",
    "seed",
)
_SCHEDULED = ("learning_rate", "clip_range", "clip_range_vf")
_COUNTERS = (
    "num_timesteps",
    "_total_timesteps",
    "_n_updates",
    "_episode_num",
    "_current_progress_remaining",
    "task_paid",
)
_PACKAGES = ("numpy", "jax", "flax", "optax", "gymnasium", "stable_baselines3", "sbx_rl")
_OF_DISCRIMINATOR = (
    "discriminator_hidden",
    "normalization",
    "activation",
    "loss",
    "target_real",
    "target_fake",
)
_REPLAY_DATA = "amp/replay/data"
_FIXED = {"policy_kwargs", "symmetric_policy"}
_DISCRIMINATOR_STATE = (
    "params",
    "batch_stats",
    "normalizer",
)  # of `AMPState`; which features are masked is the schedule's


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def _plain(value: Any) -> Any:
    """A NumPy number or a path, which the constructor takes like any other, as JSON can hold it."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.item() if isinstance(value, np.generic) else value


def _schedule_to_json(model: Any, name: str) -> float | str | None:
    value = _plain(getattr(model, name))
    if value is None or isinstance(value, (int, float)):
        return value
    if isinstance(value, LinearSchedule):
        return str(value)
    current = float(value(model._current_progress_remaining))
    warnings.warn(
        f"{name} is a Python function, which a checkpoint cannot hold; its present value {current:g} is stored. Pass "
        f"{name}= to load() to go on with the function.",
        stacklevel=4,
    )
    return current


def _episodes_to_json(model: Any) -> dict[str, list]:
    """SB3's memory of the last episodes; `amp.reintroduce` may rest on it."""
    infos = [
        [float(info["r"]), int(info["l"]), float(info.get("t", 0.0))]
        for info in model.ep_info_buffer or ()
    ]
    return {
        "infos": infos,
        "successes": [float(success) for success in model.ep_success_buffer or ()],
    }


def flatten(tree: Any, prefix: str = "") -> Arrays:
    """Flat `{"a/b/c": array}` of a nested state dict."""
    if not isinstance(tree, Mapping):
        return {prefix: np.array(tree)}
    flat: Arrays = {}
    for key, value in tree.items():
        flat |= flatten(value, f"{prefix}/{key}" if prefix else str(key))
    return flat


def unflatten_into(target: Any, arrays: Arrays, prefix: str) -> Any:
    """`target` (any pytree flax can serialise) with every leaf replaced by `arrays[prefix/...]`.

    Raises:
        CheckpointError: an array is missing or of another shape.
    """

    def fill(tree: Any, path: str) -> Any:
        if isinstance(tree, Mapping):
            return {key: fill(value, f"{path}/{key}") for key, value in tree.items()}
        if path not in arrays:
            raise CheckpointError(
                f"the checkpoint has no array {path!r}; it was made with other networks or settings."
            )
        expected = np.shape(tree)
        if arrays[path].shape != expected:
            raise CheckpointError(
                f"array {path!r} has shape {arrays[path].shape}; this model needs {expected}."
            )
        return jnp.array(
            arrays[path], dtype=jnp.result_type(tree)
        )  # a copy: asarray may share the caller's memory

    return from_state_dict(target, fill(to_state_dict(target), prefix))


def _policy_name(model: Any) -> str:
    for name, policy_class in model.policy_aliases.items():
        if policy_class is model.policy_class:
            return name
    return f"{model.policy_class.__module__}.{model.policy_class.__qualname__}"


def save_model(
    model: Any,
    path: checkpoint.PathOrStream,
    extra: Mapping[str, Any],
    exclude: frozenset[str] = frozenset(),
) -> None:
    """See `AMPPPO.save`; `extra` is stored as it is."""
    try:
        policy_kwargs = describe(model.policy_kwargs)
    except ConfigError as error:
        raise CheckpointError(f"this model cannot be stored: {error}") from error
    hyperparameters = {name: _plain(getattr(model, name)) for name in _PLAIN}
    hyperparameters |= {name: _schedule_to_json(model, name) for name in _SCHEDULED}
    learner: AMPLearner | None = model.learner
    meta = {
        "algorithm": type(model).__name__,
        "versions": _versions(),
        "policy": _policy_name(model),
        "policy_kwargs": policy_kwargs,
        "hyperparameters": hyperparameters,
        "observation_space": checkpoint.space_to_json(model.observation_space),
        "action_space": checkpoint.space_to_json(model.action_space),
        "n_envs": _plain(model.n_envs),
        "counters": {name: _plain(getattr(model, name)) for name in _COUNTERS},
        "adaptive_lr": float(model.adaptive_lr.current_adaptive_lr)
        if model.target_kl is not None
        else None,
        "amp": None if model.amp is None else model.amp.to_dict(),
        "feature_dim": None if learner is None else learner.feature_dim,
        "layout": model.layout,
        "mirror": None if model.mirror is None else asdict(model.mirror),
        "extra": dict(extra),
        "controller": None if learner is None else learner.controller.to_json(),
        "episodes": _episodes_to_json(model),
    }
    arrays = flatten(
        to_state_dict({"actor": model.policy.actor_state, "critic": model.policy.vf_state})
    )
    if model.style_critic is not None:
        arrays |= flatten(to_state_dict(model.style_critic), "style_critic")
    arrays |= _keys(model)
    if learner is not None:
        arrays |= flatten(to_state_dict(learner.state), "amp")
        keep = 0 if "replay_buffer" in exclude else int(arrays["amp/replay/size"])
        # Unfilled rows are zeros; leaving them out keeps the files of short runs small.
        arrays[_REPLAY_DATA] = arrays[_REPLAY_DATA][:keep]
        if keep == 0:
            arrays["amp/replay/size"] = arrays["amp/replay/position"] = np.zeros((), np.int32)
    try:
        checkpoint.write(path, meta, arrays)
    except (TypeError, ValueError) as error:
        raise CheckpointError(
            f"the model's settings or `extra` are not plain JSON: {error}"
        ) from error


def _keys(model: Any) -> Arrays:
    keys = {"model": model.key, "policy": model.policy.key, "noise": model.policy.noise_key}
    return {f"keys/{name}": np.asarray(key) for name, key in keys.items()}


def replaceable(cls: Any) -> set[str]:
    """The constructor's arguments that may replace the stored ones; those in `_FIXED` must equal them."""
    return set(inspect.signature(cls.__init__).parameters) - {
        "self",
        "env",
        "device",
        "_init_setup_model",
    }


def load_model(
    cls: Any,
    path: checkpoint.PathOrStream,
    env: Any,
    device: str,
    overrides: dict[str, Any],
    verbose: bool = False,
) -> Any:
    """See `AMPPPO.load`."""
    meta, arrays = checkpoint.read(path)
    if verbose:
        print(f"saved with: {meta.get('versions')}\nrunning:    {_versions()}")
    try:
        arguments = dict(meta["hyperparameters"])
        observation_space = checkpoint.space_from_json(meta["observation_space"])
        action_space = checkpoint.space_from_json(meta["action_space"])
        policy, policy_kwargs = meta["policy"], resolve(meta["policy_kwargs"])
        arguments["amp"] = None if meta["amp"] is None else AMPConfig.from_dict(meta["amp"])
        feature_dim, counters = meta["feature_dim"], dict(meta["counters"])
        layout, n_envs, adaptive_lr = meta["layout"], meta["n_envs"], meta["adaptive_lr"]
        mirror = None if meta["mirror"] is None else Mirror.from_json(meta["mirror"])
        extra = dict(meta["extra"])
        controller, episodes = meta["controller"], meta["episodes"]
        infos = [{"r": float(r), "l": int(n), "t": float(t)} for r, n, t in episodes["infos"]]
        successes = [float(success) for success in episodes["successes"]]
    except (KeyError, TypeError, ValueError, ConfigError) as error:
        raise CheckpointError(
            f"{path}: the description of the model is incomplete: {error!r}."
        ) from error
    if wrong := sorted(set(meta["hyperparameters"]) ^ {*_PLAIN, *_SCHEDULED}):
        raise CheckpointError(
            f"{path}: settings of the model are missing or unknown: {', '.join(wrong)}."
        )

    if arguments["symmetric_policy"] != (mirror is not None):
        raise CheckpointError(
            f"{path}: a symmetric policy has a mirror and no other has; this file says otherwise."
        )
    if mirror is not None:
        try:
            mirror.check(observation_space.shape, action_space.shape)
        except ConfigError as error:
            raise CheckpointError(f"{path}: {error}") from error

    if "policy_kwargs" in overrides and resolve(overrides["policy_kwargs"]) != policy_kwargs:
        raise CheckpointError(
            f"policy_kwargs {overrides['policy_kwargs']} differ from the stored {meta['policy_kwargs']}."
        )
    symmetric = arguments["symmetric_policy"]
    if overrides.get("symmetric_policy", symmetric) != symmetric:
        raise CheckpointError(
            f"{path}: symmetric_policy is {symmetric} there, asked {overrides['symmetric_policy']}."
        )
    allowed = replaceable(cls) - _FIXED
    arguments |= {name: value for name, value in overrides.items() if name in allowed}
    policy = arguments.pop("policy", policy)
    if isinstance(policy, str) and policy not in cls.policy_aliases:
        raise CheckpointError(
            f"{path} was made with policy class {policy}; pass policy=<that class> to load()."
        )

    if env is not None:
        env = cls._wrap_env(env, arguments["verbose"])
        for name, stored in (
            ("observation_space", observation_space),
            ("action_space", action_space),
        ):
            if getattr(env, name) != stored:
                raise CheckpointError(
                    f"{name} differs.\n  checkpoint:  {stored}\n  environment: {getattr(env, name)}"
                )
        if mirror is not None and Mirror.of(env) != mirror:
            raise CheckpointError(
                f"{path}: the symmetric policy's mirror is another than the environment's."
            )
    try:
        if env is not None and arguments["amp"] is not None:
            check_layouts(layout, amp_layout(env), "checkpoint", "environment")
        reference_layout = getattr(arguments.get("reference"), "layout", None)
        check_layouts(layout, reference_layout, "checkpoint", "reference")
    except FeatureError as error:
        raise CheckpointError(f"{path}: {error}") from error

    model = cls(
        policy,
        env,
        device=device,
        policy_kwargs=policy_kwargs,
        _init_setup_model=False,
        **arguments,
    )
    if env is None:
        model.observation_space, model.action_space, model.n_envs = (
            observation_space,
            action_space,
            n_envs,
        )
    model.layout, model.mirror, model.extra = layout, mirror, extra
    model._setup_model()
    stored_amp = AMPConfig.coerce(meta["amp"])
    _check_discriminator(stored_amp, model.amp)
    _check_critic(stored_amp, model.amp)
    stages, stages_now = (
        None if amp is None else amp.reintroduce for amp in (stored_amp, model.amp)
    )
    if stages is not None and stages != stages_now:
        arrays.pop("amp/mask", None)  # other stages start with their own mask
    if "seed" in overrides:  # its random streams, not the file's
        arrays |= _keys(model) | (
            {} if model.learner is None else {"amp/key": np.asarray(model.learner.state.key)}
        )
    _restore(model, arrays, feature_dim)
    model.ep_info_buffer = deque(infos, maxlen=model._stats_window_size)
    model.ep_success_buffer = deque(successes, maxlen=model._stats_window_size)
    if controller is not None and model.learner is not None:
        try:
            model.learner.controller.restore(controller)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{path}: what it says of the discriminator's health cannot be read: {error!r}."
            ) from error
    for name, value in counters.items():
        if name in _COUNTERS:
            setattr(model, name, value)
    if model.target_kl is not None and adaptive_lr is not None and "learning_rate" not in overrides:
        model.adaptive_lr.current_adaptive_lr = adaptive_lr
    return model


def _check_discriminator(stored: AMPConfig | None, wanted: AMPConfig | None) -> None:
    """Raise `CheckpointError` where `wanted` would read the stored discriminator's weights, or its scores, as another's."""
    if stored is None or wanted is None:
        return
    if differing := [
        name for name in _OF_DISCRIMINATOR if getattr(stored, name) != getattr(wanted, name)
    ]:
        detail = "; ".join(
            f"amp.{name}: file {getattr(stored, name)!r}, asked {getattr(wanted, name)!r}"
            for name in differing
        )
        raise CheckpointError(
            f"the stored discriminator is another than amp= describes. {detail}. Ask for the same; or make a new AMPPPO and give"
            " it the policy alone: set_parameters({name: parts[name] for name in ('actor', 'critic')}, exact_match=False), of"
            " the loaded model's parts = get_parameters()."
        )


def _check_critic(stored: AMPConfig | None, wanted: AMPConfig | None) -> None:
    """Raise `CheckpointError` where, with AMP before and after, a critic would go on as the critic of other rewards."""
    if stored is not None and wanted is not None and stored.critic != wanted.critic:
        raise CheckpointError(
            f"amp.critic is {stored.critic!r} in the file, asked {wanted.critic!r}. Ask for the same."
        )


def _restore(model: Any, arrays: Arrays, feature_dim: int | None) -> None:
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
            f"the checkpoint's AMP features have {feature_dim} channels, the reference has {model.learner.feature_dim}."
        )
    data = arrays.get(_REPLAY_DATA)
    if data is not None:
        capacity = model.amp.replay_buffer_size
        if data.shape[0] > capacity or data.ndim != 2:
            raise CheckpointError(
                f"the stored replay buffer {data.shape} does not fit amp.replay_buffer_size {capacity}."
            )
        if (
            data.shape[0] < capacity
        ):  # a ring that was full goes on from its oldest row, into what is free now
            data = np.roll(data, -int(arrays["amp/replay/position"]), axis=0)
            arrays = arrays | {"amp/replay/position": np.array(data.shape[0], np.int32)}
        arrays = arrays | {_REPLAY_DATA: np.pad(data, ((0, capacity - data.shape[0]), (0, 0)))}
    state = model.learner.state
    arrays = {"amp/mask": np.asarray(state.mask)} | arrays  # absent: other stages than the file's
    model.learner.restore(unflatten_into(state, arrays, "amp"))


def get_arrays(model: Any) -> dict[str, Arrays]:
    """See `AMPPPO.get_parameters`."""
    return {part: flatten(to_state_dict(tree)) for part, tree in _parts(model).items()}


def set_arrays(model: Any, source: Any, exact_match: bool) -> None:
    """See `AMPPPO.set_parameters`."""
    targets = _parts(model)
    if isinstance(source, Mapping):
        flat = {
            f"{part}/{name}": array
            for part, arrays in source.items()
            for name, array in arrays.items()
        }
    else:
        meta, stored = checkpoint.read(source)
        _check_networks(model, meta, source)
        prefixes = {
            "actor/params/": "actor/",
            "critic/params/": "critic/",
            "style_critic/params/": "style_critic/",
        }
        prefixes |= {f"amp/{name}": f"discriminator/{name}" for name in _DISCRIMINATOR_STATE}
        flat = {
            new + name[len(old) :]: array
            for name, array in stored.items()
            for old, new in prefixes.items()
            if name.startswith(old)
        }
    given = {name.split("/", 1)[0] for name in flat}
    if exact_match and given != set(targets):
        raise CheckpointError(
            f"parameters are given for {sorted(given)}; this model has {sorted(targets)}."
        )
    chosen = {part: target for part, target in targets.items() if part in given}
    known = {
        f"{part}/{name}"
        for part, target in chosen.items()
        for name in flatten(to_state_dict(target))
    }
    if unknown := sorted(
        name for name in flat if name not in known and name.split("/", 1)[0] in chosen
    ):
        raise CheckpointError(
            f"this model has no array {', '.join(unknown[:3])}; they are of other networks."
        )
    new = {part: unflatten_into(target, flat, part) for part, target in chosen.items()}
    if "discriminator" in new:  # first, since it may be refused
        _restore_discriminator(model.learner, new["discriminator"])
    policy = model.policy
    policy.actor_state = policy.actor_state.replace(params=new.get("actor", targets["actor"]))
    policy.vf_state = policy.vf_state.replace(params=new.get("critic", targets["critic"]))
    if "style_critic" in new:
        model.style_critic = model.style_critic.replace(params=new["style_critic"])


def _restore_discriminator(learner: AMPLearner, new: dict[str, Any]) -> None:
    old, changed = learner.state.normalizer, new["normalizer"]
    if not (np.array_equal(old.mean, changed.mean) and np.array_equal(old.std, changed.std)):
        new = new | {
            "replay": replay_buffer.init(*learner.state.replay.data.shape)
        }  # what is there the old one normalised
    learner.restore(replace(learner.state, **new))


def _parts(model: Any) -> dict[str, Any]:
    """What a model has learnt, by part: pytrees. A discriminator's scores mean something with its own normaliser only."""
    parts = {"actor": model.policy.actor_state.params, "critic": model.policy.vf_state.params}
    if model.style_critic is not None:
        parts["style_critic"] = model.style_critic.params
    if model.learner is not None:
        parts["discriminator"] = {
            name: getattr(model.learner.state, name) for name in _DISCRIMINATOR_STATE
        }
    return parts


def _check_networks(model: Any, meta: Mapping[str, Any], path: Any) -> None:
    """Raise `CheckpointError` where a file's arrays are of networks that compute something else with the same shapes."""
    try:
        kwargs, stored = resolve(meta["policy_kwargs"]), AMPConfig.coerce(meta["amp"])
        mirror = None if meta["mirror"] is None else Mirror.from_json(meta["mirror"])
    except (KeyError, TypeError, ConfigError) as error:
        raise CheckpointError(
            f"{path}: the description of the model is incomplete: {error!r}."
        ) from error
    if mirror != model.mirror:
        raise CheckpointError(
            f"{path}: its policy is symmetric and this model's is not, the other way round, or by another mirror."
        )
    signatures = (
        inspect.signature(base.__init__).parameters for base in model.policy_class.__mro__
    )
    usual = next(
        parameters["activation_fn"].default
        for parameters in signatures
        if "activation_fn" in parameters
    )
    if kwargs.get("activation_fn", usual) is not model.policy_kwargs.get("activation_fn", usual):
        raise CheckpointError(
            f"{path}: policy_kwargs are {meta['policy_kwargs']} there; this model has another activation_fn."
        )
    _check_discriminator(stored, model.amp)
    if model.amp is not None:
        try:
            check_layouts(meta.get("layout"), model.layout, "checkpoint", "model")
        except FeatureError as error:
            raise CheckpointError(f"{path}: {error}") from error
