"""Reference motion as a policy would have performed it: observations and actions, for a warm start by behaviour cloning."""

from __future__ import annotations

from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.dynamics import servo_targets
from wildrobot_gym.motion.states import clip_states
from wildrobot_gym.task.walk import WalkTask


def demonstrations(
    task: WalkTask, clips: Iterable[MotionClip]
) -> tuple[Float[np.ndarray, "step obs"], Float[np.ndarray, "step joint"]]:
    """What the task's observation is along ``clips``, and the action in -1 ... 1 that goes on along them, float32.

    The actions are feed-forward, from inverse dynamics (:func:`~wildrobot_gym.motion.dynamics.servo_targets`); the command is
    the clip's own. A clip's first and last state are left out: no action came before the one, none follows the other.

    Raises:
        MotionError: no clip, or one without pad forces, or of another robot.
    """
    observations, actions = [], []
    dt = task.config.control_dt
    for clip in clips:
        states = clip_states(task.robot, clip, dt)
        try:
            targets = servo_targets(task.robot, states, dt)
        except MotionError as error:
            raise MotionError(f"Clip {clip.name!r} cannot be demonstrated: {error} Leave it out, or start cold.") from None
        filtered, raw = task.actions_for(jnp.asarray(targets, jnp.float32))
        between = jax.tree.map(lambda x: jnp.asarray(x[1:-1]), states)
        command = jnp.broadcast_to(jnp.asarray(clip.command, jnp.float32), (len(raw) - 1, 3))
        observations.append(task.observe(between, command, filtered[:-1]))
        actions.append(raw[1:])
    if not actions:
        raise MotionError("There is no clip to demonstrate.")
    return np.concatenate(observations), np.concatenate(actions)
