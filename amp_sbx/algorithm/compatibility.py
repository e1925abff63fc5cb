"""Whether a checkpoint's networks mean the same in another model, beyond their shapes."""

import inspect
from typing import Any

from amp_sbx.algorithm.critic import CriticInputs
from amp_sbx.algorithm.description import Description
from amp_sbx.common.errors import CheckpointError, FeatureError
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.reference.features import check_layouts

_OF_DISCRIMINATOR = (
    "discriminator_hidden",
    "normalization",
    "activation",
    "loss",
    "target_real",
    "target_fake",
)


def check_discriminator(stored: AMPConfig | None, wanted: AMPConfig | None) -> None:
    """Raise `CheckpointError` if the stored discriminator is not the one `wanted` describes."""
    if stored is None or wanted is None:
        return
    differing = [n for n in _OF_DISCRIMINATOR if getattr(stored, n) != getattr(wanted, n)]
    if differing:
        detail = "; ".join(
            f"amp.{name}: file {getattr(stored, name)!r}, asked {getattr(wanted, name)!r}"
            for name in differing
        )
        raise CheckpointError(
            f"the stored discriminator is another than amp= describes. {detail}. Ask for the same. "
            "Or make a new AMPPPO and give it only the policy: set_parameters({name: parts[name] "
            "for name in ('actor', 'critic')}, exact_match=False), with parts = get_parameters() "
            "of the loaded model."
        )


def check_critic(stored: AMPConfig | None, wanted: AMPConfig | None) -> None:
    """Raise `CheckpointError` if a critic would continue with other rewards than it learned."""
    if stored is not None and wanted is not None and stored.critic != wanted.critic:
        raise CheckpointError(
            f"amp.critic is {stored.critic!r} in the file, asked {wanted.critic!r}. "
            "Ask for the same."
        )


def _seen(inputs: CriticInputs | None) -> str:
    return "the observations" if inputs is None else f"{inputs.dim} columns of critic_obs"


def check_networks(model: Any, stored: Description, path: Any) -> None:
    """Raise `CheckpointError` if the file's networks compute something else than the model's."""
    asked = model.symmetric_policy, model.mirror
    if (stored.arguments["symmetric_policy"], stored.mirror) != asked:
        raise CheckpointError(
            f"{path}: its policy and this model's differ in symmetric_policy or in the mirror."
        )
    if stored.critic_inputs != model.critic_inputs:
        raise CheckpointError(
            f"{path}: its critic sees {_seen(stored.critic_inputs)}, this model's "
            f"{_seen(model.critic_inputs)}. Use the same critic_obs."
        )
    signatures = (
        inspect.signature(base.__init__).parameters for base in model.policy_class.__mro__
    )
    usual = next(
        parameters["activation_fn"].default
        for parameters in signatures
        if "activation_fn" in parameters
    )
    ours = model.policy_kwargs.get("activation_fn", usual)
    if stored.policy_kwargs.get("activation_fn", usual) is not ours:
        raise CheckpointError(
            f"{path}: this model has another activation_fn than policy_kwargs "
            f"{stored.stored_policy_kwargs} in the file."
        )
    check_discriminator(stored.amp, model.amp)
    if model.amp is not None:
        try:
            check_layouts(stored.layout, model.layout, "checkpoint", "model")
        except FeatureError as error:
            raise CheckpointError(f"{path}: {error}") from error
