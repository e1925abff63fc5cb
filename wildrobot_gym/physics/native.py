"""MuJoCo's own batch on a thread pool: the default engine."""

from __future__ import annotations

from collections.abc import Mapping

import mujoco
import mujoco.batch
import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.physics.base import assemble_state, restart_pose, substeps
from wildrobot_gym.physics.drive import Drive, servo_inputs
from wildrobot_gym.physics.dumps import recorder
from wildrobot_gym.physics.fields import model_fields
from wildrobot_gym.physics.ground_contacts import STEPS_PER_MOVE, make_world
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import AnyArray

# A blow-up does not raise: the engine resets that simulation and counts one of these warnings.
_BLOW_UPS = [
    getattr(mujoco.mjtWarning, f"mjWARN_BAD{name}").value
    for name in ("QPOS", "QVEL", "QACC", "CTRL")
]
_VEL = mujoco.mjtStage.mjSTAGE_VEL.value
_NONE = mujoco.mjtStage.mjSTAGE_NONE.value
_POS = mujoco.mjtStage.mjSTAGE_POS.value
_CTRL = int(mujoco.mjtState.mjSTATE_CTRL)
_PLAY_SUBSTEPS = 3  # after which play looks at the joints again: 6 ms


class NativePhysics:
    """`mujoco.batch.Batch`, with what tasks need of it.

    `num_envs` simulations of one robot, stepped together at the control rate. All arrays have a
    leading environment axis.

    Args:
        robot: The robot.
        num_envs: Number of simulations.
        control_dt: s; a whole number of physics steps.
        num_threads: Number of threads; 0 takes every CPU.

    Attributes:
        robot: The robot.
        num_envs: Number of simulations.
        num_diverged: Simulations that were restarted after a NaN or a blow-up, since construction.
        batch: MuJoCo's batch. Its arrays, and `sensordata`, are live float64 views.

    Raises:
        PhysicsError: a control period that is no whole number of physics steps.
    """

    def __init__(
        self, robot: RobotModel, num_envs: int, control_dt: float = 0.02, num_threads: int = 0
    ) -> None:
        self.robot = robot
        self.num_envs = num_envs
        self.num_diverged = 0
        self._substeps = substeps(robot, control_dt)
        self._in = robot.simulated  # where the robot is in what is simulated
        self._world = make_world(robot, points=False)
        self.batch = mujoco.batch.Batch(self._world.model, num_envs, num_threads)
        self._qpos = self.batch.bind("qpos")
        self._qvel = self.batch.bind("qvel")
        self._ctrl = self.batch.bind("ctrl")
        self.sensordata = self.batch.bind("sensordata")
        self._forces = self.batch.bind("actuator_force")
        self._restored: dict[str, np.ndarray] = {}  # which no step has replaced yet
        self._wrench: np.ndarray | None = None  # bound when it is first used: most never push
        self._fields = model_fields(robot)
        self._written: dict[str, np.ndarray] = {}  # the model fields of all, as last written
        if self._world.moves:
            names = ("geom_xpos", "mocap_pos", "mocap_quat")
            self._geoms, *self._planes = (self.batch.bind(name) for name in names)
        self._seen = self._blow_ups()
        self.recorder = recorder(robot, control_dt)
        home = np.tile(robot.home_qpos, (num_envs, 1))
        self.reset(np.arange(num_envs), home, np.zeros((num_envs, robot.model.nv)))

    @property
    def qpos(self) -> np.ndarray:
        """(num_envs, 7 + joint) positions; a live view where no servo holds further joints."""
        return self._qpos[:, self._in.qpos]

    @property
    def qvel(self) -> np.ndarray:
        """(num_envs, 6 + joint) velocities; a live view where no servo holds further joints."""
        return self._qvel[:, self._in.qvel]

    @property
    def forces(self) -> np.ndarray:
        """(num_envs, joint) torques of the servos, N*m."""
        return self._forces[:, self._in.joints]

    def reset(
        self,
        ids: np.ndarray,
        qpos: np.ndarray,
        qvel: np.ndarray,
        fields: Mapping[str, np.ndarray] | None = None,
    ) -> PhysicsState:
        """Place some environments, with the servos holding the joints.

        Args:
            ids: (n,) environments, sorted.
            qpos: (n, nq) their positions.
            qvel: (n, nv) their velocities.
            fields: Values of their model fields, each with a leading axis of n; those that are left
                out become the robot's own. None: all stay.

        Returns:
            The state of all environments.
        """
        if len(ids):
            if fields is not None:
                self.write_fields(fields, ids)
            self.batch.reset(ids, stage=_NONE)
            self._qpos[ids] = self._in.whole_qpos(qpos)
            self._qvel[ids] = self._in.whole_qvel(qvel)
            self._ctrl[ids] = self._in.whole_targets(qpos[:, 7:])
            if self._world.moves:
                self.batch.forward(ids, stage=_POS)
                self._move_planes(ids)
            self.batch.forward(ids)
            self._replace_restored(ids)
            self._seen[ids] = self._blow_ups()[ids]  # a reset sets the engine's counters back
        return self._state(np.zeros(self.num_envs, bool))

    def step(self, drive: Drive, frozen: np.ndarray | None = None) -> PhysicsState:
        """Take one control step.

        Args:
            drive: NumPy's arrays, each with a leading environment axis.
            frozen: (num_envs,) bool: environments that stay as they are.

        Returns:
            The state of all environments.
        """
        return self._state(self.advance(drive, frozen))

    def advance(self, drive: Drive, frozen: np.ndarray | None = None) -> np.ndarray:
        """As `step`, without copying the state.

        Returns:
            (num_envs,) bool: simulations that diverged and restarted at home.
        """
        ids = None if frozen is None or not frozen.any() else ~frozen
        if self.recorder is not None:
            self.recorder.see(self.batch.state, drive)
        self.write_fields(drive.fields)
        if drive.push is not None:
            self._qvel[:, :3] += drive.push if ids is None else drive.push * ids[:, None]
        if drive.wrench is not None:
            self.push_base(drive.wrench)
        # The velocity stage updates the sensors of position and velocity to the state after the
        # step. Forces stay those of the last substep, which saves a constraint solve.
        if self._world.moves:
            self._walk_on_planes(drive, ids)
        elif drive.by_substep:
            self._follow(drive, ids)
        else:
            self._ctrl[:, self._in.joints] = drive.targets
            self.batch.step(ids, nstep=self._substeps, stage=_VEL)
        self._replace_restored(ids)
        diverged: np.ndarray = (now := self._blow_ups()) > self._seen
        self._seen = now
        if diverged.any():
            self.num_diverged += int(diverged.sum())
            ids = np.flatnonzero(diverged)
            if self.recorder is not None:
                self.recorder.write(ids)
            home = np.tile(restart_pose(self.robot), (len(ids), 1))
            self.reset(ids, home, np.zeros((len(ids), self.robot.model.nv)))
        return diverged

    def _follow(self, drive: Drive, ids: np.ndarray | None) -> None:
        """A control step in which the servos' inputs change.

        Each call of the batch costs a hundredth of a control step. So late targets take two calls,
        and play takes one for some sub-steps, between which joints move on at their velocities.
        """
        last, joints, dt = self._substeps - 1, self._in.joints, self._in.model.opt.timestep
        size = _PLAY_SUBSTEPS if drive.backlash is not None else self._substeps
        for first in range(0, last, size):
            count = min(size, last - first)
            ctrl = np.repeat(self._ctrl[:, None], count, axis=1)
            for k in range(count):
                joint_pos = self.qpos[:, 7:] + k * dt * self.qvel[:, 6:]
                ctrl[:, k, joints] = servo_inputs(drive, first + k, joint_pos)
            rows = ctrl if ids is None else ctrl[ids]
            self.batch.rollout(count, rows, _CTRL, record=[], ids=ids)
        self._ctrl[:, joints] = servo_inputs(drive, last, self.qpos[:, 7:])
        self.batch.step(ids, nstep=1, stage=_VEL)

    def write_fields(
        self, fields: Mapping[str, np.ndarray], ids: np.ndarray | slice = slice(None)
    ) -> None:
        """Set the model fields of some environments.

        Args:
            fields: Values by name (`wildrobot_gym.physics.fields`), each with a leading axis. Those
                that are left out become the robot's own.
            ids: Their environments; all by default.
        """
        left_out = self._written.keys() - fields.keys()
        for name, value in [*fields.items(), *((k, self._fields[k].nominal) for k in left_out)]:
            # Most change at resets alone, and it is faster to compare them than to write them.
            if name not in self._written:
                shape = (self.num_envs, *self._fields[name].nominal.shape)
                self._written[name] = np.full(shape, np.nan)
            written = self._written[name][ids]
            value = np.broadcast_to(value, written.shape)
            if np.array_equal(written, value):
                continue
            self._written[name][ids] = value
            for part in self._fields[name].parts:
                live = self._expanded(part.name)
                some = live[ids]  # a copy, or a view of all
                some[(slice(None), *part.index)] = part.transform(value)
                live[ids] = some

    def _expanded(self, name: str) -> np.ndarray:
        """A field of MuJoCo's model with a leading environment axis; live."""
        if name == "body_ipos":
            # Where the center of mass was the frame's origin, MuJoCo takes one for the other.
            self.batch.expand("body_sameframe")[:] = mujoco.mjtSameFrame.mjSAMEFRAME_NONE.value
        return np.asarray(self.batch.expand(name))

    def push_base(self, wrench: Float[AnyArray, "env 6"]) -> None:
        """Apply a force and a torque to the base's center of mass until the next call or a reset.

        Args:
            wrench: (env, 6) force, N, and torque, N*m, in the world frame.
        """
        if self._wrench is None:
            self._wrench = self.batch.bind("xfrc_applied")
        self._wrench[:, self.robot.model.jnt_bodyid[0]] = wrench

    def get_state(self) -> dict[str, np.ndarray]:
        """Everything needed to continue bit for bit, as arrays."""
        live = {"rows": self.batch.state, **self._outputs()}
        return {name: array.copy() for name, array in live.items()}

    def set_state(self, arrays: dict[str, np.ndarray]) -> PhysicsState:
        """Continue from what `get_state` gave.

        Raises:
            PhysicsError: the arrays are of another engine, robot or number of environments.
        """
        if missing := sorted({"rows", "sensordata", "forces"} - set(arrays)):
            raise PhysicsError(
                f"Saved physics has no {', '.join(missing)}: it is of another engine."
            )
        if arrays["rows"].shape != self.batch.state.shape:
            raise PhysicsError(
                f"Saved physics is of shape {arrays['rows'].shape}, this one of"
                f" {self.batch.state.shape}: another robot or number of environments."
            )
        self.batch.state[:] = arrays["rows"]
        # Computed again, they would not be what the last step gave.
        self._restored = {name: arrays[name].copy() for name in ("sensordata", "forces")}
        return self._state(np.zeros(self.num_envs, bool))

    def _state(self, diverged: np.ndarray) -> PhysicsState:
        """A copy in the task's precision: the batch's arrays are live float64 views."""
        live = self.qpos, self.qvel, *self._outputs().values()
        qpos, qvel, sensordata, forces = (np.array(array, np.float32) for array in live)
        return assemble_state(self.robot, qpos, qvel, sensordata, forces, diverged)

    def _outputs(self) -> dict[str, np.ndarray]:
        """What was restored, or what the last step computed."""
        return self._restored or {"sensordata": self.sensordata, "forces": self.forces}

    def _replace_restored(self, ids: np.ndarray | None) -> None:
        """Let what was just computed, for some environments or all, replace what was restored."""
        self._restored = {} if ids is None else self._restored
        for name, array in self._restored.items():
            array[ids] = getattr(self, name)[ids]

    def _walk_on_planes(self, drive: Drive, ids: np.ndarray | None) -> None:
        """A control step on ground whose planes move along."""
        self._ctrl[:, self._in.joints] = drive.targets
        every = 1 if drive.by_substep else STEPS_PER_MOVE
        for first in range(0, self._substeps, every):
            if drive.by_substep:
                self._ctrl[:, self._in.joints] = servo_inputs(drive, first, self.qpos[:, 7:])
            done = min(first + every, self._substeps)
            last = done == self._substeps
            self.batch.step(ids, nstep=done - first, stage=_VEL if last else _NONE)
            self._move_planes(slice(None) if ids is None else ids)

    def _move_planes(self, ids: np.ndarray | slice) -> None:
        for planes, moved in zip(self._planes, self._world.planes(self._geoms[ids]), strict=True):
            planes[ids] = moved

    def _blow_ups(self) -> np.ndarray:
        return self.batch.warning[:, _BLOW_UPS, 1].sum(axis=1)
