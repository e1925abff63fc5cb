"""The policy's observation: one frame of proprioception with fixed factors.

The factors are part of the environment, so that a saved policy needs no file of running statistics.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.channels import JOINTS, OBSERVATION, Sample, width
from wildrobot_gym.task.reflection import Image, row_image

# Bound after scaling. A real state stays inside; a state about to blow up must not poison a batch.
CLIP = 10.0


def observation_dim(robot: RobotModel) -> int:
    """Width of the observation: 3n + 12."""
    return sum(width(channel, robot) for channel in OBSERVATION)


def observation_mirror(robot: RobotModel, further: Sequence[Image] = ()) -> dict[str, list[Any]]:
    """Reflection y -> -y of observation and action: the image of a vector `x` is `signs * x[ids]`.

    Args:
        robot: Has the mirror map of the joints.
        further: Images of the columns that a task adds to `observe`'s.

    Returns:
        `obs_ids`, `obs_signs`, `action_ids` and `action_signs`.
    """
    obs_ids, obs_signs = row_image([*(c.kind.image(robot) for c in OBSERVATION), *further])
    action_ids, action_signs = row_image([JOINTS.image(robot)])
    return {
        "obs_ids": obs_ids,
        "obs_signs": obs_signs,
        "action_ids": action_ids,
        "action_signs": action_signs,
    }


def observe(
    home: Float[Array | np.ndarray, "joint"],
    state: PhysicsState,
    command: Float[Array, "*b 3"],
    action: Float[Array, "*b joint"],
) -> Float[Array, "*b obs"]:
    """The observation of one instant.

    Args:
        home: (joint,) home pose, rad.
        state: The robot's.
        command: vx m/s, vy m/s, yaw rate rad/s.
        action: The last filtered action: the action filter's memory.
    """
    sample = Sample(state, command, action, home)
    scaled = [channel.read(sample) * channel.scale for channel in OBSERVATION]
    return jnp.clip(jnp.concatenate(scaled, axis=-1), -CLIP, CLIP)
