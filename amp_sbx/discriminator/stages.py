"""`amp.reintroduce`: when the discriminator sees which channels."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from amp_sbx.common.checks import build_section, check_number
from amp_sbx.common.errors import ConfigError

STAGE_EXAMPLE = (
    "[{channels: [joint_vel], at: 2e6, when: {episode_length: 400, task_reward: 0.1}, "
    "wait_at_most: 2e6}]"
)


@dataclass(frozen=True)
class Triggers:
    """Conditions on the smoothed metrics of a training. None: no condition.

    Attributes:
        episode_length: lowest mean length of the last episodes in steps, so that falls are rare.
        task_reward: lowest mean raw task reward per step, so that the policy walks.
        disc_auc: highest `amp/disc_auc`, so that the discriminator is not saturated.
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

    def given(self) -> bool:
        """Whether there is any condition."""
        return any(getattr(self, item.name) is not None for item in fields(self))

    def hold(self, metrics: Mapping[str, float]) -> bool:
        """Whether every condition holds. A condition on an unknown metric does not hold."""
        for name in ("episode_length", "task_reward"):
            limit = getattr(self, name)
            if limit is not None and not metrics.get(name, math.nan) >= limit:
                return False
        return self.disc_auc is None or metrics.get("disc_auc", math.nan) <= self.disc_auc


@dataclass(frozen=True)
class Stage:
    """Channels that the discriminator sees from step `at` on, once `when` holds.

    Before that, they are set to the reference's mean for reference and policy. Once visible, they
    stay visible.

    Attributes:
        channels: names of channels of the layout.
        at: earliest environment step.
        when: conditions on the training's metrics.
        wait_at_most: environment steps after `at` to wait for `when`; required with `when`.
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
                f"amp.reintroduce.channels is {self.channels!r}; give names of channels, e.g. "
                f"{STAGE_EXAMPLE}."
            )
        object.__setattr__(self, "channels", tuple(self.channels))
        check_number("amp.reintroduce.at", self.at, 0.0)
        when = build_section(Triggers, "amp.reintroduce.when", self.when, "{episode_length: 400}")
        object.__setattr__(self, "when", when)
        named = f"amp.reintroduce of {', '.join(self.channels)}"
        if self.at == 0 and not when.given():
            raise ConfigError(f"{named} has neither `at` nor `when`; e.g. {STAGE_EXAMPLE}.")
        if when.given() and self.wait_at_most is None:
            raise ConfigError(
                f"{named} has when without wait_at_most, so it may never end. Give the "
                f"environment steps after `at` to wait at most; e.g. {STAGE_EXAMPLE}."
            )
        if not when.given() and self.wait_at_most is not None:
            raise ConfigError(
                f"{named} has wait_at_most without when. Give the conditions to wait for; e.g. "
                f"{STAGE_EXAMPLE}."
            )
        if self.wait_at_most is not None:
            check_number("amp.reintroduce.wait_at_most", self.wait_at_most, 0.0, open_low=True)

    def due(self, num_timesteps: float, metrics: Mapping[str, float] | None) -> bool:
        """Whether to reveal the channels.

        Args:
            num_timesteps: environment steps so far.
            metrics: smoothed metrics; None while there are too few iterations.
        """
        waited = num_timesteps - self.at
        if self.wait_at_most is None or waited >= self.wait_at_most:
            return waited >= 0
        return waited >= 0 and metrics is not None and self.when.hold(metrics)


def stages_of(value: Any) -> tuple[Stage, ...]:
    """`amp.reintroduce` as stages.

    Raises:
        ConfigError: no list of stages, or a channel in two of them.
    """
    if not isinstance(value, (list, tuple)):
        raise ConfigError(
            f"amp.reintroduce is {value!r}; give a list of stages, e.g. {STAGE_EXAMPLE}."
        )
    stages = tuple(build_section(Stage, "amp.reintroduce", item, STAGE_EXAMPLE) for item in value)
    names = [name for stage in stages for name in stage.channels]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(
            f"amp.reintroduce names {', '.join(twice)} twice; put each channel in one stage."
        )
    return stages
