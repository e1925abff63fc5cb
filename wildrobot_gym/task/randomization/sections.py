"""Checks of the config's `randomization`, and the section `disturbances`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wildrobot_gym.config import check, check_range
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.task.own_terms import own_term
from wildrobot_gym.task.randomization.catalog import LONGEST_DELAY, TERMS

Range = tuple[float, float]


def check_randomization(ranges: Mapping[str, Range]) -> None:
    """Check the names and ranges of `randomization`. No module is imported.

    Raises:
        ConfigError: a name is unknown, or a range is not allowed.
    """
    names: set[str] = set()
    for key, got in ranges.items():
        if key in TERMS:
            TERMS[key].check(got)
            continue
        name = own_term(key, "randomization", TERMS)[1]
        if name in names:
            raise ConfigError(f"randomization has two terms named {name!r}. Rename one.")
        names.add(name)
        check_range(f"randomization.{key}", got)
    delays = [ranges[k][1] for k in ("action_delay", "action_delay_jitter") if k in ranges]
    check(
        sum(delays) <= LONGEST_DELAY,
        "The longest randomization.action_delay with its jitter",
        sum(delays),
        f"up to {LONGEST_DELAY:g} s",
    )


def _check_interval(name: str, interval: Range) -> None:
    check_range(f"{name}.interval_s", interval)
    check(interval[0] > 0, f"{name}.interval_s", interval, "times above 0 s")


def _check_positive(name: str, got: Range) -> None:
    check_range(name, got)
    check(got[0] >= 0, name, got, "zero or more")


@dataclass(frozen=True)
class PushConfig:
    """A velocity that is added to the base at once, in a drawn horizontal direction."""

    interval_s: Range = (3.0, 6.0)
    """s from one push to the next, and to the first."""
    velocity: Range = (0.0, 0.3)
    """m/s."""

    def __post_init__(self) -> None:
        _check_interval("disturbances.push", self.interval_s)
        _check_positive("disturbances.push.velocity", self.velocity)


@dataclass(frozen=True)
class ForceConfig:
    """A force on the base for some time, in a drawn horizontal direction."""

    interval_s: Range = (3.0, 6.0)
    """s from the begin of one force to the next, and to the first."""
    duration_s: Range = (0.5, 1.0)
    """s."""
    force: Range = (0.0, 3.0)
    """N."""

    def __post_init__(self) -> None:
        _check_interval("disturbances.force", self.interval_s)
        _check_positive("disturbances.force.duration_s", self.duration_s)
        _check_positive("disturbances.force.force", self.force)


@dataclass(frozen=True)
class PayloadDropConfig:
    """A mass on the trunk, which falls off once in each episode."""

    interval_s: Range = (2.0, 8.0)
    """s from the begin of the episode."""
    mass: Range = (0.0, 0.3)
    """kg."""

    def __post_init__(self) -> None:
        _check_interval("disturbances.payload_drop", self.interval_s)
        _check_positive("disturbances.payload_drop.mass", self.mass)


@dataclass(frozen=True)
class FrictionPatchConfig:
    """The floor's friction changes from time to time, as on a floor with patches."""

    interval_s: Range = (1.0, 3.0)
    """s from one patch to the next."""
    friction: Range = (0.4, 1.2)
    """Coefficient of sliding friction."""

    def __post_init__(self) -> None:
        _check_interval("disturbances.friction_patch", self.interval_s)
        _check_positive("disturbances.friction_patch.friction", self.friction)


@dataclass(frozen=True)
class DisturbanceConfig:
    """What happens to the robot within an episode; null: nothing of the kind."""

    push: PushConfig | None = None
    force: ForceConfig | None = None
    payload_drop: PayloadDropConfig | None = None
    friction_patch: FrictionPatchConfig | None = None
