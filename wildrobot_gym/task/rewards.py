"""The reward terms of walking. The reward is `scale * sum(weight * term)`, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Bool, Float

from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import SATURATION_FRACTION
from wildrobot_gym.task.reward_terms import RewardSettings, RewardTerm, registered

MOVING_COMMAND = 0.1  # m/s (rad/s); a longer command asks for walking, a shorter one for standing

TERMS: dict[str, RewardTerm] = {}
"""The terms of walking, by name."""
reward_term = registered(TERMS)


@struct.dataclass
class RewardInputs:
    """What the terms may look at: one environment after one control step."""

    state: PhysicsState
    command: Float[Array, "*b 3"]  # vx m/s, vy m/s, yaw rate rad/s, heading frame
    # velocity minus command, averaged over about a stride: vx m/s, vy m/s, yaw rate rad/s
    mean_error: Float[Array, "*b 3"]
    action: Float[Array, "*b joint"]  # filtered
    previous_action: Float[Array, "*b joint"]
    force_limit: Float[Array, "*b joint"]  # N*m
    foot_loaded: Bool[Array, "*b foot"]
    # s that a foot had been in the air when it landed in this step, else 0
    touchdown_air_time: Float[Array, "*b foot"]
    # s that all feet had carried load when one lifted in this step, else infinite
    liftoff_double_support: Float[Array, "*b"]
    weight: Float[Array, "*b"]  # m * g, N
    phase: Float[Array, "*b"]  # of the gait clock, cycles


@dataclass(frozen=True)
class RewardConfig(RewardSettings):
    """The weights of the walking terms, and their numbers."""

    registry: ClassVar[Mapping[str, RewardTerm]] = TERMS

    tracking_sigma: float = 0.25
    """m/s; exp(-(error / sigma)^2)."""
    yaw_sigma: float = 0.5
    """rad/s."""
    mean_vx_sigma: float = 0.12
    """m/s; of `tracking_mean`."""
    mean_vy_sigma: float = 0.06
    """m/s."""
    mean_yaw_sigma: float = 0.15
    """rad/s."""
    target_height: float | None = None
    """m, of the base; None: the robot's own (WildRobot: 0.45, seed v0.6.0)."""
    height_sigma: float = 0.05
    """m."""
    tilt_sigma: float = 0.3
    """Sine of the tilt."""
    air_time_target_s: float = 0.25
    """s in the air from which a step is rewarded."""
    slip_turn_radius: float = 0.0
    """m; this times the commanded yaw rate is the slip of a pad that costs nothing.

    For a leg without hip yaw, whose sole turns with the base.
    """
    stance_share: float = 0.6
    """Part of a cycle of the gait clock for which `contact_schedule` wants a foot loaded."""
    double_support_target_s: float = 0.08
    """s on both feet: a tenth of a stride, so that twice in each stride leaves 80 % on one foot."""


def kernel(error: Float[Array, "*b"], sigma: float) -> Float[Array, "*b"]:
    """1 without error, falling as a bell of width `sigma`."""
    return jnp.exp(-jnp.square(error / sigma))


