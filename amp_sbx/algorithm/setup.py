"""Steps of building an `AMPPPO`: checks of its arguments, critics, layout and minibatch size."""

import warnings
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from flax.training.train_state import TrainState
from sbx.ppo.policies import CnnPolicy
from stable_baselines3.common.vec_env import VecEnv

from amp_sbx.algorithm.critic import ValueFunction, example, give_inputs
from amp_sbx.algorithm.description import SCHEDULES
from amp_sbx.algorithm.equivariant import policy_classes
from amp_sbx.algorithm.policy_kwargs import describe
from amp_sbx.algorithm.sharing import shared_state
from amp_sbx.algorithm.symmetry import SymmetricActor
from amp_sbx.common.errors import ConfigError
from amp_sbx.common.mirror import declared_mirror
from amp_sbx.common.schedules import Schedule, parse_schedule, schedule_to_json
from amp_sbx.common.vec_infos import amp_layout
from amp_sbx.discriminator.learner import AMPLearner
from amp_sbx.reference.features import check_layouts

UNSTORABLE = "this model can learn, but not be saved"


def strip_weak_type(leaf: Any) -> Any:
    """Fix the dtype: a weakly typed array would compile the update again after the first call."""
    return jax.lax.convert_element_type(leaf, jax.numpy.result_type(leaf))


def network_classes(model: Any) -> dict[str, Any]:
    """The `policy_kwargs` that name an equivariant policy's networks; none otherwise.

    Raises:
        ConfigError: these networks cannot be built with the model's other `policy_kwargs`.
    """
    if model.symmetric_policy != "equivariant":
        return {}
    return policy_classes(model.policy_class, model.policy_kwargs, model.mirror)


def fix_states(model: Any) -> None:
    """Fixed dtypes, functions shared with equal models, and the averaged mean, if asked for.

    A critic with inputs of its own gets them before.

    Raises:
        ConfigError: it cannot have them.
    """
    policy = model.policy
    if model.critic_inputs is not None:
        give_inputs(model)
    policy.predict_values = ValueFunction(policy, model.critic_inputs)
    optimizer = policy.optimizer_class, policy.optimizer_kwargs, model.max_grad_norm
    states = (
        shared_state(policy.actor_state, policy.actor, *optimizer),
        shared_state(policy.vf_state, policy.vf, *optimizer),
    )
    policy.actor_state, policy.vf_state = jax.tree.map(strip_weak_type, states)
    if model.symmetric_policy == "mean":
        symmetric = SymmetricActor(policy.actor_state.apply_fn, model.mirror)
        policy.actor_state = policy.actor_state.replace(apply_fn=symmetric)


def check_sizes(n_steps: Any, n_epochs: Any, batch_size: Any) -> None:
    """Raise `ConfigError` unless all are whole numbers and large enough."""
    for name, value, low in (
        ("n_steps", n_steps, 1),
        ("n_epochs", n_epochs, 1),
        ("batch_size", batch_size, 2),
    ):
        if not isinstance(value, (int, np.integer)) or value < low:
            raise ConfigError(f"{name} is {value!r}; it must be a whole number, at least {low}.")


def parse_clip_range_vf(value: float | str | Schedule | None) -> float | Schedule | None:
    """`clip_range_vf` as a number, a schedule or None.

    Raises:
        ConfigError: it is negative or no schedule.
    """
    if value is None:
        return None
    parsed = parse_schedule(value, "clip_range_vf")
    if isinstance(parsed, float) and not parsed >= 0:
        raise ConfigError(
            f"clip_range_vf is {parsed}; it cannot be negative, and None leaves values unclipped."
        )
    return parsed


def warn_if_incomplete(amp: Any, reference: Any) -> None:
    """Warn if only one of amp= and reference= is given."""
    if (amp is None) != (reference is None):
        given, missing = ("amp", "reference") if reference is None else ("reference", "amp")
        warnings.warn(
            f"{given} is given without {missing}: this is plain PPO, without AMP.", stacklevel=3
        )


def warn_if_unstorable(policy_kwargs: dict[str, Any]) -> None:
    """Warn before training, not after it, about a policy that `save` would refuse."""
    try:
        describe(policy_kwargs)
    except ConfigError as error:
        warnings.warn(f"{UNSTORABLE}: {error}", stacklevel=5)


def warn_of_functions(model: Any) -> None:
    """Warn before training about schedules that `save` would refuse."""
    try:
        for name in SCHEDULES:
            schedule_to_json(getattr(model, name), name)
    except ConfigError as error:
        warnings.warn(f"{UNSTORABLE}: {error}", stacklevel=3)


MANY_MINIBATCHES = 4096  # in an epoch; SB3's defaults make 32 with one environment


def minibatch_size(model: Any) -> int:
    """The minibatch size, at most the whole rollout.

    Warns about samples that are dropped, and about defaults that do not suit many environments.
    """
    total = model.n_steps * model.n_envs
    size = min(model.batch_size, total)
    if model.env is not None and total % size:
        warnings.warn(
            f"batch_size {size} does not divide n_steps * n_envs = {total}: every epoch drops "
            f"{total % size} samples. Choose a divisor to use them all.",
            stacklevel=5,
        )
    if model.env is not None and total // size > MANY_MINIBATCHES:
        warnings.warn(
            f"a rollout of {total:,} steps (n_steps {model.n_steps}, {model.n_envs} environments) "
            f"makes {total // size:,} minibatches of batch_size {size} in every epoch, which is "
            "slow. For many environments choose, for example, n_steps=24 and batch_size=6144.",
            stacklevel=5,
        )
    return size


def new_style_critic(model: Any) -> TrainState:
    """A critic like the policy's, with other weights and a new optimizer.

    Raises:
        ConfigError: the policy's critic shares its CNN with the actor.
    """
    if isinstance(model.policy, CnnPolicy):
        raise ConfigError(
            "amp.critic is 'separate', but CnnPolicy's critic shares the actor's CNN; "
            "allowed: 'shared'."
        )
    model.key, key = jax.random.split(model.key)
    like = model.policy.vf_state
    params = model.policy.vf.init(key, example(model))
    return jax.tree.map(
        strip_weak_type, like.replace(params=params, opt_state=like.tx.init(params))
    )


def new_learner(model: Any) -> AMPLearner:
    """The discriminator of a model with `amp` and `reference`.

    Raises:
        ConfigError: `amp.symmetry` without an environment.
    """
    model.key, key = jax.random.split(model.key)
    if model.reference.layout is None and model.layout is not None:
        # The environment's layout names the columns.
        model.reference = replace(model.reference, layout=model.layout)
    if model.env is None and model.amp.symmetry:
        raise ConfigError(
            "amp.symmetry needs the environment's `mirror`: give env= together with reference=."
        )
    mirror = None if model.env is None else declared_mirror(model.env)
    return AMPLearner(model.amp, model.reference, key, mirror=mirror)


def common_layout(model: Any, env: VecEnv) -> dict[str, Any] | None:
    """The layout of model, environment and reference.

    Raises:
        FeatureError: two of them differ.
    """
    if model.amp is None:
        return model.layout
    declared = amp_layout(env)
    reference = None if model.reference is None else model.reference.layout
    check_layouts(model.layout, declared, "model", "environment")
    layout = declared or model.layout
    check_layouts(reference, layout, "reference", "environment")
    return layout or reference
