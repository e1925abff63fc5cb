"""Where episodes begin.

At home with noise, or in a frame of reference motion (reference-state initialization).
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Bool, Float, Int

from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import axis_quat, quat_mul, yaw_quat
from wildrobot_gym.task.randomization.world import World
from wildrobot_gym.task.sections import ResetConfig


@struct.dataclass
class ReferenceStates:
    """Frames of reference motion to start from, each with its features and those of the frames
    before it, oldest first.
    """

    qpos: Float[Array, "frame nq"]
    qvel: Float[Array, "frame nv"]
    command: Float[Array, "frame 3"]
    features: Float[Array, "frame feature"]
    history: Float[Array, "frame past feature"]
    phase: Float[Array, " frame"]  # cycles
    # Indices of frames. One is drawn; frames of rare kinds of motion stand here several times.
    often: Int[Array, " draw"]


@struct.dataclass
class Start:
    """Where one episode begins."""

    qpos: Float[Array, "*b nq"]
    qvel: Float[Array, "*b nv"]
    from_reference: Bool[Array, "*b"]
    # Those of the reference frame, where from_reference.
    command: Float[Array, "*b 3"]
    features: Float[Array, "*b feature"]
    history: Float[Array, "*b past feature"]
    phase: Float[Array, "*b"]  # cycles of the gait clock
    # What randomization draws for the episode (`World.start`).
    draws: dict[str, Any]
    world: dict[str, Any]
    fields: dict[str, Any]  # values of model fields that differ from the robot's own


def draw_start(
    key: jax.Array,
    robot: RobotModel,
    config: ResetConfig,
    reference: ReferenceStates | None,
    past_shape: tuple[int, int],
    world: World,
    any_heading: bool = True,
) -> Start:
    """Draw where an episode begins.

    Args:
        key: Random key.
        robot: The robot.
        config: Noise, and the fraction of starts in the reference.
        reference: Frames to start in, or None.
        past_shape: (past, feature) shape of the frames before the start.
        world: Randomization and disturbances.
        any_heading: Whether headings are uniform; else 0, as the reference's are.
    """
    keys = jax.random.split(key, 6)
    n = robot.num_joints
    joints = jnp.asarray(robot.home_joint_pos) + config.joint_noise * jax.random.uniform(
        keys[0], (n,), minval=-1.0
    )
    joints = jnp.clip(joints, *robot.joint_range.T)
    roll, pitch = config.tilt_noise * jax.random.uniform(keys[1], (2,), minval=-1.0)
    tilt = quat_mul(axis_quat(roll, 0), axis_quat(pitch, 1))
    qpos = jnp.concatenate(
        [
            jnp.asarray(robot.home_qpos[:3]),
            quat_mul(jnp.asarray(robot.home_qpos[3:7]), tilt),
            joints,
        ]
    )
    qvel = config.velocity_noise * jax.random.uniform(keys[2], (robot.model.nv,), minval=-1.0)
    from_reference = jnp.array(False)
    command, features, history = jnp.zeros(3), jnp.zeros(past_shape[1]), jnp.zeros(past_shape)
    phase = jnp.float32(0.0)
    if reference is not None and config.reference_fraction > 0:
        frame: Any = reference.often[jax.random.randint(keys[3], (), 0, len(reference.often))]
        from_reference = jax.random.uniform(keys[4]) < config.reference_fraction
        qpos = jnp.where(from_reference, reference.qpos[frame], qpos)
        qvel = jnp.where(from_reference, reference.qvel[frame], qvel)
        command, features, history = (
            reference.command[frame],
            reference.features[frame],
            reference.history[frame],
        )
        phase = jnp.where(from_reference, reference.phase[frame], 0.0)
    # Turn the whole state about z. Quantities in the body frame stay.
    yaw = jax.random.uniform(keys[5], minval=-jnp.pi, maxval=jnp.pi) * any_heading
    qpos = qpos.at[3:7].set(quat_mul(yaw_quat(yaw), qpos[3:7]))
    cos, sin = jnp.cos(yaw), jnp.sin(yaw)
    qvel = qvel.at[:2].set(
        jnp.array([cos * qvel[0] - sin * qvel[1], sin * qvel[0] + cos * qvel[1]])
    )
    return Start(
        qpos=anywhere(key, robot, qpos),
        qvel=qvel,
        from_reference=from_reference,
        command=command,
        features=features,
        history=history,
        phase=phase,
        **world.start(key, qpos[7:]),
    )


def anywhere(key: jax.Array, robot: RobotModel, qpos: Float[Array, "nq"]) -> Float[Array, "nq"]:
    """The pose at a random place on the robot's ground; a level floor is the same everywhere.

    Args:
        key: Random key of the start.
        robot: The robot, with its ground.
        qpos: The pose.
    """
    if robot.ground is None:
        return qpos
    # A key of its own: other draws are the same on every ground.
    place = jax.random.uniform(jax.random.fold_in(key, 6), (2,), minval=-0.5, maxval=0.5)
    return qpos.at[:2].set(robot.ground.size * place)