@reward_term(5.0)
def tracking_lin_vel(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """exp(-((vx - command) / 0.25)^2)."""
    return kernel(x.state.base_lin_vel_h[..., 0] - x.command[..., 0], c.tracking_sigma)


@reward_term(0.0)
def lin_vel_error(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """abs(vx - command), m/s.

    It still slopes where the bell of `tracking_lin_vel` is flat.
    """
    return jnp.abs(x.state.base_lin_vel_h[..., 0] - x.command[..., 0])


@reward_term(1.0)
def tracking_lateral(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """exp(-((vy - command) / 0.25)^2)."""
    return kernel(x.state.base_lin_vel_h[..., 1] - x.command[..., 1], c.tracking_sigma)


@reward_term(0.0)
def lateral_error(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """abs(mean of vy - command), m/s.

    The mean over a stride leaves out the sway of a gait.
    """
    return jnp.abs(x.mean_error[..., 1])


@reward_term(0.0)
def yaw_error(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """abs(mean of yaw rate - command), rad/s."""
    return jnp.abs(x.mean_error[..., 2])


@reward_term(1.0)
def tracking_yaw(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """exp(-((yaw rate - command) / 0.5)^2)."""
    return kernel(x.state.base_ang_vel_w[..., 2] - x.command[..., 2], c.yaw_sigma)


@reward_term(0.0)
def tracking_mean(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """Product of the bells of all three mean errors of the velocity.

    It pays a robot that stands little, also under commands that are slow beside the sway of a
    gait: 0.06 of the full amount at 0.2 m/s ahead, 0.1 m/s aside or 0.25 rad/s.
    """
    sigmas = jnp.array([c.mean_vx_sigma, c.mean_vy_sigma, c.mean_yaw_sigma])
    return jnp.exp(-jnp.sum(jnp.square(x.mean_error / sigmas), axis=-1))


@reward_term(0.3)
def base_height(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """exp(-((height - target) / 0.05)^2)."""
    target: Any = c.target_height  # `fitted` puts the robot's own in place of None
    return kernel(x.state.base_height - target, c.height_sigma)


@reward_term(0.5)
def orientation(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """exp(-(sine of tilt / 0.3)^2)."""
    tilt = jnp.sum(jnp.square(x.state.projected_gravity[..., :2]), axis=-1)
    return jnp.exp(-tilt / c.tilt_sigma**2)


@reward_term(0.5)
def alive(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """1."""
    return jnp.ones_like(x.command[..., 0])


@reward_term(-0.01)
def action_rate(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """Sum of squared changes of the filtered action."""
    return jnp.sum(jnp.square(x.action - x.previous_action), axis=-1)


@reward_term(-0.001)
def torque_penalty(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """Sum of squared servo torques, (N*m)^2."""
    return jnp.sum(jnp.square(x.state.actuator_forces), axis=-1)


@reward_term(-0.1)
def saturation(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """Number of servos at 98 % of their force limit or more."""
    saturated = jnp.abs(x.state.actuator_forces) >= SATURATION_FRACTION * x.force_limit
    return jnp.sum(saturated, axis=-1).astype(jnp.float32)


@reward_term(-0.2)
def slip(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """Pads' tangential speeds times the fraction of the weight each carries, m/s."""
    fraction = jnp.clip(x.state.pad_forces / x.weight[..., None], 0.0, 1.0)
    free = c.slip_turn_radius * jnp.abs(x.command[..., 2:])
    return jnp.sum(fraction * jnp.maximum(x.state.pad_speed - free, 0.0), axis=-1)


@reward_term(-0.5)
def flight(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """1 while neither foot carries a tenth of the weight."""
    return 1.0 - jnp.any(x.foot_loaded, axis=-1)


@reward_term(0.0)
def standing_steps(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """Number of feet in the air under the command to stand."""
    standing = jnp.all(x.command == 0.0, axis=-1)
    return jnp.where(standing, jnp.sum(~x.foot_loaded, axis=-1), 0).astype(jnp.float32)


@reward_term(0.0)
def standing_motion(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """Sum of absolute joint velocities under the command to stand, rad/s."""
    standing = jnp.all(x.command == 0.0, axis=-1)
    return jnp.where(standing, jnp.sum(jnp.abs(x.state.joint_vel), axis=-1), 0.0)


@reward_term(0.0)
def standing_tilt(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """Sine of the tilt under the command to stand."""
    sine = jnp.linalg.norm(x.state.projected_gravity[..., :2], axis=-1)
    return jnp.where(jnp.all(x.command == 0.0, axis=-1), sine, 0.0)


@reward_term(0.0)
def feet_air_time(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """At a touchdown: air time minus 0.25 s, at most 0.25 s, while walking."""
    landed = x.touchdown_air_time > 0
    beyond = jnp.minimum(x.touchdown_air_time, 2 * c.air_time_target_s) - c.air_time_target_s
    gain = jnp.sum(jnp.where(landed, beyond, 0.0), axis=-1)
    walking = jnp.linalg.norm(x.command, axis=-1) > MOVING_COMMAND
    return gain * jnp.asarray(walking)


@reward_term(0.0)
def short_double_support(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """At a liftoff: 1 - time on both feet / 0.08 s, at least 0."""
    return jnp.maximum(1.0 - x.liftoff_double_support / c.double_support_target_s, 0.0)


@reward_term(0.0)
def contact_schedule(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """Number of feet whose load does not fit the gait clock.

    They carry load while they are due in the air, or the reverse. The first foot lands at whole
    cycles, the second at halves. Under the command to stand the clock rests, and the term is 0.
    After Siekmann et al. 2021, arXiv:2011.01387.
    """
    feet = x.foot_loaded.shape[-1]
    within = (x.phase[..., None] - jnp.arange(feet) / feet) % 1.0
    amiss = x.foot_loaded != (within < c.stance_share)
    moving = jnp.any(x.command != 0.0, axis=-1)
    return jnp.where(moving, jnp.sum(amiss, axis=-1), 0).astype(jnp.float32)
