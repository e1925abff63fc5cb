"""Channels of what randomization drew, and of the disturbances at work: for the critic alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wildrobot_gym.rotations import to_heading
from wildrobot_gym.task.channels import VECTORS, Channel, Kind, Sample
from wildrobot_gym.task.randomization.kinds import KINDS
from wildrobot_gym.task.randomization.sections import DisturbanceConfig, Range
from wildrobot_gym.task.randomization.terms import RandomTerm, term_name

_DRAW = "draw_"
_DISTURBANCE = "disturbance_"


def drawn_channel_names(
    randomization: Mapping[str, Range], disturbances: DisturbanceConfig
) -> tuple[str, ...]:
    """Names of the channels that these settings offer. No module is imported."""
    draws = [_DRAW + term_name(key) for key in randomization]
    return (*draws, *(_DISTURBANCE + n for n, c in vars(disturbances).items() if c is not None))


def drawn_channels(
    terms: Mapping[str, RandomTerm],
    ranges: Mapping[str, Range],
    disturbances: DisturbanceConfig,
) -> dict[str, Channel]:
    """The channels by name.

    A draw is divided by the largest value of its range, which brings it to -1 to 1.

    Args:
        terms: What is drawn, by name.
        ranges: Range of each.
        disturbances: What happens within episodes.
    """
    channels = [_drawn(term, ranges[name]) for name, term in terms.items()]
    channels += [
        channel
        for name, channel in _AT_WORK.items()
        if getattr(disturbances, name.removeprefix(_DISTURBANCE)) is not None
    ]
    return {channel.name: channel for channel in channels}


def _drawn(term: RandomTerm, bounds: Range) -> Channel:
    def read(x: Sample) -> Any:
        value = x.draws[term.name]
        return value[..., None] if term.kind == "scalar" else value

    largest = max(abs(b) for b in bounds)
    scale = 1.0 if term.draw is not None or not largest else 1.0 / largest
    return Channel(_DRAW + term.name, term.meaning, term.unit, "-", KINDS[term.kind], read, scale)


def _at_work(
    name: str, meaning: str, unit: str, kind: Kind, read: Callable[[Any], Any], scale: float
) -> Channel:
    frame = "heading" if kind is VECTORS else "-"

    def value(x: Sample) -> Any:
        found = read(x.draws[_DISTURBANCE + name])
        return to_heading(x.state.base_quat_w, found) if kind is VECTORS else found[..., None]

    return Channel(_DISTURBANCE + name, meaning, unit, frame, kind, value, scale)


_AT_WORK: dict[str, Channel] = {
    channel.name: channel
    for channel in (
        _at_work(
            *("push", "velocity that the next step adds to the base", "m/s", VECTORS),
            *(lambda state: state["velocity"], 1.0),
        ),
        _at_work(
            *("force", "force on the base in the next step", "N", VECTORS),
            *(lambda state: state["force"], 0.1),
        ),
        _at_work(
            *("payload_drop", "mass that the robot carries", "kg", KINDS["scalar"]),
            *(lambda state: state["mass"], 1.0),
        ),
        _at_work(
            *("friction_patch", "friction under the robot", "coefficient", KINDS["scalar"]),
            *(lambda state: state["friction"], 1.0),
        ),
    )
}


def seen(draws: Mapping[str, Any], world: Mapping[str, Any]) -> dict[str, Any]:
    """What the channels read: the episode's draws, and the disturbances at work."""
    return {**draws, **{_DISTURBANCE + name: state for name, state in world.items()}}
