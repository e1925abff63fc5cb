"""What an episode draws of the world, and what that does to the robot in each control step."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.physics.base import substeps
from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.channels import Channel
from wildrobot_gym.task.randomization.catalog import TERMS
from wildrobot_gym.task.randomization.channels import drawn_channels
from wildrobot_gym.task.randomization.disturbances import Force, FrictionPatch, PayloadDrop, Push
from wildrobot_gym.task.randomization.kinds import shape
from wildrobot_gym.task.randomization.model import Model, ModelFacts
from wildrobot_gym.task.randomization.sections import DisturbanceConfig, Range
from wildrobot_gym.task.randomization.servo_parts import Backlash, Delay, JointZero
from wildrobot_gym.task.randomization.terms import RandomTerm, find_own_term
from wildrobot_gym.task.state import TaskState


class World:
    """The randomization and the disturbances of one task, as pure functions of one environment.

    Every random number comes from the environment's own stream, by the name of what is drawn. A
    term's values therefore do not depend on which others are configured.

    Args:
        robot: The robot.
        randomization: Range of each term.
        disturbances: What happens within episodes.
        control_dt: s.
        fraction: Of the episodes in which the terms are drawn.

    Attributes:
        terms: The terms that are drawn, by their names in the infos.

    Raises:
        ConfigError: a user's own term cannot be found or does not fit.
    """

    def __init__(
        self,
        robot: RobotModel,
        randomization: Mapping[str, Range],
        disturbances: DisturbanceConfig,
        control_dt: float,
        fraction: float = 1.0,
    ) -> None:
        self._robot, self._disturbances, self._fraction = robot, disturbances, fraction
        found = [(_find(key), bounds) for key, bounds in randomization.items()]
        order = {name: i for i, name in enumerate(TERMS)}
        # Built-in terms in their own order, then the user's: it does not matter who is named first.
        found.sort(key=lambda pair: order.get(pair[0].name, len(order)))
        for term, bounds in found:
            term.check(bounds)
        self.terms: dict[str, RandomTerm] = {term.name: term for term, _ in found}
        self._ranges = {term.name: bounds for term, bounds in found}
        self._parts = self._make_parts(control_dt)
        self._facts = ModelFacts(robot) if self.terms or self._parts else None
        if set(self.terms) - set(TERMS):
            self._try_out()

    def channels(self) -> dict[str, Channel]:
        """What the critic may see of it, by name."""
        return drawn_channels(self.terms, self._ranges, self._disturbances)

    def start(self, key: Array, joint_pos: Float[Array, "joint"]) -> dict[str, Any]:
        """Fields of an episode's start: what is drawn, the state, and the model to begin with.

        Args:
            key: Random key, from which others may be drawn too.
            joint_pos: rad, where the episode begins.
        """
        drawn = jax.random.uniform(_named(key, "randomization_fraction")) < self._fraction
        draws = {
            name: jnp.where(
                drawn,
                term.sample(_named(key, name), self._ranges[name], self._robot),
                self._nominal(term),
            )
            for name, term in self.terms.items()
        }
        world = {
            part.name: part.begin(_named(key, part.name + " begins"), draws, joint_pos)
            for part in self._parts
            if hasattr(part, "begin")
        }
        return {"draws": draws, "world": world, "fields": self._fields(draws, world)}

    def blank(self) -> dict[str, Any]:
        """Draws and state before the first episode, as fields of a task state.

        They are possible ones: programs step such environments, too, and drop what comes out.
        """
        if self._facts is None:
            return {"draws": {}, "world": {}}
        home = jnp.asarray(self._robot.home_joint_pos, jnp.float32)
        start = self.start(jax.random.PRNGKey(0), home)
        return {"draws": start["draws"], "world": start["world"]}

    def drive(
        self, draws: Mapping[str, Any], world: Mapping[str, Any], targets: Float[Array, "joint"]
    ) -> Drive:
        """What acts on the robot in this control step.

        Args:
            draws: The episode's.
            world: Present state.
            targets: Joint targets of this step, rad.
        """
        drive = Drive(targets, fields=self._fields(draws, world))
        for part in self._parts:
            if hasattr(part, "drive"):
                drive = part.drive(draws, world.get(part.name), drive)
        return drive

    def advance(
        self,
        task: TaskState,
        targets: Float[Array, "joint"],
    ) -> dict[str, Any]:
        """The state after a control step with these joint targets.

        Args:
            task: The task's state in that step.
            targets: Joint targets of that step, rad.
        """
        by_name = {part.name: part for part in self._parts}
        return {
            name: by_name[name].advance(
                jax.random.fold_in(_named(task.key, name), task.step_count),
                *(task.draws, state, targets),
            )
            for name, state in task.world.items()
        }

    def _nominal(self, term: RandomTerm) -> float:
        """What a term's value is in an episode that draws none."""
        if term.replaces is not None and self._facts is not None:
            return float(self._facts.nominal[term.replaces])
        return 1.0 if term.unit == "factor" else 0.0

    def force_limit(self, draws: Mapping[str, Any]) -> Float[Array, "joint"]:
        """Greatest torque of each servo in this episode, N*m."""
        nominal = jnp.asarray(self._robot.force_limit, jnp.float32)
        limit: Array = self._fields(draws, {}).get("force_limit", nominal)
        return limit

    def _fields(self, draws: Mapping[str, Any], world: Mapping[str, Any]) -> dict[str, Any]:
        """The model fields that differ from the robot's own."""
        if self._facts is None:
            return {}
        model = Model(self._facts)
        for name, term in self.terms.items():
            if term.function is not None:
                model.change(term.function(draws[name], model), name)
        for part in self._parts:
            if hasattr(part, "fields") and part.name in world:
                model.change(part.fields(world[part.name], model), part.name)
        return model.changed

    def _make_parts(self, control_dt: float) -> list[Any]:
        parts: list[Any] = []
        disturbances = self._disturbances
        delays = [k for k in ("action_delay", "action_delay_jitter") if k in self.terms]
        if delays:
            longest = sum(self._ranges[k][1] for k in delays)
            parts.append(Delay(longest, control_dt, substeps(self._robot, control_dt)))
        parts += [part for part in (JointZero(), Backlash()) if part.name in self.terms]
        if disturbances.push is not None:
            parts.append(Push(disturbances.push, control_dt))
        if disturbances.force is not None:
            parts.append(Force(disturbances.force, control_dt))
        if disturbances.payload_drop is not None:
            parts.append(PayloadDrop(disturbances.payload_drop, control_dt))
        if disturbances.friction_patch is not None:
            floor = float(ModelFacts(self._robot).nominal["friction"])
            parts.append(FrictionPatch(disturbances.friction_patch, control_dt, floor))
        return parts

    def _try_out(self) -> None:
        """Raise ConfigError where a range of a user's own term gives an impossible model."""
        for end in (0, 1):
            draws = {
                name: jnp.full(shape(term.kind, self._robot), self._ranges[name][end])
                for name, term in self.terms.items()
            }
            for field, value in self._fields(draws, {}).items():
                least = float(jnp.min(value))
                if (field != "com" and not least >= 0.0) or (field == "mass" and least == 0.0):
                    own = {n: self._ranges[n] for n in self.terms if n not in TERMS}
                    raise ConfigError(
                        f"randomization {own} makes the model's {field!r} {least:g} in places;"
                        " allowed: positive masses, and nothing negative. Change the range."
                    )


def _find(key: str) -> RandomTerm:
    return TERMS.get(key) or find_own_term(key, TERMS)


def _named(key: Array, name: str) -> Array:
    """A separate key for what has this name."""
    return jax.random.fold_in(key, zlib.crc32(name.encode()))
