"""`amp.schedule`: the style weight over environment steps."""

from dataclasses import dataclass

from amp_sbx.common.checks import check_band, check_number
from amp_sbx.common.errors import ConfigError
from amp_sbx.common.schedules import ramp

SCHEDULE_EXAMPLE = "{initial: 0.1, ramp_start: 5e5, ramp_end: 2e6, final: 1.0}"

SATURATION = {"lsgan": 1.0, "bce": 10.0}
"""Defaults of `WeightSchedule.wait_logits` by loss.

The default recipe's scores stay within 0.4 of their targets. A logit of 10 earns the full reward
to within 5e-5. A Wasserstein critic's scores have no scale and never saturate.
"""


@dataclass(frozen=True)
class WeightSchedule:
    """Factor on `AMPConfig.weight` over environment steps. The default is 1 throughout.

    With `wait_auc`, the ramp pauses in every iteration whose discriminator is not healthy, and
    ends later by the length of the pauses.

    Attributes:
        initial: factor before `ramp_start`.
        ramp_start: environment step at which the linear ramp starts.
        ramp_end: environment step at which the ramp reaches `final`.
        final: factor after the ramp.
        wait_auc: (low, high) range of the smoothed AUC in which the ramp continues. None: the
            ramp never pauses.
        wait_logits: how far scores may lie beyond their targets (lsgan) or from 0 (bce) before
            the ramp pauses. None: the default of `SATURATION`.
        wait_at_most: total environment steps of all pauses; required with `wait_auc`.

    Example:
        >>> schedule = WeightSchedule(initial=0.0, ramp_end=1e6)
        >>> schedule(500_000)
        0.5
    """

    initial: float = 1.0
    ramp_start: float = 0.0
    ramp_end: float = 0.0
    final: float = 1.0
    wait_auc: tuple[float, float] | None = None
    wait_logits: float | None = None
    wait_at_most: float | None = None

    def __post_init__(self) -> None:
        for name in ("initial", "ramp_start", "ramp_end", "final"):
            check_number(f"amp.schedule.{name}", getattr(self, name), 0.0)
        if self.ramp_end < self.ramp_start:
            raise ConfigError(
                f"amp.schedule.ramp_end {self.ramp_end} is before ramp_start {self.ramp_start}; "
                "swap them."
            )
        if self.ramp_end == 0 and self.initial != self.final:
            raise ConfigError(
                f"amp.schedule.initial {self.initial:g} never applies: the ramp ends at step 0, "
                f"and final {self.final:g} applies from there. Give ramp_end, e.g. "
                f"{SCHEDULE_EXAMPLE}, or set initial and final to the same value."
            )
        self._check_pauses()

    def _check_pauses(self) -> None:
        if self.wait_auc is None:
            for name in ("wait_logits", "wait_at_most"):
                if getattr(self, name) is not None:
                    raise ConfigError(
                        f"amp.schedule.{name} is given without wait_auc. Give the AUC range in "
                        "which the ramp continues, e.g. wait_auc: [0.6, 0.85]."
                    )
            return
        band = check_band("amp.schedule.wait_auc", self.wait_auc, 0.0, 1.0, "[0.6, 0.85]")
        object.__setattr__(self, "wait_auc", band)
        if self.wait_at_most is None:
            raise ConfigError(
                "amp.schedule.wait_auc is given without wait_at_most, so the ramp could pause "
                "forever. Give the environment steps of all pauses, e.g. wait_at_most: 2e6."
            )
        for name in ("wait_at_most", "wait_logits"):
            if (value := getattr(self, name)) is not None:
                check_number(f"amp.schedule.{name}", value, 0.0, open_low=True)
        if self.ramp_end == self.ramp_start:
            raise ConfigError(
                f"amp.schedule.wait_auc is given, but ramp_start and ramp_end are both "
                f"{self.ramp_end:g}, so there is no ramp that could wait; e.g. {SCHEDULE_EXAMPLE}."
            )

    def __call__(self, num_timesteps: float) -> float:
        """The factor after `num_timesteps` environment steps."""
        return ramp(num_timesteps, self.initial, self.ramp_start, self.ramp_end, self.final)

    def waits(self, clock: float, auc: float, saturated: bool) -> bool:
        """Whether the ramp should pause.

        Args:
            clock: environment steps of the ramp so far.
            auc: smoothed AUC of the discriminator.
            saturated: whether its scores lie too far out.
        """
        if self.wait_auc is None or not self.ramp_start <= clock < self.ramp_end:
            return False
        return saturated or not self.wait_auc[0] <= auc <= self.wait_auc[1]
