"""MuJoCo's own batch inside JAX programs: C physics under `jit`, `vmap` and `scan`.

A host callback steps the whole batch. It is pure: the simulation's state goes in and comes out as
an array, so it can be saved, copied and continued like any other. The bits of MuJoCo's float64
state travel as pairs of uint32, because JAX computes in float32.

JAX does not write a program with a host callback to its compilation cache.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.buffer_callback import buffer_callback
from jaxtyping import Array, Float, UInt32

from wildrobot_gym.physics.base import assemble_state, substeps
from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.engine import engine_key
from wildrobot_gym.physics.native import NativePhysics
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel

Rows = UInt32[Array, "numbers"]
MOST_BATCHES = 8  # of different sizes that are kept


class NativeEngine:
    """MuJoCo's batch behind the `Engine` protocol.

    Args:
        robot: The robot.
        control_dt: s; a whole number of physics steps.
        num_threads: Number of threads; 0 takes every CPU.

    Raises:
        PhysicsError: a control period that is no whole number of physics steps.
    """

    name = "native-jax"

    def __init__(self, robot: RobotModel, control_dt: float = 0.02, num_threads: int = 0) -> None:
        substeps(robot, control_dt)
        self.robot = robot
        self._control_dt, self._num_threads = control_dt, num_threads
        self._batches: dict[int, NativePhysics] = {}
        # Two programs can call back at once, and a batch serves one at a time.
        self._lock = threading.Lock()
        one = self._batch(1)
        state, f32 = one.reset(np.arange(0), one.qpos[:0], one.qvel[:0]), np.float32
        self._rows = jax.ShapeDtypeStruct((2 * one.batch.state.shape[1],), np.uint32)
        self._outputs = (
            self._rows,
            jax.ShapeDtypeStruct(state.qpos.shape[1:], f32),
            jax.ShapeDtypeStruct(state.qvel.shape[1:], f32),
            jax.ShapeDtypeStruct((robot.simulated.model.nsensordata,), f32),
            jax.ShapeDtypeStruct(state.actuator_forces.shape[1:], f32),
            jax.ShapeDtypeStruct((), np.bool_),
        )

    def sharing_key(self) -> str:
        """What the compiled functions depend on, as text."""
        return engine_key(self.name, self.robot, self._control_dt, self._num_threads)

    def init(
        self,
        qpos: Float[Array, "nq"],
        qvel: Float[Array, "nv"],
        fields: Mapping[str, Array] | None = None,
    ) -> tuple[Rows, PhysicsState]:
        """The simulation's state with all sensors computed, and the servos holding the joints."""
        values, names = jax.tree.flatten(dict(fields or {}))
        return self._call(partial(self._init, names), *_as_float32((qpos, qvel, *values)))

    def step(self, data: Rows, drive: Drive) -> tuple[Rows, PhysicsState]:
        """One control step; a simulation that diverged restarts at home."""
        values, names = jax.tree.flatten(drive)
        return self._call(partial(self._step, names), data, *_as_float32(values))

    # --- on the host: no JAX in here, which could deadlock ---

    def _call(self, function: Any, *arguments: Any) -> tuple[Rows, PhysicsState]:
        call = buffer_callback(function, self._outputs, vmap_method="broadcast_all")
        rows, *arrays = call(*arguments)
        return rows, assemble_state(self.robot, *arrays)

    def _init(self, names: Any, _: Any, outputs: Any, *arguments: Any) -> None:
        qpos, qvel, *values = _flat(arguments)
        with self._lock:
            physics = self._batch(len(qpos))
            physics.reset(np.arange(len(qpos)), qpos, qvel, names.unflatten(values))
            self._write(physics, outputs, np.zeros(len(qpos), bool))

    def _step(self, names: Any, _: Any, outputs: Any, *arguments: Any) -> None:
        rows, *values = _flat(arguments)
        with self._lock:
            physics = self._batch(len(rows))
            physics.batch.state[:] = rows.view(np.float64)
            diverged = physics.advance(names.unflatten(values))
            self._write(physics, outputs, diverged)

    def _batch(self, size: int) -> NativePhysics:
        """A batch of `size` simulations."""
        if size not in self._batches:
            while len(self._batches) >= MOST_BATCHES:
                del self._batches[next(iter(self._batches))]
            self._batches[size] = NativePhysics(
                self.robot, size, self._control_dt, self._num_threads
            )
        return self._batches[size]

    def _write(self, physics: NativePhysics, outputs: Any, diverged: np.ndarray) -> None:
        rows = np.ascontiguousarray(physics.batch.state).view(np.uint32)
        values = (rows, physics.qpos, physics.qvel, physics.sensordata, physics.forces, diverged)
        for output, value in zip(outputs, values, strict=True):
            buffer = np.asarray(output)
            buffer[...] = value.reshape(buffer.shape)


def _flat(arguments: Sequence[Any]) -> list[np.ndarray]:
    """(simulation, ...), for none, one or several batch axes; the first argument is a vector."""
    arrays = [np.asarray(x) for x in arguments]
    axes = arrays[0].ndim - 1
    return [np.ascontiguousarray(x.reshape(-1, *x.shape[axes:])) for x in arrays]


def _as_float32(values: Sequence[Any]) -> list[Array]:
    """Numbers in the task's precision; counts stay counts."""
    arrays = [jnp.asarray(x) for x in values]
    return [x.astype(jnp.float32) if jnp.issubdtype(x.dtype, jnp.floating) else x for x in arrays]
