"""`amp.adapt`: the verdicts on the discriminator move its settings, one step at a time and within bounds.

Too strong or memorised makes it weaker (fewer update steps, a lower learning rate, a higher gradient penalty), collapsed or
frozen stronger: the advice that `health` gives, carried out.
"""

from typing import NamedTuple

import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Float, Int

from amp_sbx.common.errors import ConfigError
from amp_sbx.discriminator.config import AMPConfig

FACTOR = 1.25  # of learning rate and penalty in one move; five moves are a factor of three
DIRECTIONS = {
    "too strong": -1,
    "memorised": -1,
    "collapsed": 1,
    "frozen": 1,
}  # of the discriminator's strength, by verdict


@struct.dataclass
class Drive:
    """How far the discriminator's settings are moved from the configured ones; a part of the learning state."""

    more_steps: Int[Array, ""]
    lr_scale: Float[Array, ""]
    penalty_scale: Float[Array, ""]

    @classmethod
    def neutral(cls) -> "Drive":
        """Nothing moved. Fixed dtypes, so that a move recompiles nothing."""
        return cls(
            jnp.array(0, jnp.int32), jnp.array(1.0, jnp.float32), jnp.array(1.0, jnp.float32)
        )


class InForce(NamedTuple):
    """The discriminator's settings as they are now. Without a gradient penalty its coefficient is 0."""

    update_steps: Int[Array, ""]
    disc_lr: Float[Array, ""]
    penalty: Float[Array, ""]


def in_force(config: AMPConfig, drive: Drive) -> InForce:
    """The configured settings moved by `drive`, within `amp.adapt_bounds`. Works inside `jit`."""
    bounds, setting = config.adapt_bounds, config.penalty_setting
    if bounds is None:
        raise ConfigError("amp.adapt_bounds are missing; without them nothing is moved.")
    penalty = jnp.array(0.0, jnp.float32)
    if setting is not None and bounds.penalty is not None:
        penalty = jnp.clip(getattr(config, setting) * drive.penalty_scale, *bounds.penalty)
    return InForce(
        jnp.clip(config.update_steps + drive.more_steps, *bounds.update_steps),
        jnp.clip(config.disc_lr * drive.lr_scale, *bounds.disc_lr),
        penalty,
    )


def direction(verdict: str, auc: float, band: tuple[float, float] | None) -> int:
    """-1: weaken the discriminator, 1: strengthen it, 0: leave it; by the verdict, and where that is healthy by `band`."""
    if verdict == "healthy" and band is not None:
        return int(auc < band[0]) - int(auc > band[1])
    return DIRECTIONS.get(verdict, 0)


def moved(config: AMPConfig, drive: Drive, direction: int) -> Drive:
    """`drive` one step further: one update step, and `FACTOR` on learning rate and penalty.

    It sets out from the settings in force, so that what a bound has cut off need not be taken back first.
    """
    now, factor = in_force(config, drive), FACTOR**direction
    setting = config.penalty_setting
    return Drive(
        more_steps=now.update_steps - config.update_steps + direction,
        lr_scale=now.disc_lr / config.disc_lr * factor,
        penalty_scale=drive.penalty_scale
        if setting is None
        else now.penalty / getattr(config, setting) / factor,
    )


def described(config: AMPConfig, before: InForce, after: InForce) -> str:
    """What a move did, by the config's own names; empty where the bounds left nothing to move."""
    names = ("update_steps", "disc_lr", config.penalty_setting or "")
    changes = zip(names, before, after, strict=True)
    return ", ".join(
        f"amp.{name} {float(old):.3g} -> {float(new):.3g}"
        for name, old, new in changes
        if float(old) != float(new)
    )
