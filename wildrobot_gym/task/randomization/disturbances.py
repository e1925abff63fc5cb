"""What happens to the robot within an episode, drawn from its random stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.task.randomization.model import Model
from wildrobot_gym.task.randomization.sections import (
    ForceConfig,
    FrictionPatchConfig,
    PayloadDropConfig,
    PushConfig,
    Range,
)

Draws = Mapping[str, Any]


class _Recurring:
    """Something that comes again and again, each time after a drawn interval."""

    def __init__(self, interval_s: Range, control_dt: float) -> None:
        self._interval, self._dt = interval_s, control_dt

    def _steps(self, key: Any, seconds: Range) -> Array:
        """A drawn time in control steps, 1 or more."""
        drawn = jax.random.uniform(key, minval=seconds[0], maxval=seconds[1])
        return jnp.maximum(jnp.round(drawn / self._dt).astype(jnp.int32), 1)

    def _tick(self, key: Any, wait: Array) -> tuple[Array, Array]:
        """Whether it comes in the next step, and the steps from there to the next time."""
        wait = wait - 1
        comes = wait <= 0
        return comes, jnp.where(comes, self._steps(key, self._interval), wait)


class Push(_Recurring):
    """A velocity that is added to the base at once."""

    name = "push"

    def __init__(self, config: PushConfig, control_dt: float) -> None:
        super().__init__(config.interval_s, control_dt)
        self._speed = config.velocity

    def begin(self, key: Any, draws: Draws, joint_pos: Any) -> dict[str, Any]:
        """No push at first."""
        return {"wait": self._steps(key, self._interval), "velocity": jnp.zeros(3)}

    def advance(self, key: Any, draws: Draws, state: Any, targets: Any) -> dict[str, Any]:
        """The next step's push."""
        keys = jax.random.split(key)
        comes, wait = self._tick(keys[0], state["wait"])
        return {"wait": wait, "velocity": jnp.where(comes, _sideways(keys[1], self._speed), 0.0)}

    def drive(self, draws: Draws, state: Any, drive: Drive) -> Drive:
        """With the push of this step."""
        return replace(drive, push=state["velocity"])


class Force(_Recurring):
    """A force on the base for some time."""

    name = "force"

    def __init__(self, config: ForceConfig, control_dt: float) -> None:
        super().__init__(config.interval_s, control_dt)
        self._duration, self._force = config.duration_s, config.force

    def begin(self, key: Any, draws: Draws, joint_pos: Any) -> dict[str, Any]:
        """No force at first."""
        wait = self._steps(key, self._interval)
        return {"wait": wait, "left": jnp.int32(0), "force": jnp.zeros(3)}

    def advance(self, key: Any, draws: Draws, state: Any, targets: Any) -> dict[str, Any]:
        """The next step's force."""
        keys = jax.random.split(key, 3)
        comes, wait = self._tick(keys[0], state["wait"])
        left = jnp.where(comes, self._steps(keys[1], self._duration), state["left"] - 1)
        force = jnp.where(comes, _sideways(keys[2], self._force), state["force"])
        return {
            "wait": wait,
            "left": jnp.maximum(left, 0),
            "force": jnp.where(left > 0, force, 0.0),
        }

    def drive(self, draws: Draws, state: Any, drive: Drive) -> Drive:
        """With the force of this step."""
        return replace(drive, wrench=jnp.concatenate([state["force"], jnp.zeros(3)]))


class PayloadDrop(_Recurring):
    """A mass on the trunk that falls off."""

    name = "payload_drop"

    def __init__(self, config: PayloadDropConfig, control_dt: float) -> None:
        super().__init__(config.interval_s, control_dt)
        self._mass = config.mass

    def begin(self, key: Any, draws: Draws, joint_pos: Any) -> dict[str, Any]:
        """The robot carries a drawn mass."""
        keys = jax.random.split(key)
        low, high = self._mass
        mass = jax.random.uniform(keys[1], minval=low, maxval=high)
        return {"wait": self._steps(keys[0], self._interval), "mass": mass}

    def advance(self, key: Any, draws: Draws, state: Any, targets: Any) -> dict[str, Any]:
        """The mass of the next step."""
        wait = jnp.maximum(state["wait"] - 1, 0)
        return {"wait": wait, "mass": jnp.where(wait > 0, state["mass"], 0.0)}

    def fields(self, state: Any, model: Model) -> dict[str, Any]:
        """The model with the mass."""
        return {"mass": model["mass"] + state["mass"] * model.carrier}


class FrictionPatch(_Recurring):
    """A floor whose friction changes."""

    name = "friction_patch"

    def __init__(self, config: FrictionPatchConfig, control_dt: float, floor: float) -> None:
        super().__init__(config.interval_s, control_dt)
        self._friction, self._floor = config.friction, floor

    def begin(self, key: Any, draws: Draws, joint_pos: Any) -> dict[str, Any]:
        """The episode's own friction at first."""
        friction = jnp.asarray(draws.get("floor_friction", self._floor), jnp.float32)
        return {"wait": self._steps(key, self._interval), "friction": friction}

    def advance(self, key: Any, draws: Draws, state: Any, targets: Any) -> dict[str, Any]:
        """The friction of the next step."""
        keys = jax.random.split(key)
        comes, wait = self._tick(keys[0], state["wait"])
        low, high = self._friction
        drawn = jax.random.uniform(keys[1], minval=low, maxval=high)
        return {"wait": wait, "friction": jnp.where(comes, drawn, state["friction"])}

    def fields(self, state: Any, model: Model) -> dict[str, Any]:
        """The model with the friction."""
        return {"friction": state["friction"]}


def _sideways(key: Any, size: Range) -> Array:
    """(3,) a vector of a drawn length in a drawn horizontal direction."""
    keys = jax.random.split(key)
    length = jax.random.uniform(keys[0], minval=size[0], maxval=size[1])
    angle = jax.random.uniform(keys[1], minval=-jnp.pi, maxval=jnp.pi)
    return length * jnp.stack([jnp.cos(angle), jnp.sin(angle), jnp.zeros(())])
