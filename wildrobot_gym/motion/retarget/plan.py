"""The plan of a clip: feet, loads and the body's path, before any joint angle is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from wildrobot_gym.motion.floor import FloorDemand
from wildrobot_gym.motion.gait import lipm
from wildrobot_gym.motion.gait.feet import read_sole
from wildrobot_gym.motion.gait.plan import com_at_home
from wildrobot_gym.motion.ik import LegIK
from wildrobot_gym.motion.retarget import balance
from wildrobot_gym.motion.retarget.body import BodyPath, along
from wildrobot_gym.motion.retarget.footpath import Foot, human_joints
from wildrobot_gym.motion.retarget.heels import raise_heel
from wildrobot_gym.motion.retarget.reach import LegReach
from wildrobot_gym.motion.retarget.scaled import ScaledHuman
from wildrobot_gym.motion.retarget.settings import RetargetSettings
from wildrobot_gym.motion.retarget.steps import Stance, find_stance, planted_sole
from wildrobot_gym.motion.retarget.width import stand_wide
from wildrobot_gym.motion.smoothing import envelope_below, low_pass
from wildrobot_gym.robot import RobotModel

_WAY_CUTOFF = 0.7  # Hz; cutoff for the path of a body without the sway of its steps.
_BOB_CUTOFF, _LEAN_CUTOFF = 3.5, 3.0  # Hz of the base's height, and of its lean and roll.
_LEAN, _ROLL = (-0.1, 0.3), (-0.05, 0.05)  # rad, forward and to the right
_DIPS = np.arange(
    0.0, 0.031, 0.006
)  # m by which the hips may dip in double support, beyond the human's.
_DIP_COST = 4.0  # rad per m; against heels that rise early.
_WAIST_MARGIN = 0.01  # rad; inverse kinematics holds these joints inside their limits.
_LOWEST_HIPS = 0.82  # of the leg's length; a foot that needs lower hips is not reached.
_WORST_MISS = 0.05  # m; greatest correction of one round


class ClipPlan:
    """Feet, loads and base of one clip.

    `correct` moves the base until the load is where it should be.

    Attributes:
        stances: Stances of each foot.
        fraction: (time, foot) fraction of the load on each foot; all 0 in flight.
        load: (time, 2) where on the floor the load should be, in m.
        near: (time, 2) the human's hips without the sway of each step, in m.
        body: The path of the base.
        paths: The path of each foot.
    """

    def __init__(
        self,
        robot: RobotModel,
        human: ScaledHuman,
        intervals: list[list[tuple[float, float]]],
        settings: RetargetSettings,
    ) -> None:
        self.robot, self.human, self.settings = robot, human, settings
        self.reach = reach = LegReach.of(robot)
        self.feet = [
            Foot(read_sole(robot, foot), reach, y)
            for foot, y in zip(robot.foot_names, reach.hip_y, strict=True)
        ]
        com_ahead, com_up = com_at_home(robot)
        self._omega = lipm.natural_frequency(com_up)
        found = [
            [find_stance(human, f, i, settings) for i in foot] for f, foot in enumerate(intervals)
        ]
        self.fraction = balance.load_fraction(human.time, found)
        self._borne = self.fraction.sum(axis=1)
        way = low_pass(human.hips[:, :2], human.fps, _WAY_CUTOFF)
        self._flat = stand_wide(found, self.feet, human.time, way, self.fraction, self._omega)
        self.load = balance.load_path(human.time, self._flat, self.feet, self.fraction)
        self.body = self._human_body()
        self._human_height = self.body.height
        self._joints = [
            human_joints(human, f, reach, self.body.lean, settings) for f in range(len(self.feet))
        ]
        # Forward near the human's hips. Sideways near their path without sway, which the soles
        # decide.
        ahead = self.body.forward
        self.near = way + along(human.hips[:, :2] - way, ahead)[:, None] * ahead
        self._aim = self.load - com_ahead * ahead  # the pendulum's mass is ahead of the base.
        # Hips this far from the human's suit the robot's feet. The clip's ends must not pull them
        # back.
        self.near = self.near + np.mean(along(self._balanced() - self.near, ahead)) * ahead
        self.body = replace(self.body, level=self._balanced())
        self.plan_feet()

    def plan_feet(self) -> None:
        """Raise heels, lower the hips until every planted foot is reached, and lay the feet's
        paths.
        """
        double = low_pass(
            self._borne - np.abs(self.fraction[:, 0] - self.fraction[:, 1]),
            self.human.fps,
            _BOB_CUTOFF,
        )
        heights = [self._human_height - dip * double for dip in _DIPS]
        tries = [self._raised(replace(self.body, height=height)) for height in heights]
        best = int(
            np.argmin([cost + _DIP_COST * dip for (_, cost), dip in zip(tries, _DIPS, strict=True)])
        )
        self._wanted_height, self.stances = heights[best], tries[best][0]
        self.lay_feet()

    def lay_feet(self) -> None:
        """Compute the hips' height and the feet's paths for the current base path and stances."""
        height = envelope_below(self._wanted_height, self._ceiling(), self.human.fps, _BOB_CUTOFF)
        self.body = replace(self.body, height=height)
        each = zip(self.feet, self.stances, self._joints, strict=True)
        self.paths = [
            foot.path(stances, self.body, joints, self.settings) for foot, stances, joints in each
        ]

    def poses(
        self, ik: LegIK, guess: Float[np.ndarray, "time nq"] | None, max_steps: int
    ) -> tuple[Float[np.ndarray, "time nq"], Float[np.ndarray, " time"]]:
        """Return poses and the distance of the feet from the plan, in m.

        Args:
            ik: Solver for the legs.
            guess: Poses nearby.
            max_steps: Maximum number of IK steps.
        """
        body = self.body
        qpos = np.tile(self.robot.home_qpos, (len(body.time), 1)) if guess is None else guess.copy()
        angles = np.stack([body.yaw, body.lean, body.roll], axis=-1)
        qpos[:, :2], qpos[:, 2] = body.level, body.height
        qpos[:, 3:7] = Rotation.from_euler("ZYX", angles).as_quat(scalar_first=True)
        for joint, angle in self._waist().items():
            qpos[:, 7 + joint] = angle
        target, pitch = (
            np.stack([p.pos for p in self.paths], axis=1),
            np.stack([p.pitch for p in self.paths], axis=1),
        )
        for f, (foot, path) in enumerate(zip(self.feet, self.paths, strict=True)):
            aside = along(path.pos[:, :2] - body.level, body.left) - self.reach.hip_y[f]
            target[:, f, 2] += foot.sole.edge_lift(aside, body.height)
        return ik.solve_path(
            qpos, target, pitch, body.yaw, warm=guess is not None, max_steps=max_steps
        )

    def tipping(self, asked: FloorDemand) -> Float[np.ndarray, "time 2"]:
        """Return how far from the load's planned point the weight would have to act for the
        moments, in m.
        """
        force = asked.force[:, 2:] / self.robot.weight
        return self._borne[:, None] * np.nan_to_num(asked.zmp - self.load) * np.maximum(force, 0.0)

    def correct(self, asked: FloorDemand) -> None:
        """Move and turn the base by the error of the load's point and the yaw of loaded feet."""
        tipping = np.clip(self.tipping(asked), -_WORST_MISS, _WORST_MISS)
        tipping[[0, 1, -2, -1]] = 0.0  # accelerations at a clip's ends are guesses
        self._aim = self._aim - tipping
        planted = np.stack([path.planted for path in self.paths], axis=-1)
        held = self.fraction[1:] * (planted[1:] & planted[:-1])
        turned = np.sum(held * np.diff(asked.foot_yaw, axis=0), axis=1)
        turn = balance.steadying_turn(turned, self.body.yaw - self.human.heading, self.human.fps)
        self.body = replace(self.body, yaw=self.human.heading + turn, level=self._balanced())

    def pad_forces(self, total: Float[np.ndarray, " time"]) -> Float[np.ndarray, "time pad"]:
        """Return the force on each pad, in N: `total` split between the feet, then between toe and
        heel.
        """
        forces = np.zeros((len(total), len(self.robot.pad_names)))
        for f, (foot, stances) in enumerate(zip(self.feet, self.stances, strict=True)):
            place = balance.load_along(self.body.time, stances, foot.sole)
            foot.sole.split_load(forces, place, self.fraction[:, f] * np.maximum(total, 0.0))
        return forces

    def _human_body(self) -> BodyPath:
        """Return the human's base."""
        human = self.human
        roll = (
            human.lean[:, 1] - human.lean[:, 1].mean()
        )  # nobody leans to one side all the time: the skeleton is crooked
        return BodyPath(
            time=human.time,
            level=human.hips[:, :2],
            height=human.hips[:, 2] - self.reach.hip[1],
            yaw=human.heading,
            lean=np.clip(low_pass(human.lean[:, 0], human.fps, _LEAN_CUTOFF), *_LEAN),
            roll=np.clip(low_pass(roll, human.fps, _LEAN_CUTOFF), *_ROLL),
        )

    def _balanced(self) -> Float[np.ndarray, "time 2"]:
        return balance.balanced_path(self._aim, self.near, self._borne, self.human.fps, self._omega)

    def _raised(self, body: BodyPath) -> tuple[list[list[Stance]], float]:
        """Return the stances under `body` with heels that rise as needed, and the cost in rad s."""
        hips, hip_up = body.hips(self.reach)
        out, total = [], 0.0
        for foot, stances in zip(self.feet, self._flat, strict=True):
            raised = []
            for stance in stances:
                here = (body.time >= 0.5 * (stance.down + stance.flat)) & (body.time <= stance.up)
                ahead = along(np.array(stance.place[:2]) - hips[here], body.forward[here])
                leg = (self.reach, body.time[here], ahead, hip_up[here], body.lean[here])
                heeled, cost = raise_heel(stance, *leg, foot.sole, self.settings)
                raised.append(heeled)
                total += cost
            out.append(raised)
        return out, total

    def _ceiling(self) -> Float[np.ndarray, " time"]:
        """Return the greatest height of the base with which every planted foot is reached, in m."""
        ceiling = np.full(len(self.body.time), np.inf)
        for foot, stances in zip(self.feet, self.stances, strict=True):
            for stance in stances:
                here = stance.holds(self.body.time)
                body = self.body.frames(here)
                pos, pitch = planted_sole(stance, foot.sole, body.time)
                ahead, up = foot.ankle_ahead(pos, pitch, body)
                ceiling[here] = np.minimum(
                    ceiling[here], body.height + self.reach.highest_hip(ahead, body.lean) + up
                )
        return np.maximum(ceiling, _LOWEST_HIPS * self.robot.leg_length)

    def _waist(self) -> dict[int, np.ndarray]:
        """Return the angle of the waist's yaw joint, which turns the torso like the human's."""
        if self.robot.waist_yaw is None:
            return {}
        turn = self.human.heading + self.human.twist - self.body.yaw
        i = self.robot.joint_names.index(self.robot.waist_yaw)
        low, high = self.robot.joint_range[i]
        sign = np.sign(self.robot.joint_axes[i, 2])
        return {i: np.clip(sign * turn, low + _WAIST_MARGIN, high - _WAIST_MARGIN)}
