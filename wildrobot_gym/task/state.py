"""What a task remembers between control steps."""

from __future__ import annotations

from typing import Any

import jax
from flax import struct
from jaxtyping import Array, Bool, Float, Int

from wildrobot_gym.task.commands import Course
from wildrobot_gym.task.observations import Memory


@struct.dataclass
class TaskState:
    """What a task remembers of one environment between control steps."""

    key: jax.Array  # this environment's own random stream
    step_count: Int[Array, "*b"]  # control steps since the reset
    start_phase: Float[Array, "*b"]  # cycles of the gait clock at the reset
    episode_limit: Int[Array, "*b"]  # control steps at which the time limit cuts this episode
    command: Float[Array, "*b 3"]  # vx m/s, vy m/s, yaw rate rad/s, heading frame
    # Set from outside: neither a reset nor the interval draws a new command.
    command_held: Bool[Array, "*b"]
    # The last filtered action: the filter's memory, and therefore part of the observation.
    action: Float[Array, "*b joint"]
    foot_air_time: Float[Array, "*b foot"]  # s since each foot last carried load
    double_support_time: Float[Array, "*b"]  # s since any foot last carried none
    # Forward velocity minus command, summed over the steps of the present command, m/s.
    velocity_error_sum: Float[Array, "*b"]
    # Absolute values of such sums under the episode's earlier commands, m/s.
    velocity_error_closed: Float[Array, "*b"]
    # Of the planar velocity (vx, vy in the heading frame, yaw rate), averaged over the last steps.
    mean_error: Float[Array, "*b 3"]
    history: Float[Array, "*b past feature"]  # AMP features of past control steps, newest last
    # Pose before this control step; None where no feature is a difference of two poses.
    previous_qpos: Float[Array, "*b nq"] | None
    course: Course | None  # of the command; None where it only jumps
    draws: Any  # dict: what the episode's randomization drew, by name
    world: Any  # dict: what delays and disturbances remember, by name
    memory: Memory | None  # of the observation; None where it shows one exact instant
