"""What a task may know: the narrow waist between physics engines and task functions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Bool, Float, Int


@struct.dataclass
class PhysicsState:
    """One instant of the simulation, the same from every engine. Batched over a leading env axis by the engines.

    World frame: x forward, y left, z up; m, m/s, rad, rad/s, N, N*m. Positions and velocities are those at the end of
    the control step; forces are those of its last substep (2 ms earlier), which costs no further constraint solve.
    """

    qpos: Float[Array, "*b nq"]  # base position (3), base quaternion wxyz (4), joints
    qvel: Float[
        Array, "*b nv"
    ]  # base linear velocity in the world (3), angular velocity in the base (3), joints
    pad_forces: Float[Array, "*b pad"]  # normal force of each contact pad, N
    pad_pos_w: Float[Array, "*b pad 3"]  # centre of each pad's sole
    pad_vel_w: Float[Array, "*b pad 3"]  # its velocity; tangential part = (x, y) on flat ground
    foot_pos_w: Float[Array, "*b foot 3"]  # foot frames, at sole height below the ankle
    foot_quat_w: Float[Array, "*b foot 4"]
    actuator_forces: Float[Array, "*b joint"]  # N*m
    diverged: Bool[
        Array, "*b"
    ]  # the engine met a NaN or a blow-up; the state is a restart, not a continuation

    @property
    def base_pos_w(self) -> Float[Array, "*b 3"]:
        return self.qpos[..., :3]

    @property
    def base_quat_w(self) -> Float[Array, "*b 4"]:
        return self.qpos[..., 3:7]

    @property
    def joint_pos(self) -> Float[Array, "*b joint"]:
        return self.qpos[..., 7:]

    @property
    def joint_vel(self) -> Float[Array, "*b joint"]:
        return self.qvel[..., 6:]


@struct.dataclass
class TaskState:
    """What the task itself remembers between control steps of one environment."""

    key: jax.Array  # this environment's own random stream
    step_count: Int[Array, "*b"]  # control steps since the reset
    episode_limit: Int[Array, "*b"]  # control steps at which the time limit cuts this episode
    command: Float[Array, "*b 3"]  # vx m/s, vy m/s, yaw rate rad/s, heading frame
    command_held: Bool[
        Array, "*b"
    ]  # set from outside: neither a reset nor the interval draws a new one
    action: Float[
        Array, "*b joint"
    ]  # last filtered action: the filter's memory, hence part of the observation
    foot_air_time: Float[Array, "*b foot"]  # s since each foot last carried load
    double_support_time: Float[Array, "*b"]  # s since any foot last carried none
    velocity_error_sum: Float[
        Array, "*b"
    ]  # forward velocity minus command, summed over the present command's steps, m/s
    velocity_error_closed: Float[
        Array, "*b"
    ]  # absolute values of such sums under the episode's earlier commands, m/s
    history: Float[Array, "*b past feature"]  # AMP features of past control steps, newest last
    previous_qpos: (
        Float[Array, "*b nq"] | None
    )  # pose before this control step; None where no feature is a difference of two


@jax.jit
def select(mask: Bool[Array, "env"], yes: Any, no: Any) -> Any:
    """Per-environment choice between two trees of the same structure, batched over a leading env axis."""
    return jax.tree.map(
        lambda y, n: jnp.where(jnp.reshape(mask, (-1,) + (1,) * (y.ndim - 1)), y, n), yes, no
    )
