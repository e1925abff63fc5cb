"""`amp.adapt_bounds`: ranges of the settings that `amp.adapt` changes."""

from dataclasses import dataclass
from typing import Any

from amp_sbx.common.checks import check_band, check_integer, check_number

ADAPT_EXAMPLE = "{update_steps: [1, 8], disc_lr: [1e-4, 1e-3], penalty: [2.0, 50.0]}"


@dataclass(frozen=True)
class AdaptBounds:
    """(low, high) range of each setting that `amp.adapt` changes.

    Attributes:
        update_steps: range of `AMPConfig.update_steps`.
        disc_lr: range of `AMPConfig.disc_lr`.
        penalty: range of the gradient penalty's coefficient (`r1_gamma` or `gp_lambda`). None
            without a gradient penalty.
    """

    update_steps: tuple[int, int]
    disc_lr: tuple[float, float]
    penalty: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name in ("update_steps", "disc_lr", "penalty"):
            band: Any = getattr(self, name)
            if name == "penalty" and band is None:
                continue
            band = check_band(f"amp.adapt_bounds.{name}", band, 0.0, float("inf"), ADAPT_EXAMPLE)
            for end in band:
                if name == "update_steps":
                    check_integer("amp.adapt_bounds.update_steps", end, 1)
                else:  # changes are factors, which cannot leave 0
                    check_number(f"amp.adapt_bounds.{name}", end, 0.0, open_low=True)
            object.__setattr__(self, name, band)
