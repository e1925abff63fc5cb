"""Reward terms, each a number before its weight. The reward is ``scale * sum(weight * term)``, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Bool, Float

from wildrobot_gym.config import RewardConfig
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import SATURATION_FRACTION
from wildrobot_gym.rotations import gravity_direction, rotate, to_heading
from wildrobot_gym.task.contact import pad_speed


@struct.dataclass
class RewardInputs:
    """What the terms may look at, for one environment after one control step."""

    state: PhysicsState
    command: Float[Array, "*b 3"]
    action: Float[Array, "*b joint"]
    previous_action: Float[Array, "*b joint"]
    force_limit: Float[Array, "*b joint"]
    foot_loaded: Bool[Array, "*b foot"]
    touchdown_air_time: Float[
        Array, "*b foot"
    ]  # s a foot had been in the air when it landed in this step, else 0
    liftoff_double_support: Float[
        Array, "*b"
    ]  # s all feet had carried load when one lifted in this step, else infinite
    weight: Float[Array, "*b"]  # m * g, N


def _kernel(error: Float[Array, "*b"], sigma: float) -> Float[Array, "*b"]:
    return jnp.exp(-jnp.square(error / sigma))


def _lin_vel_h(x: RewardInputs) -> Float[Array, "*b 3"]:
    return to_heading(x.state.base_quat_w, x.state.qvel[..., :3])


def _yaw_rate(x: RewardInputs) -> Float[Array, "*b"]:
    return rotate(x.state.base_quat_w, x.state.qvel[..., 3:6])[..., 2]


def _tracking_lin_vel(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    return _kernel(_lin_vel_h(x)[..., 0] - x.command[..., 0], c.tracking_sigma)


def _lin_vel_error(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """Distance from the commanded forward velocity, m/s: it still slopes where the bell of tracking_lin_vel is flat."""
    return jnp.abs(_lin_vel_h(x)[..., 0] - x.command[..., 0])


def _tracking_lateral(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    return _kernel(_lin_vel_h(x)[..., 1] - x.command[..., 1], c.tracking_sigma)


def _tracking_yaw(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    return _kernel(_yaw_rate(x) - x.command[..., 2], c.yaw_sigma)


def _base_height(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    return _kernel(x.state.base_pos_w[..., 2] - c.target_height, c.height_sigma)


def _orientation(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    tilt = jnp.sum(jnp.square(gravity_direction(x.state.base_quat_w)[..., :2]), axis=-1)
    return jnp.exp(-tilt / c.tilt_sigma**2)


def _alive(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    return jnp.ones_like(x.command[..., 0])


def _action_rate(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    return jnp.sum(jnp.square(x.action - x.previous_action), axis=-1)


def _torque_penalty(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    return jnp.sum(jnp.square(x.state.actuator_forces), axis=-1)


def _saturation(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    return jnp.sum(
        jnp.abs(x.state.actuator_forces) >= SATURATION_FRACTION * x.force_limit, axis=-1
    ).astype(jnp.float32)


def _slip(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """Tangential speed of the pads, weighted by the share of the robot's weight each carries; m/s."""
    fraction = jnp.clip(x.state.pad_forces / x.weight[..., None], 0.0, 1.0)
    return jnp.sum(fraction * pad_speed(x.state), axis=-1)


def _flight(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """1 while neither foot is loaded: walking has no flight."""
    return 1.0 - jnp.any(x.foot_loaded, axis=-1)


def _feet_air_time(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """At each touchdown, how long the foot was in the air beyond the target, s; only while walking is commanded."""
    landed = x.touchdown_air_time > 0
    beyond = jnp.minimum(x.touchdown_air_time, 2 * c.air_time_target_s) - c.air_time_target_s
    gain = jnp.sum(jnp.where(landed, beyond, 0.0), axis=-1)
    return gain * (jnp.linalg.norm(x.command, axis=-1) > 0.1)


def _short_double_support(x: RewardInputs, c: RewardConfig) -> Float[Array, "*b"]:
    """1 at a liftoff straight after the other foot's touchdown, falling to 0 at one after the target time on both feet."""
    return jnp.maximum(1.0 - x.liftoff_double_support / c.double_support_target_s, 0.0)


TERMS: dict[str, Callable[[RewardInputs, RewardConfig], Float[Array, "*b"]]] = {
    "tracking_lin_vel": _tracking_lin_vel,
    "lin_vel_error": _lin_vel_error,
    "tracking_lateral": _tracking_lateral,
    "tracking_yaw": _tracking_yaw,
    "base_height": _base_height,
    "orientation": _orientation,
    "alive": _alive,
    "action_rate": _action_rate,
    "torque_penalty": _torque_penalty,
    "saturation": _saturation,
    "slip": _slip,
    "flight": _flight,
    "feet_air_time": _feet_air_time,
    "short_double_support": _short_double_support,
}


def reward_terms(x: RewardInputs, config: RewardConfig) -> dict[str, Float[Array, "*b"]]:
    """Every term that has a weight, weighted and scaled: their sum is the reward."""
    return {
        name: config.scale * getattr(config, name) * term(x, config)
        for name, term in TERMS.items()
        if getattr(config, name) != 0
    }
