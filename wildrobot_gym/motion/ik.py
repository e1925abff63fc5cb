"""Joint angles that put the feet where a motion wants them, by differential inverse kinematics."""

from __future__ import annotations

import mink
import numpy as np
from jaxtyping import Float

from wildrobot_gym.robot import RobotModel

_MAX_STEPS = 30
_STEP_TOLERANCE = 1e-5  # rad; a step smaller than this moves a foot by micrometers.
_LIMIT_MARGIN = 0.004  # rad; a spline through the solutions overshoots a limit by less than this


class LegIK:
    """Solves all legs at once for given base and foot poses.

    Joints outside the legs keep their angles.
    """

    def __init__(self, robot: RobotModel) -> None:
        self.robot = robot
        self._configuration = mink.Configuration(robot.model)
        # The leg has no ankle roll and no hip yaw, so it can only choose the foot's position and
        # pitch.
        self._tasks = [
            mink.FrameTask(
                foot, "site", position_cost=1.0, orientation_cost=[0.0, 0.3, 0.0], lm_damping=1e-6
            )
            for foot in robot.foot_names
        ]
        self._limits = [
            mink.ConfigurationLimit(robot.model, min_distance_from_limits=_LIMIT_MARGIN)
        ]
        legs = {joint for foot in robot.foot_names for joint in robot.leg_joint_names(foot)}
        self._leg_ids = np.array(
            [7 + i for i, name in enumerate(robot.joint_names) if name in legs]
        )
        held = [6 + i for i, name in enumerate(robot.joint_names) if name not in legs]
        self._held = [mink.DofFreezingTask(robot.model, dof_indices=[*range(6), *held])]

    def solve(
        self,
        start: Float[np.ndarray, " nq"],
        foot_pos: Float[np.ndarray, "foot 3"],
        foot_pitch: Float[np.ndarray, " foot"],
        heading: float = 0.0,
        max_steps: int = _MAX_STEPS,
    ) -> tuple[Float[np.ndarray, " nq"], float]:
        """Find a pose with the feet at given positions and pitches.

        Args:
            start: (nq,) pose to start from. The base and the joints outside the legs keep its
                values.
            foot_pos: (foot, 3) positions of the foot frames in the world, in m.
            foot_pitch: (foot,) pitches in rad, toes down, about the y axis of a robot that faces
                `heading`.
            heading: Heading of the robot, in rad.
            max_steps: Maximum number of steps.

        Returns:
            The pose, and the largest position error that is left, in m.
        """
        self._configuration.update(start)
        for task, pos, pitch in zip(self._tasks, foot_pos, foot_pitch, strict=True):
            rotation = mink.SO3.from_z_radians(heading) @ mink.SO3.from_y_radians(float(pitch))
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
        heading: Float[np.ndarray, " time"] | None = None,
        warm: bool = False,
        max_steps: int = _MAX_STEPS,
    ) -> tuple[Float[np.ndarray, "time nq"], Float[np.ndarray, " time"]]:
        """Solve along a path.

        Args:
            poses: (time, nq) poses with the base path.
            foot_pos: (time, foot, 3) positions of the foot frames in the world, in m.
            foot_pitch: (time, foot) pitches in rad, toes down.
            heading: (time,) heading of the robot in rad; 0 by default.
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
