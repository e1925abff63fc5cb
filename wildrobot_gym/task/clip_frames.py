"""The clips that the tracking task follows, frame by frame, and how far a robot is from a frame."""

from __future__ import annotations

import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Float, Int

from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.rotations import AnyArray, gravity_direction, rotate, to_heading, yaw_of


@struct.dataclass
class ClipFrames:
    """The frames of all clips, one clip after the other, at the control rate; or one frame."""

    qpos: Float[Array, "*frame nq"]
    qvel: Float[Array, "*frame nv"]
    # Servo targets that lead from a frame to the next, feed-forward, rad.
    target: Float[Array, "*frame joint"]
    feet: Float[Array, "*frame foot 3"]  # see `feet_in_heading`
    load: Float[Array, "*frame foot"]  # what each foot carries, as a fraction of the robot's weight
    command: Float[Array, "*frame 3"]  # the clip's in this frame
    last: Int[Array, "*frame"]  # index of the last frame of the same clip

    @property
    def base_quat_w(self) -> Float[Array, "*frame 4"]:
        """Orientation of the base, wxyz."""
        return self.qpos[..., 3:7]

    @property
    def projected_gravity(self) -> Float[Array, "*frame 3"]:
        """The world's down in the base frame, a unit vector."""
        return gravity_direction(self.base_quat_w)

    @property
    def base_lin_vel_h(self) -> Float[Array, "*frame 3"]:
        """Linear velocity of the base in its heading frame, m/s."""
        return to_heading(self.base_quat_w, self.qvel[..., :3])

    @property
    def base_ang_vel_w(self) -> Float[Array, "*frame 3"]:
        """Angular velocity of the base in the world, rad/s."""
        return rotate(self.base_quat_w, self.qvel[..., 3:6])


def feet_in_heading(
    base_quat_w: Float[AnyArray, "*b 4"],
    base_pos_w: Float[AnyArray, "*b 3"],
    foot_pos_w: Float[AnyArray, "*b foot 3"],
) -> Float[AnyArray, "*b foot 3"]:
    """Where the feet are.

    Ahead and to the left of the base in its heading frame, above the floor; m.
    """
    over_base = base_pos_w[..., None, :] * jnp.array([1.0, 1.0, 0.0])
    quat = jnp.broadcast_to(base_quat_w[..., None, :], (*foot_pos_w.shape[:-1], 4))
    return to_heading(quat, foot_pos_w - over_base)


def clip_errors(
    state: PhysicsState, load: Float[Array, "foot"], want: ClipFrames, yaw: Float[Array, ""]
) -> dict[str, Float[Array, ""]]:
    """Distances between a state and one frame of a clip. Where on the floor the robot is does not
    matter.

    Args:
        state: The robot's.
        load: (foot,) fraction of the weight on each foot.
        want: The frame.
        yaw: rad by which the whole clip is turned about z.

    Returns:
        Joints: root mean square over them, rad and rad/s. Root: m/s and rad/s, each in its own
            heading frame, m, rad.
        Feet and loads: the norm over both feet, m and fractions of the weight.
    """
    turn = state.yaw - yaw_of(want.base_quat_w) - yaw
    over_ground = jnp.concatenate([state.foot_pos_w[..., :2], state.foot_height[..., None]], -1)
    feet = feet_in_heading(state.base_quat_w, state.base_pos_w, over_ground)
    spin = state.base_ang_vel_h - to_heading(want.base_quat_w, want.base_ang_vel_w)
    return {
        "joint_pos": jnp.sqrt(jnp.mean(jnp.square(state.joint_pos - want.qpos[7:]))),
        "joint_vel": jnp.sqrt(jnp.mean(jnp.square(state.joint_vel - want.qvel[6:]))),
        "lin_vel": jnp.linalg.norm(state.base_lin_vel_h - want.base_lin_vel_h),
        "ang_vel": jnp.linalg.norm(spin),
        "attitude": jnp.linalg.norm(state.projected_gravity - want.projected_gravity),
        "height": jnp.abs(state.base_height - want.qpos[2]),
        "heading": jnp.abs(jnp.arctan2(jnp.sin(turn), jnp.cos(turn))),
        "feet": jnp.linalg.norm(feet - want.feet),
        "load": jnp.linalg.norm(load - want.load),
    }
