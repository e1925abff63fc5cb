"""The policy's observation, and what the critic may see beyond it.

The factors are part of the environment, so that a saved policy needs no file of running statistics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Float

from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import AnyArray
from wildrobot_gym.task import history
from wildrobot_gym.task.channels import (
    JOINTS,
    OBSERVATION,
    OBSERVATION_CHANNELS,
    PRIVILEGED_CHANNELS,
    Channel,
    Sample,
    mirror_of,
    width,
)
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.task.reflection import Image, row_image
from wildrobot_gym.task.sensors import Sensors, SensorState

# Bound after scaling. A real state stays inside; a state about to blow up must not poison a batch.
CLIP = 10.0


CriticObs = Float[Array, " critic"]


@struct.dataclass
class Memory:
    """What an observation needs of the past. None where no setting does."""

    sensors: SensorState | None
    past: Float[Array, "*b past frame"] | None  # scaled frames, newest last


class Observer:
    """The observation of the walking task, as pure functions of one environment.

    Args:
        robot: The robot.
        config: Has the channels, their sensors, the history, and what the critic sees.
        drawn: Channels of what randomization draws, by name, which the critic may see.

    Attributes:
        dim: Width of the observation.
        critic_dim: Width of what the critic sees: the observation, then the privileged channels. 0
            without such channels.
    """

    def __init__(
        self, robot: RobotModel, config: EnvConfig, drawn: Mapping[str, Channel] | None = None
    ) -> None:
        own = config.observation
        known = OBSERVATION_CHANNELS | PRIVILEGED_CHANNELS | dict(drawn or {})
        self._robot, self._history = robot, own.history
        self._channels = [OBSERVATION_CHANNELS[name] for name in own.channels]
        self._privileged = [known[name] for name in config.privileged]
        self._scale = _scales(robot, self._channels, own.sensors)
        self._critic_scale = _scales(robot, self._privileged, {})
        self._fixed: dict[str, Any] = {
            # NumPy's: an environment that is only built has not started JAX, and may be forked.
            "home": np.asarray(robot.home_joint_pos, np.float32),
            "switch_force": own.switch_force,
            "ground": robot.ground,
        }
        self._sensors = Sensors(
            robot, self._channels, own.sensors, config.randomization, config.control_dt
        )
        self.dim = len(self._scale) * self._history.frames
        self.critic_dim = self.dim + len(self._critic_scale) if self._privileged else 0

    def mirror(self) -> dict[str, list[Any]]:
        """Reflection y -> -y of observation, action and critic's observation: the image of a
        vector `x` is `signs * x[ids]`.
        """
        window = self._channels * self._history.frames
        obs_ids, obs_signs = mirror_of(window, self._robot)
        mirror = _with_actions(self._robot, obs_ids, obs_signs)
        if self._privileged:
            ids, signs = mirror_of([*window, *self._privileged], self._robot)
            mirror |= {"critic_ids": ids, "critic_signs": signs}
        return mirror

    def sample(
        self,
        state: PhysicsState,
        command: Any,
        action: Any,
        phase: Any,
        draws: Any,
        mean_error: Any = None,
    ) -> Sample:
        """What the channels read from.

        Args:
            state: The robot's.
            command: As the policy is to see it.
            action: The last filtered action: the action filter's memory.
            phase: Of the gait clock, cycles.
            draws: What the episode's randomization drew, by name.
            mean_error: Of the velocity, over about a stride. Only the critic may see it.
        """
        more = {"phase": jnp.asarray(phase), "draws": draws, "mean_error": mean_error}
        return Sample(state, command, action, **more, **self._fixed)

    def blank(self) -> Memory | None:
        """Before the first episode."""
        sensors, num_past = self._sensors.blank(), self._history.num_past
        if sensors is None and not num_past:
            return None
        return Memory(sensors, jnp.zeros((num_past, len(self._scale))) if num_past else None)

    def begin(
        self, key: Array, sample: Sample
    ) -> tuple[Memory | None, Float[Array, "obs"], CriticObs | None]:
        """Memory, observation and the critic's at the first instant of an episode."""
        sensors, values = self._sensors.begin(key, self._columns(sample), sample.draws)
        frame = self._scaled(values)
        past = None
        if self._history.num_past:
            past = history.fill(frame, self._history)
        return self._seen(sensors, past, frame, sample)

    def next(
        self, key: Array, memory: Memory | None, sample: Sample
    ) -> tuple[Memory | None, Float[Array, "obs"], CriticObs | None]:
        """One control step later."""
        before = None if memory is None else memory.sensors
        sensors, values = self._sensors.next(key, before, self._columns(sample), sample.draws)
        past = None if memory is None else memory.past
        return self._seen(sensors, past, self._scaled(values), sample)

    def along(self, sample: Sample, steps: Float[Array, "time"]) -> Float[Array, "time obs"]:
        """Exact observations along motions. Before the first instant of each, nothing had changed.

        Args:
            sample: Instants one control step apart, motion after motion.
            steps: Control steps since the motion of each began.
        """
        frames = self._scaled(self._columns(sample))
        now = jnp.arange(len(frames))
        ages = [self._history.stride * i for i in reversed(range(self._history.frames))]
        parts = [frames[now - jnp.minimum(age, steps).astype(jnp.int32)] for age in ages]
        return jnp.concatenate(parts, axis=-1)

    def _seen(self, sensors: Any, past: Any, frame: Any, sample: Sample) -> Any:
        obs, new_past = frame, None
        if past is not None:
            obs = history.window(past, frame, self._history)
            new_past = history.push(past, frame)
        memory = None if sensors is None and new_past is None else Memory(sensors, new_past)
        critic = None
        if self._privileged:
            more = jnp.concatenate([c.read(sample) for c in self._privileged], axis=-1)
            critic = jnp.concatenate([obs, jnp.clip(more * self._critic_scale, -CLIP, CLIP)])
        return memory, obs, critic

    def _columns(self, sample: Sample) -> Float[AnyArray, "*b frame"]:
        return jnp.concatenate([c.read(sample) for c in self._channels], axis=-1)

    def _scaled(self, columns: Float[AnyArray, "*b frame"]) -> Float[AnyArray, "*b frame"]:
        return jnp.clip(columns * self._scale, -CLIP, CLIP)


