"""Reference motion as observations and actions, for a warm start by behavior cloning."""

from __future__ import annotations

from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.command_kinds import repeats
from wildrobot_gym.motion.dynamics import servo_targets
from wildrobot_gym.motion.gait_phase import phases_of
from wildrobot_gym.motion.states import clip_states
from wildrobot_gym.task.walk import WalkTask


def demonstrations(
    task: WalkTask, clips: Iterable[MotionClip]
) -> tuple[Float[np.ndarray, "step obs"], Float[np.ndarray, "step joint"]]:
    """The task's observations along clips, and the actions that continue along them.

    Inverse dynamics gives feed-forward actions (`wildrobot_gym.motion.dynamics.servo_targets`). The
    command is the clip's own in each frame, and the gait clock's phase the gait's. Rare kinds of
    motion are repeated (`command_kinds.repeats`). A clip's first and last state are left out: no
    action comes before the first, and none follows the last.

    Args:
        task: Has the observation and the action's scales.
        clips: Of the task's robot, with pad forces.

    Returns:
        (step, obs) observations and (step, joint) actions in -1 to 1, float32.

    Raises:
        MotionError: no clip, or one without pad forces, or of another robot.
    """
    between, commands, phases, before, after = [], [], [], [], []
    dt = task.config.control_dt
    for clip in clips:
        states = clip_states(task.robot, clip, dt)
        try:
            targets = servo_targets(task.robot, states, dt)
        except MotionError as error:
            raise MotionError(
                f"Clip {clip.name!r} cannot be demonstrated: {error} Leave it out, or start cold."
            ) from None
        between.append(jax.tree.map(lambda x: x[1:-1], states))
        commands.append(clip.commands_at(1.0 / dt)[1:-1])
        phases.append(phases_of(task.robot, states, dt)[1:-1])
        before.append(targets[:-1])
        after.append(targets[1:])
    if not between:
        raise MotionError("There is no clip to demonstrate.")
    # All clips in one call: JAX compiles once for each length.
    pairs = np.stack([np.concatenate(before), np.concatenate(after)]).astype(np.float32)
    filtered, raw = task.control.actions_for(jnp.asarray(pairs))
    along = jax.tree.map(lambda *leaves: jnp.asarray(np.concatenate(leaves)), *between)
    steps = np.concatenate([np.arange(len(c), dtype=np.float32) for c in commands])
    command, phase = np.concatenate(commands), np.concatenate(phases, dtype=np.float32)
    sample = task.observer.sample(along, jnp.asarray(command), filtered[0], phase, {})
    observations = task.observer.along(sample, jnp.asarray(steps))
    often = np.repeat(np.arange(len(steps)), repeats(command))
    return np.asarray(observations)[often], np.asarray(raw[1])[often]
