"""What drawn values do to the servos' inputs: delay, play, and the encoders' zeros."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.task.randomization.catalog import LONGEST_DELAY

Draws = Mapping[str, Any]


class Delay:
    """Targets reach the servos late, by a whole number of physics steps.

    A target that was overtaken by a newer one never comes back, however the jitter falls.

    Args:
        longest: Longest delay, with jitter, s.
        control_dt: s.
        substeps: Physics steps in a control step.
    """

    name = "action_delay"

    def __init__(self, longest: float, control_dt: float, substeps: int) -> None:
        self._longest = min(longest, LONGEST_DELAY)
        self._substeps, self._tick = substeps, control_dt / substeps
        self._remembered = math.ceil(self._longest / control_dt - 1e-6) + 1

    def begin(self, key: Any, draws: Draws, joint_pos: Any) -> dict[str, Any]:
        """The servos hold the joints until the first target comes."""
        held = joint_pos - draws.get("joint_zero", 0.0)
        return {
            "sent": jnp.tile(held, (self._remembered, 1)),  # targets of past steps, newest first
            "age": jnp.int32(0),  # of the target that the servos hold, in control steps
            "jitter": jax.random.uniform(key, minval=-1.0),
        }

    def advance(self, key: Any, draws: Draws, state: Any, targets: Any) -> dict[str, Any]:
        """The step's targets become past ones."""
        age, _ = self._arrival(draws, state)
        return {
            "sent": jnp.concatenate([targets[None], state["sent"][:-1]]),
            "age": age,
            "jitter": jax.random.uniform(key, minval=-1.0),
        }

    def drive(self, draws: Draws, state: Any, drive: Drive) -> Drive:
        """Targets of earlier steps, and when the servos change from one to the next."""
        sent = jnp.concatenate([drive.targets[None], state["sent"]])
        age, substep = self._arrival(draws, state)
        held = jnp.minimum(state["age"] + 1, len(sent) - 1)
        return replace(drive, targets=sent[age], before=sent[held], switch=substep)

    def _arrival(self, draws: Draws, state: Any) -> tuple[Any, Any]:
        """Age of the newest target that comes in this step, and its sub-step."""
        jitter = draws.get("action_delay_jitter", 0.0) * state["jitter"]
        delay = jnp.clip(draws.get("action_delay", 0.0) + jitter, 0.0, self._longest)
        ticks = jnp.round(delay / self._tick).astype(jnp.int32)
        return jnp.minimum(ticks // self._substeps, state["age"] + 1), ticks % self._substeps


class JointZero:
    """Encoders whose zero is off: what a servo takes for its target is another angle."""

    name = "joint_zero"

    def drive(self, draws: Draws, state: Any, drive: Drive) -> Drive:
        """The targets that the servos reach in truth."""
        zero = draws[self.name]
        before = None if drive.before is None else drive.before + zero
        return replace(drive, targets=drive.targets + zero, before=before)


class Backlash:
    """Play between servos and joints."""

    name = "backlash"

    def drive(self, draws: Draws, state: Any, drive: Drive) -> Drive:
        """With the play of each joint."""
        return replace(drive, backlash=draws[self.name])
