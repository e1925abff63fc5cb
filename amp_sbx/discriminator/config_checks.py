"""Checks of `AMPConfig`. Every failure is a `ConfigError` that names the setting."""

import math
from typing import Any

from amp_sbx.common.checks import (
    build_section,
    check_band,
    check_choice,
    check_flag,
    check_integer,
    check_number,
)
from amp_sbx.common.errors import ConfigError
from amp_sbx.discriminator.adapt_bounds import ADAPT_EXAMPLE, AdaptBounds
from amp_sbx.discriminator.losses import DISCRIMINATOR_LOSSES, GRADIENT_PENALTIES
from amp_sbx.discriminator.network import ACTIVATIONS, NORMALIZATIONS
from amp_sbx.discriminator.rewards import REWARDS_OF_LOSS, STYLE_REWARDS

MIXES = ("sum", "lerp")
CRITICS = ("shared", "separate")
ORDERS = ("reward_first", "update_first")
CHOICES = {
    "normalization": NORMALIZATIONS,
    "activation": ACTIVATIONS,
    "loss": DISCRIMINATOR_LOSSES,
    "reward": STYLE_REWARDS,
    "gradient_penalty": GRADIENT_PENALTIES,
    "mix": MIXES,
    "critic": CRITICS,
    "order": ORDERS,
}
_NON_NEGATIVE = (
    "weight", "task_weight", "r1_gamma", "gp_lambda", "weight_decay", "disc_input_noise_std",
)  # fmt: skip
_POSITIVE = ("disc_lr", "max_grad_norm", "feature_min_std", "feature_clip")
_FRACTIONS = {"replay_buffer_ratio": 1.0, "label_smoothing": 1.0, "held_out_fraction": 0.5}
_INTEGERS = {"batch_size": 1, "update_steps": 1, "replay_buffer_size": 0, "adapt_every": 1}


def check_values(config: Any) -> None:
    """Check each setting of an `AMPConfig` on its own."""
    for name in _NON_NEGATIVE:
        check_number(f"amp.{name}", getattr(config, name), 0.0)
    for name in _POSITIVE:
        check_number(f"amp.{name}", getattr(config, name), 0.0, open_low=True)
    for name, high in _FRACTIONS.items():
        check_number(f"amp.{name}", getattr(config, name), 0.0, high)
    for name, low in _INTEGERS.items():
        check_integer(f"amp.{name}", getattr(config, name), low)
    for name in ("target_real", "target_fake"):
        check_number(f"amp.{name}", getattr(config, name), -math.inf)
    widths = config.discriminator_hidden
    if not isinstance(widths, tuple) or not widths:
        raise ConfigError(
            f"amp.discriminator_hidden is {widths!r}; give a list of widths, e.g. [1024, 512, 256]."
        )
    for width in widths:
        check_integer("amp.discriminator_hidden", width, 1)
    for name, allowed in CHOICES.items():
        check_choice(f"amp.{name}", getattr(config, name), allowed)
    for name in ("adapt", "single_motion", "symmetry"):
        check_flag(f"amp.{name}", getattr(config, name))


def check_combinations(config: Any) -> None:
    """Check settings of an `AMPConfig` that are valid alone but not together."""
    if config.smoothed_target <= config.target_fake:
        raise ConfigError(
            f"amp.target_real {config.target_real}, smoothed by amp.label_smoothing "
            f"{config.label_smoothing}, must be greater than amp.target_fake {config.target_fake}."
        )
    if config.reward not in REWARDS_OF_LOSS[config.loss]:
        fitting = [loss for loss, rewards in REWARDS_OF_LOSS.items() if config.reward in rewards]
        raise ConfigError(
            f"amp.reward {config.reward!r} does not fit the scores of amp.loss {config.loss!r}; "
            f"allowed with it: {', '.join(REWARDS_OF_LOSS[config.loss])}; {config.reward!r} goes "
            f"with: {', '.join(fitting)}."
        )
    if config.loss == "bce" and (config.target_fake < 0.0 or config.target_real > 1.0):
        raise ConfigError(
            f"amp.target_real {config.target_real} and amp.target_fake {config.target_fake} are "
            "probabilities with amp.loss 'bce'; allowed: 0 to 1."
        )
    if config.loss == "wgan":
        _check_wgan(config)
    highest = config.weight * max(config.schedule.initial, config.schedule.final)
    if config.mix == "lerp" and highest > 1.0:
        raise ConfigError(
            f"amp.weight {config.weight} times amp.schedule exceeds 1 with amp.mix 'lerp'; "
            "allowed: up to 1."
        )


def _check_wgan(config: Any) -> None:
    setting = config.penalty_setting
    if setting is None or getattr(config, setting) == 0.0:
        above = "" if setting is None else f", with amp.{setting} above 0"
        raise ConfigError(
            f"amp.loss 'wgan' needs an amp.gradient_penalty, 'wgan_gp' or 'r1'{above}: nothing "
            "else bounds its critic."
        )
    for name in ("target_real", "target_fake", "label_smoothing"):
        if getattr(config, name) != getattr(type(config), name):
            raise ConfigError(
                f"amp.{name} has no effect with amp.loss 'wgan', whose critic has no targets; "
                "remove it."
            )
    if config.schedule.wait_logits is not None:
        raise ConfigError(
            "amp.schedule.wait_logits has no effect with amp.loss 'wgan', whose scores have no "
            "scale; remove it."
        )


def check_adapt(config: Any) -> tuple[AdaptBounds | None, tuple[float, float] | None]:
    """Check `adapt`, `adapt_bounds` and `adapt_auc` of an `AMPConfig`.

    Returns:
        `(adapt_bounds, adapt_auc)` in their final types.
    """
    band = config.adapt_auc
    if band is not None:
        band = check_band("amp.adapt_auc", band, 0.0, 1.0, "[0.6, 0.85]")
        if not config.adapt:
            raise ConfigError("amp.adapt_auc is given without amp.adapt; set amp.adapt to true.")
    if config.adapt_bounds is None:
        if config.adapt:
            raise ConfigError(
                f"amp.adapt is true without amp.adapt_bounds; give them, e.g. adapt_bounds: "
                f"{ADAPT_EXAMPLE}."
            )
        return None, band
    bounds = build_section(AdaptBounds, "amp.adapt_bounds", config.adapt_bounds, ADAPT_EXAMPLE)
    _check_bounds(config, bounds)
    return bounds, band


def _check_bounds(config: Any, bounds: AdaptBounds) -> None:
    penalty = config.penalty_setting
    if penalty is None and bounds.penalty is not None:
        raise ConfigError(
            "amp.adapt_bounds.penalty is given, but amp.gradient_penalty is 'none'; remove it."
        )
    if penalty is not None and bounds.penalty is None:
        raise ConfigError(
            f"amp.adapt_bounds.penalty is None, but amp.{penalty} is in use; give its bounds, "
            f"e.g. {ADAPT_EXAMPLE}."
        )
    for name, setting in (
        ("update_steps", "update_steps"),
        ("disc_lr", "disc_lr"),
        ("penalty", penalty),
    ):
        limits, value = getattr(bounds, name), None if setting is None else getattr(config, setting)
        if value is not None and not limits[0] <= value <= limits[1]:
            raise ConfigError(
                f"amp.adapt_bounds.{name} {list(limits)} do not enclose amp.{setting} {value:g}, "
                f"where training begins; widen them or change it, e.g. {ADAPT_EXAMPLE}."
            )
