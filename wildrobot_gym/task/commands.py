"""Commanded velocities (vx, vy, yaw rate) in the heading frame, and the heading to hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Bool, Float, Int

from wildrobot_gym.task.sections import CommandConfig

CURRICULUM_STEP = 0.1  # of the ranges, after each episode

Command = Float[Array, "3"]


@struct.dataclass
class Course:
    """What ramps, limits, the heading and the curriculum remember of one environment."""

    asked: Float[Array, "*b 3"]  # what the policy is asked for: near the command, or on its way
    goal: Float[Array, "*b 3"]  # where the command goes
    steps_left: Int[Array, "*b"]  # control steps until it is there
    heading: Float[Array, "*b"]  # rad, to hold: it turns at the commanded yaw rate
    level: Float[Array, "*b"]  # part of the ranges that is drawn from


class Commands:
    """Draws commands and changes them during an episode, as pure functions of one environment.

    Args:
        config: Ranges and shares.
        control_dt: s.
    """

    def __init__(self, config: CommandConfig, control_dt: float) -> None:
        self._config, self._control_dt = config, control_dt
        self._ramp_steps = max(1, round(config.ramp_s / control_dt))
        rates = config.acceleration
        self._most = None if rates is None else control_dt * np.array(rates, np.float32)
        without = rates is None and config.ramp_fraction == config.heading_gain == 0
        self._plain = without and config.curriculum_start == 1

    def blank(self) -> Course | None:
        """Before the first episode."""
        if self._plain:
            return None
        level = jnp.float32(self._config.curriculum_start)
        return Course(jnp.zeros(3), jnp.zeros(3), jnp.int32(0), jnp.float32(0.0), level)

    def begin(
        self,
        key: Array,
        course: Course | None,
        kept_speed: Bool[Array, ""],
        yaw: Float[Array, ""],
        follows: Command,
    ) -> tuple[Command, Course | None]:
        """A command for a new episode.

        Args:
            key: Random key.
            course: Of the episode before.
            kept_speed: Whether that episode kept its speed up to the time limit.
            yaw: Heading of the robot, rad.
            follows: What it does already: the command of a reference frame, or 0.
        """
        if course is None:
            return sample_command(key, self._config), None
        step = jnp.where(kept_speed, CURRICULUM_STEP, -CURRICULUM_STEP)
        level = jnp.clip(course.level + step, self._config.curriculum_start, 1.0)
        command = sample_command(key, self._config, level)
        return command, Course(follows, command, jnp.int32(0), yaw, level)

    def asked(self, command: Command, course: Course | None) -> Command:
        """What the policy is asked for, without the heading's correction."""
        return command if course is None or self._most is None else course.asked

    def next(
        self,
        key: Array,
        command: Command,
        course: Course | None,
        resample: Bool[Array, ""],
        held: Bool[Array, ""],
        yaw: Float[Array, ""],
    ) -> tuple[Command, Course | None]:
        """The command of the next control step.

        Args:
            key: Random key.
            command: The present one.
            course: The present one.
            resample: Whether it is time for another draw.
            held: Whether the command is held from outside.
            yaw: Heading of the robot, rad.
        """
        if course is None:
            return jnp.where(resample, sample_command(key, self._config), command), None
        drawn = sample_command(key, self._config, course.level)
        ramped = jax.random.uniform(jax.random.fold_in(key, 2)) < self._config.ramp_fraction
        goal = jnp.where(resample, drawn, course.goal)
        steps = jnp.where(resample, jnp.where(ramped, self._ramp_steps, 1), course.steps_left)
        steps = jnp.where(held, 0, steps)
        moved = command + (goal - command) / jnp.maximum(steps, 1)
        command = jnp.where(steps > 0, jnp.where(steps == 1, goal, moved), command)
        asked = command
        if self._most is not None:
            asked = course.asked + jnp.clip(command - course.asked, -self._most, self._most)
        heading = self._turned(course.heading, asked, yaw)
        return command, Course(asked, goal, jnp.maximum(steps - 1, 0), heading, course.level)

    def effective(self, command: Command, course: Course | None, yaw: Float[Array, ""]) -> Command:
        """What the policy sees and is paid for: what it is asked for, and back to its heading.

        Args:
            command: The command.
            course: Has the heading to hold.
            yaw: Heading, as far as it is known, rad.
        """
        gain, limit = self._config.heading_gain, self._config.heading_limit
        command = self.asked(command, course)
        if course is None or gain == 0:
            return command
        correction = jnp.clip(gain * _wrapped(course.heading - yaw), -limit, limit)
        standing = jnp.all(command == 0.0)
        return command.at[2].add(jnp.where(standing, 0.0, correction))

    def _turned(
        self, heading: Float[Array, ""], command: Command, yaw: Float[Array, ""]
    ) -> Float[Array, ""]:
        """The heading to hold, one control step later: never further off than the correction
        reaches, and the robot's own while it stands.
        """
        gain, limit = self._config.heading_gain, self._config.heading_limit
        missing = _wrapped(heading + command[2] * self._control_dt - yaw)
        reach = limit / max(gain, 1e-6)
        standing = jnp.all(command == 0.0)
        return jnp.where(standing, yaw, yaw + jnp.clip(missing, -reach, reach))


def sample_command(
    key: Array, config: CommandConfig, level: Float[Array, ""] | float = 1.0
) -> Command:
    """One draw: uniform in the ranges, along one axis alone for a fraction `axis_fraction`, or all
    zero for a fraction `standing_fraction` of the draws.

    Args:
        key: Random key.
        config: Ranges and shares.
        level: Part of the ranges to draw from.
    """
    low, high = jnp.array([config.vx, config.vy, config.yaw_rate]).T
    key_value, key_stand = jax.random.split(key)
    command = jax.random.uniform(key_value, (3,), minval=low, maxval=high) * level
    if config.axis_fraction > 0:
        share_key, axis_key = jax.random.split(jax.random.fold_in(key, 4))
        # Only parts that have a range: the others would be one more way to stand.
        wide = jnp.array([config.vx, config.vy, config.yaw_rate]) != 0.0
        shares = jnp.log(jnp.array(config.axis_shares))
        axis = jax.random.categorical(axis_key, jnp.where(wide.any(axis=1), shares, -jnp.inf))
        alone = jax.random.uniform(share_key) < config.axis_fraction
        command = jnp.where(alone & (jnp.arange(3) != axis), 0.0, command)
    return jnp.where(jax.random.uniform(key_stand) < config.standing_fraction, 0.0, command)


def known_yaw(
    yaw: Float[Array, "*b"], draws: Mapping[str, Any], time: Float[Array, "*b"]
) -> Float[Array, "*b"]:
    """The heading by the robot's IMU, rad: it drifts with the gyro (`imu_drift`, rad/s).

    Args:
        yaw: True heading, rad.
        draws: What the episode's randomization drew, by name.
        time: Since the episode began, s.
    """
    return yaw + draws["imu_drift"][..., 2] * time if "imu_drift" in draws else yaw


def _wrapped(angle: Float[Array, ""]) -> Float[Array, ""]:
    return jnp.arctan2(jnp.sin(angle), jnp.cos(angle))
