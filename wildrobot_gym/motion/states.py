"""From a clip to the physics states that it passes through, so that the simulation's functions can
read it.
"""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.physics.base import assemble_state
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import FeatureConfig
from wildrobot_gym.task.features import make_frame_features

CONTROL_DT = 0.02  # s; WildRobot-v0's control period


def clip_states(
    robot: RobotModel, clip: MotionClip, control_dt: float = CONTROL_DT
) -> PhysicsState:
    """Return the states of a clip at the control rate, as if physics had passed through them.

    Velocities are the clip's own, or those of `velocities`. Pads and feet come from the model's
    sensors. Unknown values are NaN, never zero: actuator forces, and pad forces if the clip has
    none.

    Args:
        robot: The robot.
        clip: The clip, at any frame rate.
        control_dt: Control period, in seconds.

    Returns:
        States with a leading time axis, float32.

    Raises:
        MotionError: The clip does not fit the robot (see `MotionClip.check`).
    """
    robot = replace(robot, ground=None)  # clips walk on a level floor, whatever the terrain
    clip = clip.check(robot).resampled(1.0 / control_dt)
    qpos = clip.qpos
    qpos[:, 3:7] /= np.linalg.norm(qpos[:, 3:7], axis=-1, keepdims=True)
    qvel = (
        velocities(robot, qpos, control_dt)
        if clip.qvel is None
        else np.asarray(clip.qvel, np.float64)
    )
    frames = len(qpos)
    state = assemble_state(
        robot,
        qpos,
        qvel,
        _sensordata(robot, qpos, qvel),
        np.full((frames, robot.num_joints), np.nan),
        np.zeros(frames, bool),
    )
    forces = (
        np.full((frames, len(robot.pad_names)), np.nan)
        if clip.pad_forces is None
        else clip.pad_forces
    )
    state = replace(state, pad_forces=np.asarray(forces))  # type: ignore[arg-type]
    return jax.tree.map(lambda v: v if v.dtype == bool else v.astype(np.float32), state)


def clip_features(
    robot: RobotModel, config: FeatureConfig, clip: MotionClip, control_dt: float = CONTROL_DT
) -> Float[np.ndarray, "time feature"]:
    """Compute the AMP features of a clip with the function that reads the simulation.

    Args:
        robot: The robot.
        config: The feature settings.
        clip: The clip, at any frame rate.
        control_dt: Control period, in seconds.

    Returns:
        (time, feature) features, float32.

    Raises:
        MotionError: The clip does not fit the robot, or has no pad forces although the features
            need them.
    """
    return state_features(
        robot,
        config,
        clip_states(robot, clip, control_dt),
        clip.commands_at(1.0 / control_dt),
        f"Clip {clip.name!r}",
        control_dt,
    )


def state_features(
    robot: RobotModel,
    config: FeatureConfig,
    states: PhysicsState,
    commands: Float[np.ndarray, "time 3"],
    where: str,
    control_dt: float = CONTROL_DT,
) -> Float[np.ndarray, "time feature"]:
    """Compute the AMP features of the states from `clip_states`.

    Args:
        robot: The robot.
        config: The feature settings.
        states: The states.
        commands: (time, 3) vx m/s, vy m/s and yaw rate rad/s that they follow.
        where: Names the clip in messages.
        control_dt: Control period, in seconds.

    Raises:
        MotionError: The states have no pad forces although the features need them, or a feature is
            not finite.
    """
    if (
        "foot_contacts" in config.channels
        and config.contacts == "force"
        and np.isnan(states.pad_forces).any()
    ):
        raise MotionError(
            f"{where} has no pad forces, but features.contacts is 'force'."
            " Track the clip in physics first, or set features.contacts to 'estimated', 'proxy' or"
            " 'none', for the environment too."
        )
    features_of, states = (
        make_frame_features(robot, config, control_dt),
        jax.tree.map(jnp.asarray, states),
    )
    first, later = (
        jax.tree.map(lambda x, part=part: x[part], states) for part in (slice(1), slice(1, None))
    )
    wanted = jnp.asarray(commands, jnp.float32)
    features = np.concatenate(
        [
            features_of(first, command=wanted[:1]),
            features_of(later, states.qpos[:-1], wanted[1:]),
        ],
        dtype=np.float32,
    )
    if not np.isfinite(features).all():
        frame = int(np.argwhere(~np.isfinite(features))[0][0])
        raise MotionError(
            f"{where} gives features that are not finite, first in control step {frame}."
        )
    return features


def velocities(
    robot: RobotModel, qpos: Float[np.ndarray, "time nq"], dt: float
) -> Float[np.ndarray, "time nv"]:
    """Return the velocities of poses that are `dt` s apart, in MuJoCo's convention.

    `mj_differentiatePos` gives the mean velocity of each interval. The velocity at a frame follows
    from four intervals, (-v[-3/2] + 7 v[-1/2] + 7 v[1/2] - v[3/2]) / 12, with an error O(dt^4). The
    two frames at each end use second-order formulas. Two-point central differences would read a 5
    Hz motion 6 % too slow at 50 Hz.
    """
    nv = robot.model.nv
    mean = np.empty((len(qpos) - 1, nv))
    for i in range(len(mean)):
        mujoco.mj_differentiatePos(robot.model, mean[i], dt, qpos[i], qpos[i + 1])
    qvel = np.empty((len(qpos), nv))
    qvel[1:-1] = 0.5 * (mean[:-1] + mean[1:])
    if len(mean) == 1:
        qvel[:] = mean[0]
        return qvel
    qvel[0] = 1.5 * mean[0] - 0.5 * mean[1]
    qvel[-1] = 1.5 * mean[-1] - 0.5 * mean[-2]
    qvel[2:-2] = (7.0 * (mean[1:-2] + mean[2:-1]) - mean[:-3] - mean[3:]) / 12.0
    return qvel


def _sensordata(robot: RobotModel, qpos: np.ndarray, qvel: np.ndarray) -> np.ndarray:
    """Return position and velocity sensors at every frame.

    Touch sensors need forces and stay NaN.
    """
    model, data = robot.model, mujoco.MjData(robot.model)
    out = np.full((len(qpos), model.nsensordata), np.nan)
    known = np.repeat(
        np.asarray(model.sensor_needstage) < int(mujoco.mjtStage.mjSTAGE_ACC), model.sensor_dim
    )
    for i in range(len(qpos)):
        data.qpos[:], data.qvel[:] = qpos[i], qvel[i]
        mujoco.mj_fwdPosition(model, data)
        mujoco.mj_sensorPos(model, data)
        mujoco.mj_fwdVelocity(model, data)
        mujoco.mj_sensorVel(model, data)
        out[i, known] = data.sensordata[known]
    return out
