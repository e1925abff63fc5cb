"""Windows of feature frames, for rollouts and for clips.

A window holds `frames` frames, `stride` control steps apart, oldest first. A rollout keeps the past
control steps in `TaskState.history`, the present one last. A reset fills it with the first frame,
or with the reference's frames before it. So no window reaches into another episode, and none holds
zeros in place of frames.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from wildrobot_gym.rotations import AnyArray
from wildrobot_gym.task.sections import HistoryConfig


def fill(
    frame: Float[AnyArray, "*b feature"], config: HistoryConfig
) -> Float[AnyArray, "*b past feature"]:
    """A past that consists of `frame` alone."""
    return jnp.repeat(frame[..., None, :], config.num_past, axis=-2)


def push(
    history: Float[AnyArray, "*b past feature"], frame: Float[AnyArray, "*b feature"]
) -> Float[AnyArray, "*b past feature"]:
    """The past one control step later: without its oldest frame, and with `frame` last."""
    return jnp.concatenate([history, frame[..., None, :]], axis=-2)[..., 1:, :]


def window(
    history: Float[AnyArray, "*b past feature"],
    frame: Float[AnyArray, "*b feature"],
    config: HistoryConfig,
) -> Float[AnyArray, "*b window"]:
    """What the discriminator sees at `frame`, flattened, oldest first."""
    steps = jnp.concatenate([history, frame[..., None, :]], axis=-2)[..., :: config.stride, :]
    return steps.reshape(*frame.shape[:-1], -1)


def clip_windows(
    features: Float[np.ndarray, "time feature"], config: HistoryConfig
) -> Float[np.ndarray, "windows window"]:
    """All windows inside one clip; window i ends at frame i + num_past."""
    count = max(len(features) - config.num_past, 0)
    ids = np.arange(count)[:, None] + np.arange(config.frames)[None, :] * config.stride
    return features[ids].reshape(count, config.frames * features.shape[-1])
