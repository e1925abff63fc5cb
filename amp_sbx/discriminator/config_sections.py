"""Sections of `AMPConfig`: frozen dataclasses, validated when they are made. Lists come from YAML and JSON and become tuples,
which keep the config hashable.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from amp_sbx.common.checks import build_section, check_band, check_integer, check_number
from amp_sbx.common.errors import ConfigError
from amp_sbx.common.schedules import ramp

SCHEDULE_EXAMPLE = "{initial: 0.1, ramp_start: 5e5, ramp_end: 2e6, final: 1.0}"
ADAPT_EXAMPLE = "{update_steps: [1, 8], disc_lr: [1e-4, 1e-3], penalty: [2.0, 50.0]}"
STAGE_EXAMPLE = "[{channels: [joint_vel], at: 2e6, when: {episode_length: 400, task_reward: 0.1}, wait_at_most: 2e6}]"

SATURATION = {"lsgan": 1.0, "bce": 10.0}
"""Defaults of `WeightSchedule.wait_logits`. The default recipe's scores stay within 0.4 of their targets; a logit of 10 is paid
1 to within 5e-5. A Wasserstein critic's score has no scale, and never saturates."""


@dataclass(frozen=True)
class WeightSchedule:
    """Multiplier on `AMPConfig.weight` as a function of environment steps; the default is constantly 1.

    With `wait_auc` the ramp waits: its clock stands still through every iteration in which the discriminator is not healthy,
    and the end comes so much later.

    Attributes:
        initial, ramp_start, ramp_end, final: see `ramp`.
        wait_auc: (low, high) of the smoothed AUC, `amp/held_out_auc` or, where nothing is held out, `amp/disc_auc`, between
            which the ramp goes on; None: it never waits.
        wait_logits: how far the smoothed extreme scores may lie beyond the targets (lsgan) or from 0 (bce) for the ramp to go
            on; None: `SATURATION`.
        wait_at_most: environment steps that the ramp may wait in all; `wait_auc` needs it.
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
                f"amp.schedule: ramp_end {self.ramp_end} lies before ramp_start {self.ramp_start}; swap them."
            )
        if self.ramp_end == 0 and self.initial != self.final:
            raise ConfigError(
                f"amp.schedule: initial {self.initial:g} is never in force, for the ramp ends at step 0 and final {self.final:g}"
                f" holds from there; give ramp_end, e.g. {SCHEDULE_EXAMPLE}, or the two the same value."
            )
        if self.wait_auc is None:
            for name in ("wait_logits", "wait_at_most"):
                if getattr(self, name) is not None:
                    raise ConfigError(
                        f"amp.schedule.{name} is given without wait_auc, what to wait for, e.g. [0.6, 0.85]."
                    )
            return
        object.__setattr__(
            self,
            "wait_auc",
            check_band("amp.schedule.wait_auc", self.wait_auc, 0.0, 1.0, "[0.6, 0.85]"),
        )
        if self.wait_at_most is None:
            raise ConfigError(
                "amp.schedule.wait_auc is given without wait_at_most: a discriminator that stays outside would hold up the ramp"
                " for ever. Give the environment steps that it may wait in all, e.g. wait_at_most: 2e6."
            )
        check_number("amp.schedule.wait_at_most", self.wait_at_most, 0.0, open_low=True)
        if self.wait_logits is not None:
            check_number("amp.schedule.wait_logits", self.wait_logits, 0.0, open_low=True)
        if self.ramp_end == self.ramp_start:
            raise ConfigError(
                f"amp.schedule.wait_auc is given, but ramp_start and ramp_end are both {self.ramp_end:g}: there is no ramp that"
                f" could wait; e.g. {SCHEDULE_EXAMPLE}."
            )

    def __call__(self, num_timesteps: float) -> float:
        return ramp(num_timesteps, self.initial, self.ramp_start, self.ramp_end, self.final)

    def waits(self, clock: float, auc: float, saturated: bool) -> bool:
        """Whether the ramp, `clock` environment steps far, stands still for a discriminator of that (smoothed) AUC."""
        if self.wait_auc is None or not self.ramp_start <= clock < self.ramp_end:
            return False
        return saturated or not self.wait_auc[0] <= auc <= self.wait_auc[1]


@dataclass(frozen=True)
class Triggers:
    """What training must have come to, by figures smoothed over the last ten iterations or so; None asks for nothing.

    Attributes:
        episode_length: falls are rare: mean steps of the last episodes, at least.
        task_reward: the policy walks: mean raw task reward a step, at least.
        disc_auc: the discriminator is not saturated: `amp/disc_auc`, at most.
    """

    episode_length: float | None = None
    task_reward: float | None = None
    disc_auc: float | None = None

    def __post_init__(self) -> None:
        for name, low, high in (
            ("episode_length", 0.0, math.inf),
            ("task_reward", -math.inf, math.inf),
            ("disc_auc", 0.0, 1.0),
        ):
            if getattr(self, name) is not None:
                check_number(f"amp.reintroduce.when.{name}", getattr(self, name), low, high)

    def asks(self) -> bool:
        """Whether there is anything to wait for."""
        return any(getattr(self, item.name) is not None for item in fields(self))

    def hold(self, figures: Mapping[str, float]) -> bool:
        """Whether every given trigger holds; a figure that is not known yet does not."""
        unknown = float("nan")
        least = all(
            limit is None or figures.get(name, unknown) >= limit
            for name, limit in (
                ("episode_length", self.episode_length),
                ("task_reward", self.task_reward),
            )
        )
        return least and (
            self.disc_auc is None or figures.get("disc_auc", unknown) <= self.disc_auc
        )


@dataclass(frozen=True)
class Stage:
    """Channels of the layout that the discriminator sees only from `at` environment steps on AND once all of `when` holds, or
    `wait_at_most` steps later.

    Until then they are at the reference's mean for reference and policy alike; once in, they stay in.

    Attributes:
        wait_at_most: environment steps after `at` that `when` is waited for; `when` needs it.
    """

    channels: tuple[str, ...]
    at: float = 0.0
    when: Triggers = field(default_factory=Triggers)
    wait_at_most: float | None = None

    def __post_init__(self) -> None:
        given = isinstance(self.channels, (list, tuple)) and all(
            isinstance(name, str) for name in self.channels
        )
        if not given or not self.channels:
            raise ConfigError(
                f"amp.reintroduce.channels is {self.channels!r}; give names of channels, e.g. {STAGE_EXAMPLE}."
            )
        object.__setattr__(self, "channels", tuple(self.channels))
        check_number("amp.reintroduce.at", self.at, 0.0)
        object.__setattr__(
            self,
            "when",
            build_section(Triggers, "amp.reintroduce.when", self.when, "{episode_length: 400}"),
        )
        if self.at == 0 and not self.when.asks():
            raise ConfigError(
                f"amp.reintroduce of {', '.join(self.channels)} says neither `at` which step nor `when`; e.g. {STAGE_EXAMPLE}."
            )
        if self.when.asks() != (self.wait_at_most is not None):
            lacks = "when without wait_at_most" if self.when.asks() else "wait_at_most without when"
            raise ConfigError(
                f"amp.reintroduce of {', '.join(self.channels)} has {lacks}. Give what is to be waited for, and"
                f" for how many environment steps after `at` at most, or it may never end; e.g. {STAGE_EXAMPLE}."
            )
        if self.wait_at_most is not None:
            check_number("amp.reintroduce.wait_at_most", self.wait_at_most, 0.0, open_low=True)

    def due(self, num_timesteps: float, figures: Mapping[str, float] | None) -> bool:
        """Whether its time has come; `figures`: smoothed, None while there are too few of them."""
        waited = num_timesteps - self.at
        if self.wait_at_most is None or waited >= self.wait_at_most:
            return waited >= 0
        return waited >= 0 and figures is not None and self.when.hold(figures)


def stages_of(value: Any) -> tuple[Stage, ...]:
    """`amp.reintroduce` as `Stage`s; none of their channels is in two."""
    if not isinstance(value, (list, tuple)):
        raise ConfigError(
            f"amp.reintroduce is {value!r}; give a list of stages, e.g. {STAGE_EXAMPLE}."
        )
    stages = tuple(build_section(Stage, "amp.reintroduce", item, STAGE_EXAMPLE) for item in value)
    names = [name for stage in stages for name in stage.channels]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(
            f"amp.reintroduce names {', '.join(twice)} twice; a channel comes in once."
        )
    return stages


@dataclass(frozen=True)
class AdaptBounds:
    """(low, high) of each setting that moves; `penalty` bounds `r1_gamma` or `gp_lambda`, and is None without a penalty."""

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
                else:  # moves are factors, and 0 has none
                    check_number(f"amp.adapt_bounds.{name}", end, 0.0, open_low=True)
            object.__setattr__(self, name, band)
