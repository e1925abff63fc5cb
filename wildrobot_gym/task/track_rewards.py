"""The reward terms of following a clip: the walking terms with other weights, and one for each kind
of error.

Each `clip_*` term is exp(-(error / sigma)^2) (Peng et al. 2018, DeepMimic).
`clip_frames.clip_errors` gives the errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Float

from wildrobot_gym.task.reward_terms import RewardTerm, registered
from wildrobot_gym.task.rewards import TERMS, RewardConfig, RewardInputs, kernel

WALK_WEIGHTS = {
    "tracking_lin_vel": 0.0,
    "lin_vel_error": -20.0,  # without it, soft servos and the slip penalty halve every step
    "tracking_lateral": 0.0,
    "tracking_yaw": 0.0,
    "base_height": 0.0,
    "alive": 5.5,  # more than the penalties
    "orientation": 0.0,
    "saturation": -1.5,
    "slip": -50.0,
    # Without these two, fast walks have hardly any time with both feet on the floor.
    "flight": -10.0,
    "short_double_support": -15.0,
}
"""Default weights of the walking terms where a clip is followed."""

TRACK_TERMS: dict[str, RewardTerm] = {
    name: replace(term, weight=WALK_WEIGHTS.get(name, term.weight)) for name, term in TERMS.items()
}
"""The terms of following a clip, by name."""
reward_term = registered(TRACK_TERMS)


@struct.dataclass
class TrackRewardInputs(RewardInputs):
    """What the terms may look at: also the errors between the robot and its clip."""

    errors: dict[str, Float[Array, "*b"]]


@dataclass(frozen=True)
class TrackRewardConfig(RewardConfig):
    """The weights of the tracking terms, and their numbers."""

    registry: ClassVar[Mapping[str, RewardTerm]] = TRACK_TERMS

    clip_joint_pos_sigma: float = 0.25
    """rad, root mean square over the joints."""
    clip_joint_vel_sigma: float = 3.0
    """rad/s, root mean square over the joints."""
    clip_lin_vel_sigma: float = 0.3
    """m/s."""
    clip_ang_vel_sigma: float = 2.0
    """rad/s."""
    clip_attitude_sigma: float = 0.2
    """Length of the difference of the two gravity directions."""
    clip_height_sigma: float = 0.04
    """m."""
    clip_heading_sigma: float = 0.4
    """rad."""
    clip_feet_sigma: float = 0.06
    """m."""
    clip_load_sigma: float = 0.5
    """Fraction of the robot's weight."""


@reward_term(2.0)
def clip_joint_pos(x: TrackRewardInputs, c: TrackRewardConfig) -> Float[Array, "*b"]:
    """Joint positions."""
    return kernel(x.errors["joint_pos"], c.clip_joint_pos_sigma)


@reward_term(0.5)
def clip_joint_vel(x: TrackRewardInputs, c: TrackRewardConfig) -> Float[Array, "*b"]:
    """Joint velocities."""
    return kernel(x.errors["joint_vel"], c.clip_joint_vel_sigma)


@reward_term(1.0)
def clip_lin_vel(x: TrackRewardInputs, c: TrackRewardConfig) -> Float[Array, "*b"]:
    """Root linear velocity."""
    return kernel(x.errors["lin_vel"], c.clip_lin_vel_sigma)


@reward_term(0.5)
def clip_ang_vel(x: TrackRewardInputs, c: TrackRewardConfig) -> Float[Array, "*b"]:
    """Root angular velocity."""
    return kernel(x.errors["ang_vel"], c.clip_ang_vel_sigma)


@reward_term(1.0)
def clip_attitude(x: TrackRewardInputs, c: TrackRewardConfig) -> Float[Array, "*b"]:
    """Gravity direction in the base."""
    return kernel(x.errors["attitude"], c.clip_attitude_sigma)


@reward_term(0.5)
def clip_height(x: TrackRewardInputs, c: TrackRewardConfig) -> Float[Array, "*b"]:
    """Root height."""
    return kernel(x.errors["height"], c.clip_height_sigma)


@reward_term(0.5)
def clip_heading(x: TrackRewardInputs, c: TrackRewardConfig) -> Float[Array, "*b"]:
    """Heading."""
    return kernel(x.errors["heading"], c.clip_heading_sigma)


@reward_term(1.5)
def clip_feet(x: TrackRewardInputs, c: TrackRewardConfig) -> Float[Array, "*b"]:
    """Places of the feet in the heading frame."""
    return kernel(x.errors["feet"], c.clip_feet_sigma)


@reward_term(1.5)
def clip_load(x: TrackRewardInputs, c: TrackRewardConfig) -> Float[Array, "*b"]:
    """Fraction of the weight on each foot."""
    return kernel(x.errors["load"], c.clip_load_sigma)


@reward_term(0.0)
def clip_sideways_error(x: TrackRewardInputs, c: TrackRewardConfig) -> Float[Array, "*b"]:
    """abs(vy - the clip's), m/s; shorter steps sideways never slip, too."""
    return jnp.abs(x.state.base_lin_vel_h[..., 1] - x.command[..., 1])


@reward_term(0.0)
def clip_heading_error(x: TrackRewardInputs, c: TrackRewardConfig) -> Float[Array, "*b"]:
    """Error of the heading, rad. A sole that turns on its spot slips, so a turn has to pay."""
    return x.errors["heading"]
