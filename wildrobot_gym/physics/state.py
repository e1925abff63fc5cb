"""What a task may know of physics: the narrow waist between the engines and the task functions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Bool, Float

from wildrobot_gym.rotations import gravity_direction, rotate, to_heading, yaw_of
from wildrobot_gym.terrain import GroundHeights


@struct.dataclass
class PhysicsState:
    """One instant of the simulation, the same from every engine.

    The engines batch it over a leading environment axis. World frame: x forward, y left, z up.
    Units: m, m/s, rad, rad/s, N, N*m. Positions and velocities belong to the end of the control
        step. Forces belong to its last substep,
    2 ms earlier, which saves a constraint solve.

    Suffixes name the frame: `_w` world, `_b` body, `_h` heading (the world turned about z by the
    base's yaw).
    """

    # Base position (3), base quaternion wxyz (4), joints.
    qpos: Float[Array, "*b nq"]
    # Base linear velocity in the world (3), angular velocity in the base (3), joints.
    qvel: Float[Array, "*b nv"]
    pad_forces: Float[Array, "*b pad"]  # normal force of each contact pad, N
    pad_pos_w: Float[Array, "*b pad 3"]  # center of each pad's sole
    pad_vel_w: Float[Array, "*b pad 3"]  # its velocity
    foot_pos_w: Float[Array, "*b foot 3"]  # foot frames, at sole height below the ankle
    foot_quat_w: Float[Array, "*b foot 4"]
    actuator_forces: Float[Array, "*b joint"]  # N*m
    # The engine met a NaN or a blow-up: the state is a restart, not a continuation.
    diverged: Bool[Array, "*b"]
    # Of the ground under the robot, in the world; None on level ground at 0.
    ground: GroundHeights | None = None

    @property
    def base_pos_w(self) -> Float[Array, "*b 3"]:
        """Position of the base, m."""
        return self.qpos[..., :3]

    @property
    def base_height(self) -> Float[Array, "*b"]:
        """Height of the base over the ground under it, m."""
        height = self.qpos[..., 2]
        return height if self.ground is None else height - self.ground.base

    @property
    def pad_height(self) -> Float[Array, "*b pad"]:
        """Height of the center of each pad's sole over the ground under it, m."""
        height = self.pad_pos_w[..., 2]
        return height if self.ground is None else height - self.ground.pads

    @property
    def foot_height(self) -> Float[Array, "*b foot"]:
        """Height of each foot's frame over the ground under it, m."""
        height = self.foot_pos_w[..., 2]
        return height if self.ground is None else height - self.ground.feet

    @property
    def base_quat_w(self) -> Float[Array, "*b 4"]:
        """Orientation of the base, wxyz."""
        return self.qpos[..., 3:7]

    @property
    def joint_pos(self) -> Float[Array, "*b joint"]:
        """Joint positions, rad."""
        return self.qpos[..., 7:]

    @property
    def joint_vel(self) -> Float[Array, "*b joint"]:
        """Joint velocities, rad/s."""
        return self.qvel[..., 6:]

    @property
    def yaw(self) -> Float[Array, "*b"]:
        """Heading of the base about the world's z, rad."""
        return yaw_of(self.base_quat_w)

    @property
    def projected_gravity(self) -> Float[Array, "*b 3"]:
        """The world's down in the base frame, a unit vector; (0, 0, -1) upright."""
        return gravity_direction(self.base_quat_w)

    @property
    def base_lin_vel_w(self) -> Float[Array, "*b 3"]:
        """Linear velocity of the base in the world, m/s."""
        return self.qvel[..., :3]

    @property
    def base_ang_vel_w(self) -> Float[Array, "*b 3"]:
        """Angular velocity of the base in the world, rad/s; its z is the yaw rate."""
        return rotate(self.base_quat_w, self.qvel[..., 3:6])

    @property
    def base_lin_vel_h(self) -> Float[Array, "*b 3"]:
        """Linear velocity of the base in its heading frame, m/s: forward, left, up."""
        return to_heading(self.base_quat_w, self.base_lin_vel_w)

    @property
    def base_ang_vel_h(self) -> Float[Array, "*b 3"]:
        """Angular velocity of the base in its heading frame, rad/s."""
        return to_heading(self.base_quat_w, self.base_ang_vel_w)

    @property
    def pad_speed(self) -> Float[Array, "*b pad"]:
        """Tangential speed of each pad over flat ground, m/s."""
        return jnp.linalg.norm(self.pad_vel_w[..., :2], axis=-1)


@jax.jit
def select(mask: Bool[Array, "env"], yes: Any, no: Any) -> Any:
    """Choose per environment between two trees of one structure, batched over a leading environment
    axis.

    Args:
        mask: (env,) True where `yes` is taken.
        yes: A tree of arrays.
        no: A tree of the same structure.
    """
    return jax.tree.map(
        lambda y, n: jnp.where(jnp.reshape(mask, (-1,) + (1,) * (y.ndim - 1)), y, n), yes, no
    )
