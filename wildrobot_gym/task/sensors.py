"""How a robot's sensors measure: late, with noise, a bias and steps, and sometimes not at all.

The true columns of one frame go in, and what the robot would read comes out. Settings without such
errors leave a frame as it is, and nothing is remembered for them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Float

from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import axis_quat, quat_conjugate, quat_mul, rotate
from wildrobot_gym.task.channels import Channel, width
from wildrobot_gym.task.sections import SensorConfig

Columns = Float[Array, "column"]


@struct.dataclass
class SensorState:
    """What the sensors remember of one environment. None where no setting needs it."""

    bias: Float[Array, "*b column"] | None  # constant errors of this episode
    last: Float[Array, "*b column"] | None  # the last measurement, for dropouts
    past: Float[Array, "*b past column"] | None  # frames of past control steps, newest last


class Sensors:
    """The sensors of some channels, as pure functions of one environment.

    Args:
        robot: The robot.
        channels: Whose columns make a frame, in order.
        configs: How each is measured, by its name.
        randomization: Ranges of what is drawn for an episode, by name. The sensors' own are
            `observation_delay`, `joint_zero`, `imu_tilt`, `imu_drift` and `stuck_switch`.
        control_dt: s.
    """

    def __init__(
        self,
        robot: RobotModel,
        channels: Sequence[Channel],
        configs: Mapping[str, SensorConfig],
        randomization: Mapping[str, Any],
        control_dt: float,
    ) -> None:
        widths = [width(channel, robot) for channel in channels]
        self._slices = {
            channel.name: slice(end - size, end)
            for channel, size, end in zip(channels, widths, np.cumsum(widths), strict=True)
        }

        def columns(name: str) -> np.ndarray:
            """A setting of each column."""
            own = [getattr(configs.get(c.name, SensorConfig()), name) for c in channels]
            return np.repeat(np.array(own, np.float32), widths)

        self._noise, self._bias, self._dropout, self._step, delay = (
            columns(name) for name in ("noise", "bias", "dropout", "quantization", "delay_s")
        )
        self._measured = np.repeat([c.sensor is not None for c in channels], widths)
        self._switch = np.repeat([c.sensor == "switch" for c in channels], widths)
        self._delay, self._control_dt = delay, control_dt
        late = self._measured * max(randomization.get("observation_delay", (0.0, 0.0)))
        self._num_past = math.ceil(round(float((delay + late).max()) / control_dt, 6))
        # A dropout takes a whole channel: one draw for each, spread over its columns.
        self._channel_of = np.repeat(np.arange(len(channels)), widths)
        self._drawn = [name for name in _ERRORS if name in randomization]
        self._of_sensor = {
            kind: [c.name for c in channels if c.sensor == kind]
            for kind in ("imu", "encoder", "switch")
        }

    @property
    def exact(self) -> bool:
        """Whether every frame is measured as it is."""
        settings = (self._noise, self._bias, self._dropout, self._step)
        return not (any(s.any() for s in settings) or self._num_past or self._drawn)

    def blank(self) -> SensorState | None:
        """Before the first episode."""
        if self.exact:
            return None
        nothing = jnp.zeros(len(self._noise))
        return SensorState(
            bias=nothing if self._bias.any() else None,
            last=nothing if self._dropout.any() else None,
            past=jnp.zeros((self._num_past, len(nothing))) if self._num_past else None,
        )

    def begin(
        self, key: Array, frame: Columns, draws: Mapping[str, Any]
    ) -> tuple[SensorState | None, Columns]:
        """The sensors at the first frame of an episode, before which nothing had changed.

        Args:
            key: Random key.
            frame: True values.
            draws: What the episode's randomization drew, by name.
        """
        if self.exact:
            return None, frame
        key, bias_key = jax.random.split(key)
        bias = None
        if self._bias.any():
            bias = jnp.asarray(self._bias) * jax.random.uniform(bias_key, frame.shape, minval=-1.0)
        past = None
        if self._num_past:
            past = jnp.repeat(self._wrong(frame, draws)[None], self._num_past, axis=0)
        state = SensorState(bias, frame if self._dropout.any() else None, past)
        return self.next(key, state, frame, draws, jnp.array(True))

    def next(
        self,
        key: Array,
        state: SensorState | None,
        frame: Columns,
        draws: Mapping[str, Any],
        first: Array | bool = False,
    ) -> tuple[SensorState | None, Columns]:
        """One control step later.

        Args:
            key: Random key.
            state: The sensors before.
            frame: True values.
            draws: What the episode's randomization drew, by name.
            first: Whether this is an episode's first frame, which no sensor loses.
        """
        if state is None:
            return None, frame
        noise_key, dropout_key = jax.random.split(key)
        past, value = state.past, self._wrong(frame, draws)
        if past is not None:
            line = jnp.concatenate([past, value[None]])
            past, value = line[1:], self._late(line, draws)
        if state.bias is not None:
            value = value + state.bias
        if self._noise.any():
            value = value + self._noise * jax.random.normal(noise_key, value.shape)
        if self._step.any():
            step = jnp.where(self._step > 0, self._step, 1.0)
            value = jnp.where(self._step > 0, step * jnp.round(value / step), value)
        last = state.last
        if last is not None:
            lost = jax.random.uniform(dropout_key, (int(self._channel_of[-1]) + 1,))
            lost = (lost[self._channel_of] < self._dropout) & ~jnp.asarray(first)
            last = value = jnp.where(lost, last, value)
        return SensorState(state.bias, last, past), value

    def _late(self, line: Float[Array, "time column"], draws: Mapping[str, Any]) -> Columns:
        """Frames as they were some time ago, interpolated; `line` has the newest last."""
        delay = self._delay + self._measured * draws.get("observation_delay", 0.0)
        steps = jnp.clip(delay / self._control_dt, 0.0, self._num_past)
        # A switch is open or closed, however late.
        steps = jnp.where(self._switch, jnp.round(steps), steps)
        whole = jnp.floor(steps)
        newer = self._num_past - whole.astype(jnp.int32)
        ids = jnp.arange(line.shape[1])
        part = steps - whole
        return (1.0 - part) * line[newer, ids] + part * line[jnp.maximum(newer - 1, 0), ids]

    def _wrong(self, frame: Columns, draws: Mapping[str, Any]) -> Columns:
        """The episode's own errors: encoders off zero, a tilted IMU, a gyro that drifts, a switch
        that sticks.
        """
        for name in self._drawn:
            for channel in self._of_sensor[_ERRORS[name][0]]:
                columns = self._slices[channel]
                frame = frame.at[columns].set(
                    _ERRORS[name][1](channel, frame[columns], draws[name])
                )
        return frame


def _off_zero(channel: str, values: Columns, zero: Array) -> Columns:
    return values if channel == "joint_vel" else values - zero


def _tilted(channel: str, values: Columns, tilt: Array) -> Columns:
    turn = quat_mul(axis_quat(tilt[0], 0), axis_quat(tilt[1], 1))
    return rotate(quat_conjugate(turn), values)


def _drifting(channel: str, values: Columns, drift: Array) -> Columns:
    return values + drift if channel == "gyro" else values


def _stuck(channel: str, values: Columns, stuck: Array) -> Columns:
    """1: stuck closed; -1: stuck open; 0: it works."""
    return jnp.where(stuck == 0.0, values, (stuck > 0.0).astype(values.dtype))


# What is drawn for an episode: the kind of sensor it concerns, and its effect on a channel.
_ERRORS: dict[str, tuple[str, Any]] = {
    "joint_zero": ("encoder", _off_zero),
    "imu_tilt": ("imu", _tilted),
    "imu_drift": ("imu", _drifting),
    "stuck_switch": ("switch", _stuck),
}
