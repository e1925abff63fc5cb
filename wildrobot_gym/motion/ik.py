"""Joint angles that put the feet where a motion wants them, by differential inverse kinematics.

A leg's joints decide what it can choose: the position of its foot, and of the foot's pitch, roll
and yaw as many as it has joints for.
"""

from __future__ import annotations

import copy

import mink
import mujoco
import numpy as np
from jaxtyping import Float

from wildrobot_gym.robot import RobotModel

_MAX_STEPS = 30
_STEP_TOLERANCE = 1e-5  # rad; a step smaller than this moves a foot by micrometers.
_TURN_COST = 0.3  # m/rad; an error of a foot's orientation, relative to one of its position
_PITCH, _ROLL, _YAW = 1, 0, 2  # in the order in which legs usually have joints for them
# A leg can turn its foot about an axis if a part this large of the turn leaves all else as it is.
_OWN = 0.3
_LIMIT_MARGIN = 0.004  # rad; a spline through the solutions overshoots a limit by less than this


class LegIK:
    """Solves all legs at once for given base and foot poses.

    Joints outside the legs keep their angles.

    Attributes:
        turns: For each foot, the axes (0 roll, 1 pitch, 2 yaw) about which its leg can turn it at
            its place.
    """

    def __init__(self, robot: RobotModel) -> None:
        self.robot = robot
        legs = {joint for foot in robot.foot_names for joint in robot.leg_joint_names(foot)}
        model = copy.deepcopy(robot.model)
        # Joints that are held may be at a limit, where the margin would ask them to move.
        model.jnt_limited[[model.joint(j).id for j in robot.joint_names if j not in legs]] = 0
        self._configuration = mink.Configuration(model)
        self.turns = tuple(free_turns(robot, foot) for foot in robot.foot_names)
        self._tasks = [
            mink.FrameTask(
                foot,
                "site",
                position_cost=1.0,
                orientation_cost=[_TURN_COST if axis in turns else 0.0 for axis in range(3)],
                lm_damping=1e-6,
            )
            for foot, turns in zip(robot.foot_names, self.turns, strict=True)
        ]
        self._limits = [mink.ConfigurationLimit(model, min_distance_from_limits=_LIMIT_MARGIN)]
        self._leg_ids = np.array(
            [7 + i for i, name in enumerate(robot.joint_names) if name in legs]
        )
        held = [6 + i for i, name in enumerate(robot.joint_names) if name not in legs]
        self._held = [mink.DofFreezingTask(model, dof_indices=[*range(6), *held])]

    def levels(self, foot: int) -> bool:
        """Whether the leg of a foot keeps its sole level while it leans."""
        return _ROLL in self.turns[foot]

    def steers(self, foot: int) -> bool:
        """Whether the leg of a foot can turn it about the vertical."""
        return _YAW in self.turns[foot]

    def solve(
        self,
        start: Float[np.ndarray, " nq"],
        foot_pos: Float[np.ndarray, "foot 3"],
        foot_pitch: Float[np.ndarray, " foot"],
        heading: float | Float[np.ndarray, " foot"] = 0.0,
        max_steps: int = _MAX_STEPS,
    ) -> tuple[Float[np.ndarray, " nq"], float]:
        """Find a pose with the feet at given positions and pitches.

        Args:
            start: (nq,) pose to start from. The base and the joints outside the legs keep its
                values.
            foot_pos: (foot, 3) positions of the foot frames in the world, in m.
            foot_pitch: (foot,) pitches in rad, toes down, about the y axis of a foot that faces
                `heading`.
            heading: Heading of the feet in rad, one for all or one for each. Legs that can turn a
                foot about the vertical hold it, and legs that can roll it keep it level.
            max_steps: Maximum number of steps.

        Returns:
            The pose, and the largest position error that is left, in m.
        """
        self._configuration.update(start)
        headings = np.broadcast_to(heading, len(self._tasks))
        for task, pos, pitch, yaw in zip(self._tasks, foot_pos, foot_pitch, headings, strict=True):
            rotation = mink.SO3.from_z_radians(float(yaw)) @ mink.SO3.from_y_radians(float(pitch))
            task.set_target(mink.SE3.from_rotation_and_translation(rotation, np.asarray(pos)))
        for _ in range(max_steps):
            velocity = mink.solve_ik(
                self._configuration,
                self._tasks,
                1.0,
                "daqp",
                damping=1e-9,
                limits=self._limits,
                constraints=self._held,
            )
            self._configuration.integrate_inplace(velocity, 1.0)
            if np.abs(velocity).max() < _STEP_TOLERANCE:
                break
        data = self._configuration.data
        reached = np.array([data.site(foot).xpos for foot in self.robot.foot_names])
        return self._configuration.q.copy(), float(
            np.linalg.norm(reached - foot_pos, axis=-1).max()
        )

    def solve_path(
        self,
        poses: Float[np.ndarray, "time nq"],
        foot_pos: Float[np.ndarray, "time foot 3"],
        foot_pitch: Float[np.ndarray, "time foot"],
        heading: Float[np.ndarray, " time *foot"] | None = None,
        warm: bool = False,
        max_steps: int = _MAX_STEPS,
    ) -> tuple[Float[np.ndarray, "time nq"], Float[np.ndarray, " time"]]:
        """Solve along a path.

        Args:
            poses: (time, nq) poses with the base path.
            foot_pos: (time, foot, 3) positions of the foot frames in the world, in m.
            foot_pitch: (time, foot) pitches in rad, toes down.
            heading: (time,) or (time, foot) heading of the feet in rad; 0 by default.
            warm: Start from the legs of `poses`. By default each solution is the start of the next.
            max_steps: Maximum number of steps. A few are enough for a path that will be corrected.

        Returns:
            The poses, and the position errors that are left, in m.
        """
        solved, misses = poses.copy(), np.zeros(len(poses))
        guess = poses[0]
        for i in range(len(poses)):
            start = poses[i].copy()
            if not warm:
                start[self._leg_ids] = guess[self._leg_ids]
            ahead = 0.0 if heading is None else heading[i]
            guess, misses[i] = self.solve(start, foot_pos[i], foot_pitch[i], ahead, max_steps)
            solved[i] = guess
        return solved, misses


def free_turns(robot: RobotModel, foot: str) -> tuple[int, ...]:
    """Return the axes (0 roll, 1 pitch, 2 yaw) about which a leg can turn its foot in place.

    Read from the leg's Jacobian in the home pose: pitch first, then roll, then yaw, as long as the
    joints can do it beside everything before.
    """
    model, data = robot.model, mujoco.MjData(robot.model)
    data.qpos[:] = robot.home_qpos
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    place, turn = np.empty((3, model.nv)), np.empty((3, model.nv))
    mujoco.mj_jacSite(model, data, place, turn, model.site(foot).id)
    dofs = [int(model.joint(name).dofadr[0]) for name in robot.leg_joint_names(foot)]
    rows = place[:, dofs] / robot.leg_length
    found: list[int] = []
    for axis in (_PITCH, _ROLL, _YAW):
        row = turn[axis, dofs]
        own = row - row @ np.linalg.pinv(rows, rcond=1e-3) @ rows
        if np.linalg.norm(own) > _OWN:
            rows = np.concatenate([rows, row[None]])
            found.append(axis)
    return tuple(found)
