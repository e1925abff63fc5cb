"""`amp.adapt`: verdicts change the discriminator's settings step by step, within bounds.

A discriminator that is too strong or memorized is weakened: fewer update steps, a lower learning
rate, a higher gradient penalty. A collapsed or frozen one is strengthened.
"""

from typing import NamedTuple

import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Float, Int

from amp_sbx.common.errors import ConfigError
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.verdict import Verdict

FACTOR = 1.25
"""Factor on learning rate and penalty in one step; five steps change them by three."""
DIRECTIONS = {
    Verdict.TOO_STRONG: -1,
    Verdict.MEMORIZED: -1,
    Verdict.COLLAPSED: 1,
    Verdict.FROZEN: 1,
}
"""Direction of the discriminator's strength by verdict."""


@struct.dataclass
class Adaptation:
    """Offset of the current discriminator settings from the configured ones.

    It is part of the learning state. All values are arrays, so a change compiles nothing.

    Attributes:
        more_steps: added to `update_steps`.
        lr_scale: factor on `disc_lr`.
        penalty_scale: factor on the gradient penalty's coefficient.
    """

    more_steps: Int[Array, ""]
    lr_scale: Float[Array, ""]
    penalty_scale: Float[Array, ""]

    @classmethod
    def neutral(cls) -> "Adaptation":
        """No change from the configured settings."""
        return cls(
            jnp.array(0, jnp.int32), jnp.array(1.0, jnp.float32), jnp.array(1.0, jnp.float32)
        )


class AdaptedSettings(NamedTuple):
    """The discriminator's current settings. Without a gradient penalty, `penalty` is 0."""

    update_steps: Int[Array, ""]
    disc_lr: Float[Array, ""]
    penalty: Float[Array, ""]


def adapted_settings(config: AMPConfig, adaptation: Adaptation) -> AdaptedSettings:
    """The configured settings changed by `adaptation`, clipped to `amp.adapt_bounds`.

    Works inside `jit`.

    Raises:
        ConfigError: the config has no `adapt_bounds`.
    """
    bounds, setting = config.adapt_bounds, config.penalty_setting
    if bounds is None:
        raise ConfigError("amp.adapt_bounds is None; give bounds for the settings to adapt.")
    penalty = jnp.array(0.0, jnp.float32)
    if setting is not None and bounds.penalty is not None:
        penalty = jnp.clip(getattr(config, setting) * adaptation.penalty_scale, *bounds.penalty)
    return AdaptedSettings(
        jnp.clip(config.update_steps + adaptation.more_steps, *bounds.update_steps),
        jnp.clip(config.disc_lr * adaptation.lr_scale, *bounds.disc_lr),
        penalty,
    )


def direction(verdict: Verdict, auc: float, band: tuple[float, float] | None) -> int:
    """Whether to weaken (-1), keep (0) or strengthen (1) the discriminator.

    Args:
        verdict: the current verdict.
        auc: smoothed AUC.
        band: range of the AUC to keep while the verdict is healthy; None: any.
    """
    if verdict is Verdict.HEALTHY and band is not None:
        return int(auc < band[0]) - int(auc > band[1])
    return DIRECTIONS.get(verdict, 0)


def adapt(config: AMPConfig, adaptation: Adaptation, direction: int) -> Adaptation:
    """One step in `direction`: one update step, and `FACTOR` on learning rate and penalty.

    It starts from the clipped settings, so a step away from a bound takes effect at once.
    """
    now, factor = adapted_settings(config, adaptation), FACTOR**direction
    setting = config.penalty_setting
    return Adaptation(
        more_steps=now.update_steps - config.update_steps + direction,
        lr_scale=now.disc_lr / config.disc_lr * factor,
        penalty_scale=adaptation.penalty_scale
        if setting is None
        else now.penalty / getattr(config, setting) / factor,
    )


def describe_change(config: AMPConfig, before: AdaptedSettings, after: AdaptedSettings) -> str:
    """The changed settings by their config names; empty if the bounds allowed no change."""
    names = ("update_steps", "disc_lr", config.penalty_setting or "")
    changes = zip(names, before, after, strict=True)
    return ", ".join(
        f"amp.{name} {float(old):.3g} -> {float(new):.3g}"
        for name, old, new in changes
        if float(old) != float(new)
    )