def _scales(robot: RobotModel, channels: Sequence[Channel], sensors: Any) -> np.ndarray:
    """Factor of each column."""
    scales = [getattr(sensors.get(c.name), "scale", None) or c.scale for c in channels]
    return np.repeat(np.array(scales, np.float32), [width(c, robot) for c in channels])


def _with_actions(robot: RobotModel, obs_ids: Any, obs_signs: Any) -> dict[str, list[Any]]:
    action_ids, action_signs = row_image([JOINTS.image(robot)])
    return {
        "obs_ids": obs_ids,
        "obs_signs": obs_signs,
        "action_ids": action_ids,
        "action_signs": action_signs,
    }


# --- the default observation, which the tracking task extends ---


def observation_dim(robot: RobotModel) -> int:
    """Width of the default observation: 3n + 12."""
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
    return _with_actions(robot, obs_ids, obs_signs)


def observe(
    home: Float[Array | np.ndarray, "joint"],
    state: PhysicsState,
    command: Float[Array, "*b 3"],
    action: Float[Array, "*b joint"],
) -> Float[Array, "*b obs"]:
    """The default observation of one instant.

    Args:
        home: (joint,) home pose, rad.
        state: The robot's.
        command: vx m/s, vy m/s, yaw rate rad/s.
        action: The last filtered action: the action filter's memory.
    """
    sample = Sample(state, command, action, home)
    scaled = [channel.read(sample) * channel.scale for channel in OBSERVATION]
    return jnp.clip(jnp.concatenate(scaled, axis=-1), -CLIP, CLIP)
