"""MJX: the same physics in JAX."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Float

from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.physics.base import assemble_state, restart_pose, substeps
from wildrobot_gym.physics.drive import Drive, servo_inputs
from wildrobot_gym.physics.engine import engine_key
from wildrobot_gym.physics.fields import model_fields
from wildrobot_gym.physics.ground_contacts import make_world
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel

# MJX prints that Warp, which is not used here, is missing.
with contextlib.redirect_stdout(io.StringIO()):
    from mujoco import mjx

LARGEST = 1e10  # of positions and velocities; MuJoCo's own bound (mjMAXVAL)


@struct.dataclass
class MjxState:
    """All that a control step needs of the one before. MJX computes the rest again."""

    qpos: Float[Array, "*b nq"]
    qvel: Float[Array, "*b nv"]
    qacc_warmstart: Float[Array, "*b nv"]  # where the constraint solver begins

    @classmethod
    def of(cls, data: Any) -> MjxState:
        """The part of MJX's own data that the next control step needs."""
        return cls(data.qpos, data.qvel, data.qacc_warmstart)


class MjxEngine:
    """MJX behind the `Engine` protocol.

    Args:
        robot: The robot.
        control_dt: s; a whole number of physics steps.

    Raises:
        PhysicsError: MJX does not take the robot's model, or the control period does not fit.
    """

    name = "mjx"

    def __init__(self, robot: RobotModel, control_dt: float = 0.02) -> None:
        self.robot = robot
        self.num_substeps = substeps(robot, control_dt)
        try:
            self._world = make_world(robot, points=True)
            self.model = mjx.put_model(self._world.model, impl="jax")
            self._template = mjx.make_data(self._world.model, impl="jax")
        except (ValueError, ImportError, RuntimeError, NotImplementedError) as error:
            raise PhysicsError(
                f"MJX cannot be used: {error}. `wildrobot doctor` shows what works here."
            ) from error
        self._fields = model_fields(robot)
        self._home = robot.simulated.whole_qpos(jnp.asarray(restart_pose(robot), jnp.float32))

    def sharing_key(self) -> str:
        """What the compiled functions depend on, as text."""
        return engine_key(self.name, self.robot, self.num_substeps)

    def init(
        self,
        qpos: Float[Array, "nq"],
        qvel: Float[Array, "nv"],
        fields: Mapping[str, Array] | None = None,
    ) -> tuple[MjxState, PhysicsState]:
        """MJX's state with all sensors computed, and the servos holding the joints."""
        simulated = self.robot.simulated
        ctrl = simulated.whole_targets(qpos[7:])
        qpos, qvel = simulated.whole_qpos(qpos), simulated.whole_qvel(qvel)
        data = self._template.replace(qpos=qpos, qvel=qvel, ctrl=ctrl)
        model = self._model(fields or {})
        data = mjx.forward(model, self._on_ground(model, data))
        state = self._assemble(data, data.sensordata, data.actuator_force, jnp.array(False))
        return MjxState(qpos, qvel, data.qacc_warmstart), state

    def physics(self, data: MjxState, drive: Drive) -> Any:
        """MJX's own data after a control step, whatever came out."""
        model, simulated = self._model(drive.fields), self.robot.simulated

        def substep(d: Any, k: Any) -> tuple[Any, None]:
            if drive.by_substep:
                targets = servo_inputs(drive, k, d.qpos[simulated.qpos][7:])
                d = d.replace(ctrl=simulated.whole_targets(targets))
            return self._move_planes(mjx.step(model, d)), None

        d = self._template.replace(**vars(data), ctrl=simulated.whole_targets(drive.targets))
        if drive.push is not None:
            d = d.replace(qvel=d.qvel.at[:3].add(drive.push))
        if drive.wrench is not None:
            base = self.robot.model.jnt_bodyid[0]
            d = d.replace(xfrc_applied=d.xfrc_applied.at[base].set(drive.wrench))
        d = self._on_ground(model, d)
        ticks = jnp.arange(self.num_substeps) if drive.by_substep else None
        return jax.lax.scan(substep, d, ticks, self.num_substeps)[0]

    def step(self, data: MjxState, drive: Drive) -> tuple[MjxState, PhysicsState]:
        """One control step; a simulation that diverged restarts at home."""
        d = self.physics(data, drive)
        # NaN compares as false, so it counts as too large.
        diverged = ~((jnp.abs(d.qpos) < LARGEST).all() & (jnp.abs(d.qvel) < LARGEST).all())
        d = d.replace(
            qpos=jnp.where(diverged, self._home, d.qpos),
            qvel=jnp.where(diverged, 0.0, d.qvel),
            qacc_warmstart=jnp.where(diverged, 0.0, d.qacc_warmstart),
        )
        # As with the native engine: position and velocity sensors at the new state, forces of the
        # last substep. Kinematics alone give the former.
        model = self._model(drive.fields)
        now = mjx.com_vel(model, mjx.com_pos(model, mjx.kinematics(model, d)))
        now = mjx.sensor_vel(model, mjx.sensor_pos(model, now))
        sensors = jnp.where(diverged & ~self._moving_sensors, 0.0, now.sensordata)
        forces = jnp.where(diverged, 0.0, d.actuator_force)
        state = self._assemble(d, sensors, forces, diverged)
        return MjxState.of(d), state

    def _model(self, fields: Mapping[str, Array]) -> Any:
        """MJX's model with other values of some fields."""
        model = self.model
        for name, value in fields.items():
            for part in self._fields[name].parts:
                before = jnp.asarray(getattr(model, part.name))
                after = before.at[part.index].set(part.transform(jnp.asarray(value)))
                model = model.replace(**{part.name: after})
        return model

    def _on_ground(self, model: Any, data: Any) -> Any:
        """MJX's data with the planes of the ground where the robot is."""
        return self._move_planes(mjx.kinematics(model, data)) if self._world.moves else data

    def _move_planes(self, data: Any) -> Any:
        if not self._world.moves:
            return data
        pos, quat = self._world.planes(data.geom_xpos)
        return data.replace(mocap_pos=pos, mocap_quat=quat)

    @property
    def _moving_sensors(self) -> Any:
        """(sensor number,) whether the present positions and velocities give it."""
        moving = jnp.ones(self.robot.simulated.model.nsensordata, bool)
        return moving.at[self.robot.sensor_slices["pad_forces"]].set(False)

    def _assemble(self, data: Any, sensors: Any, forces: Any, diverged: Any) -> PhysicsState:
        part = self.robot.simulated
        qpos, qvel = data.qpos[..., part.qpos], data.qvel[..., part.qvel]
        return assemble_state(self.robot, qpos, qvel, sensors, forces[..., part.joints], diverged)
