"""MJX: the same physics in JAX.

MJX 3.17 on Warp does not give the sensors at a given state, which `advance` needs.

`init` and `advance` are pure functions of one environment's MJX data. The class around them keeps
the state, so that environments use both engines in the same way. On a CPU this engine is for parity
tests, not for training.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.physics.base import assemble_state, substeps
from wildrobot_gym.physics.state import PhysicsState, select
from wildrobot_gym.robot import RobotModel

# MJX prints that Warp, which is not used here, is missing.
with contextlib.redirect_stdout(io.StringIO()):
    from mujoco import mjx


class MjxPhysics:
    """MJX behind the `Physics` protocol, batched over environments and compiled.

    Raises:
        PhysicsError: MJX does not take the robot's model, or the control period does not fit.
    """

    def __init__(self, robot: RobotModel, num_envs: int, control_dt: float = 0.02) -> None:
        self.robot = robot
        self.num_envs = num_envs
        self.num_diverged = 0
        self._substeps = substeps(robot, control_dt)
        try:
            self._model = mjx.put_model(robot.model, impl="jax")
            template = mjx.make_data(robot.model, impl="jax")
        except (ValueError, ImportError, RuntimeError, NotImplementedError) as error:
            raise PhysicsError(
                f"MJX cannot be used: {error}. `wildrobot doctor` shows what works here."
            ) from error
        home = jnp.asarray(robot.home_qpos, jnp.float32)
        self._home = template.replace(qpos=home, qvel=jnp.zeros(robot.model.nv), ctrl=home[7:])
        self._init = jax.jit(jax.vmap(self.init))
        self._advance = jax.jit(jax.vmap(self.advance))
        self._data = self._init(
            jnp.tile(home, (num_envs, 1)), jnp.zeros((num_envs, robot.model.nv))
        )

    # --- pure functions on one environment ---

    def init(self, qpos: jax.Array, qvel: jax.Array) -> Any:
        """Data at a given state, with all sensors computed and the servos holding the joints where
        they are.
        """
        return mjx.forward(self._model, self._home.replace(qpos=qpos, qvel=qvel, ctrl=qpos[7:]))

    def advance(self, data: Any, ctrl: jax.Array) -> tuple[Any, jax.Array]:
        """One control step: the data, and whether it blew up; the data is then the home state."""
        data = data.replace(ctrl=ctrl)
        data = jax.lax.scan(
            lambda d, _: (mjx.step(self._model, d), None), data, None, self._substeps
        )[0]
        diverged = ~(jnp.isfinite(data.qpos).all() & jnp.isfinite(data.qvel).all())
        qpos = jnp.where(diverged, self._home.qpos, data.qpos)
        qvel = jnp.where(diverged, 0.0, data.qvel)
        warm = jnp.where(diverged, 0.0, data.qacc_warmstart)
        forces = jnp.where(diverged, 0.0, data.actuator_force)
        sensors = jnp.where(diverged, 0.0, data.sensordata)
        data = data.replace(
            qpos=qpos, qvel=qvel, qacc_warmstart=warm, actuator_force=forces, sensordata=sensors
        )
        # As with the native engine: position and velocity sensors at the new state, forces of the
        # last substep.
        data = mjx.sensor_pos(self._model, mjx.fwd_position(self._model, data))
        data = mjx.sensor_vel(self._model, mjx.fwd_velocity(self._model, data))
        return data, diverged

    # --- the protocol ---

    def reset(self, ids: np.ndarray, qpos: np.ndarray, qvel: np.ndarray) -> PhysicsState:
        if len(ids):
            new_qpos = np.array(self._data.qpos)
            new_qvel = np.array(self._data.qvel)
            new_qpos[ids], new_qvel[ids] = qpos, qvel
            mask = np.zeros(self.num_envs, bool)
            mask[ids] = True
            self._data = select(mask, self._init(new_qpos, new_qvel), self._data)
        return self._state(np.zeros(self.num_envs, bool))

    def step(self, ctrl: Any, frozen: np.ndarray | None = None) -> PhysicsState:
        before = self._data
        data, diverged = self._advance(before, jnp.asarray(ctrl, jnp.float32))
        if frozen is not None and frozen.any():
            data = select(frozen, before, data)
            diverged = jnp.where(frozen, False, diverged)
        self._data = data
        self.num_diverged += int(diverged.sum())
        return self._state(np.asarray(diverged))

    def get_state(self) -> dict[str, np.ndarray]:
        leaves = jax.tree_util.tree_leaves(self._data)
        return {f"leaf_{i}": np.asarray(leaf) for i, leaf in enumerate(leaves)}

    def set_state(self, arrays: dict[str, np.ndarray]) -> PhysicsState:
        leaves, tree = jax.tree_util.tree_flatten(self._data)
        given = [arrays.get(f"leaf_{i}") for i in range(len(leaves))]
        if any(g is None or g.shape != leaf.shape for g, leaf in zip(given, leaves, strict=True)):
            raise PhysicsError(
                "Saved physics does not fit this engine: another robot, engine or number of"
                " environments."
            )
        self._data = jax.tree_util.tree_unflatten(tree, [jnp.asarray(g) for g in given])
        return self._state(np.zeros(self.num_envs, bool))

    def _state(self, diverged: np.ndarray) -> PhysicsState:
        d = self._data
        return assemble_state(self.robot, d.qpos, d.qvel, d.sensordata, d.actuator_force, diverged)
