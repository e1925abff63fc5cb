"""The plan of a walk: everything that follows from its shape before the body's path is known."""

from __future__ import annotations

import mujoco
import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from wildrobot_gym.errors import RobotError
from wildrobot_gym.motion.gait import feet, lipm
from wildrobot_gym.motion.gait.shape import GaitShape
from wildrobot_gym.motion.gait.upper import UpperBody
from wildrobot_gym.motion.ik import LegIK
from wildrobot_gym.robot import RobotModel

SAMPLES = 64  # a cycle; 9 ms apart at the fastest cadence, splined to C2 afterwards.
_EDGE_MARGIN = 0.008  # m; distance of the load from the soles' inner edges.
# Fraction of the sideways sway by which the feet stand wider than the hips. At 1 a stance leg never
# leans outward.
_WIDENING = 0.4


class WalkPlan:
    """Feet, loads and the pendulum's solution for a straight walk, sampled over one cycle.

    Phase 0 is the touchdown of the robot's first foot. The other follows half a cycle later.

    Attributes:
        fraction: (sample, foot) fraction of the load on each foot.
        load_x: (sample, foot) where it acts on the sole, in m ahead of the foot frame.
        zmp: (sample, 2) point of the load on the floor, in m.
        stance_y: (foot,) y of each standing foot, in m.
        load_y: (foot,) y of its load, in m.
        foot_pos_flat: (sample, foot, 3) foot frames of upright legs, in m.
        foot_pitch: (sample, foot) pitch of the feet, in rad.
        yaw: (sample,) yaw of the base in rad, set by `straighten`.
    """

    def __init__(self, robot: RobotModel, speed: float, shape: GaitShape) -> None:
        if len(robot.foot_names) != 2:
            raise RobotError(
                f"The gait generator needs a robot with two feet; {robot.name!r} has"
                f" {len(robot.foot_names)}: {', '.join(robot.foot_names)}."
            )
        self.robot, self.shape = robot, shape
        self.period = 1.0 / shape.cadence
        self.stride = speed * self.period
        self.drift = np.array([self.stride, 0.0, 0.0])
        self.phase = np.arange(SAMPLES) / SAMPLES
        self.soles = [feet.read_sole(robot, foot) for foot in robot.foot_names]
        self.omega = lipm.natural_frequency(com_at_home(robot)[1])
        self.path = feet.plan(self.soles[0], shape, self.stride)
        self.foot_phase = np.stack([(self.phase - i / 2) % 1.0 for i in range(2)], axis=-1)
        self.fraction = self._load_fraction()
        self.load_x = self._load_path()
        self.hip_y = home_foot_y(robot)
        self._upper = UpperBody.of(robot)
        # Where each foot touched down last.
        stance_x = self.stride * (self.phase[:, None] - self.foot_phase)
        self.stance_y, self.load_y = self._sideways()
        self.zmp = np.stack(
            [
                np.sum(self.fraction * (stance_x + self.load_x), axis=-1),
                self.fraction @ self.load_y,
            ],
            axis=-1,
        )
        x, z, self.foot_pitch = (v.reshape(SAMPLES, 2) for v in self.path(self.foot_phase.ravel()))
        self.foot_pos_flat = np.stack(
            [stance_x + x, np.broadcast_to(self.stance_y, x.shape), z], axis=-1
        )
        self.yaw = np.zeros(SAMPLES)

    def first_base(self) -> Float[np.ndarray, "sample 3"]:
        """Return the base position from the pendulum alone, in m."""
        drift = self.phase[:, None] * self.drift[:2]
        level = lipm.com_from_zmp(self.zmp - drift, self.period, self.omega) + drift
        cosine, sine = self._twice_a_stride()
        z = self.shape.height + self.shape.bounce[0] * cosine + self.shape.bounce[1] * sine
        return np.concatenate([level, z[:, None]], axis=-1)

    def poses(
        self, ik: LegIK, base: Float[np.ndarray, "sample 3"]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return poses (sample, nq) for a base path, and the distance of the feet from the plan, in
        m.
        """
        qpos = np.tile(self.robot.home_qpos, (SAMPLES, 1))
        qpos[:, :3] = base
        qpos[:, 3:7] = self._base_rotation().as_quat(scalar_first=True)
        # Most to the left as the left foot lands.
        twist = self.shape.twist * np.cos(2.0 * np.pi * self.phase)
        target = self.foot_pos_flat.copy()
        self._upper.pose(qpos[:, 7:], twist, target[:, 0, 0] - target[:, 1, 0])
        for f, sole in enumerate(self.soles):
            if not ik.levels(f):
                target[:, f, 2] += sole.edge_lift(
                    target[:, f, 1] - base[:, 1] - self.hip_y[f], base[:, 2]
                )
        return ik.solve_path(qpos, target, self.foot_pitch)

    def straighten(self, qpos: Float[np.ndarray, "sample nq"]) -> None:
        """Turn the base so that loaded feet point ahead.

        Hip roll and pitch together turn a foot, and no joint can turn it back.
        """
        data, model = mujoco.MjData(self.robot.model), self.robot.model
        turned = np.empty_like(self.fraction)
        for i, pose in enumerate(qpos):
            data.qpos[:] = pose
            mujoco.mj_kinematics(model, data)
            forward = np.array(
                [data.site(foot).xmat.reshape(3, 3)[:, 0] for foot in self.robot.foot_names]
            )
            turned[i] = np.arctan2(forward[:, 1], forward[:, 0])
        spectrum = np.fft.rfft(np.sum(self.fraction * turned, axis=-1))
        spectrum[4:] = 0.0  # the base is slow and does not follow the jerks of a foot at lift-off
        self.yaw = self.yaw - np.fft.irfft(spectrum, n=SAMPLES)

    def pad_forces(self, total: Float[np.ndarray, " sample"]) -> Float[np.ndarray, "sample pad"]:
        """Return the force on each pad, in N: `total` split between the feet, then between toe and
        heel.
        """
        forces = np.zeros((SAMPLES, len(self.robot.pad_names)))
        for f, sole in enumerate(self.soles):
            sole.split_load(forces, self.load_x[:, f], self.fraction[:, f] * total)
        return forces

    def _load_fraction(self) -> np.ndarray:
        """Return linear ramps over double support, with all load on one foot in between."""
        double, s = self.shape.duty - 0.5, self.foot_phase
        return np.where(
            s < 0.5,
            np.clip(s / double, 0.0, 1.0),
            np.clip((self.shape.duty - s) / double, 0.0, 1.0),
        )

    def _load_path(self) -> np.ndarray:
        """Return the path of the load from the heel to near the edge of the toe."""
        heel, toe = self.soles[0].heel, 0.5 * (self.soles[0].toe + self.soles[0].front)
        s = (self.foot_phase - self.shape.load_from) / (self.shape.load_to - self.shape.load_from)
        return heel + (toe - heel) * smoothstep(s)

    def _sideways(self) -> tuple[np.ndarray, np.ndarray]:
        """Return y of each foot and of its load.

        Wider feet cause more sway, which needs wider feet.
        """
        side = np.sign(self.hip_y)
        inner = (
            np.array([-s.right if y > 0 else s.left for s, y in zip(self.soles, side, strict=True)])
            - _EDGE_MARGIN
        )
        # The sway is unit * (hip + out - inner), and out is a fraction of it.
        unit = np.abs(lipm.com_from_zmp(self.fraction @ side, self.period, self.omega)).max()
        out = _WIDENING * unit * (np.abs(self.hip_y) - inner).mean() / (1.0 - _WIDENING * unit)
        stance_y = self.hip_y + side * out
        return stance_y, stance_y - side * inner

    def _twice_a_stride(self) -> tuple[np.ndarray, np.ndarray]:
        """Return cosine and sine that peak in the middle of each single support, and a quarter
        later.
        """
        angle = 4.0 * np.pi * (self.phase - self.shape.duty / 2.0)
        return np.cos(angle), np.sin(angle)

    def _base_rotation(self) -> Rotation:
        cosine, sine = self._twice_a_stride()
        pitch = self.shape.lean + self.shape.nod[0] * cosine + self.shape.nod[1] * sine
        # Positive roll lifts the first (left) foot's side, in that foot's stance.
        roll = self.shape.roll * np.cos(2.0 * np.pi * (self.phase - self.shape.duty / 2.0))
        return Rotation.from_euler("ZYX", np.stack([self.yaw, pitch, roll], axis=-1))


def smoothstep(u: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Return 0 below 0 and 1 above 1, C2 in between."""
    u = np.clip(u, 0.0, 1.0)
    return u**3 * (10.0 - 15.0 * u + 6.0 * u**2)


def home_foot_y(robot: RobotModel) -> np.ndarray:
    """Return y of each foot in the home pose, in m."""
    data = mujoco.MjData(robot.model)
    data.qpos[:] = robot.home_qpos
    mujoco.mj_kinematics(robot.model, data)
    return np.array([data.site(foot).xpos[1] for foot in robot.foot_names])


def com_at_home(robot: RobotModel) -> tuple[float, float]:
    """Return the robot's center of mass in the home pose: ahead of the base and above the soles, in
    m.
    """
    data = mujoco.MjData(robot.model)
    data.qpos[:] = robot.home_qpos
    mujoco.mj_kinematics(robot.model, data)
    mujoco.mj_comPos(robot.model, data)
    return float(data.subtree_com[1][0] - data.qpos[0]), float(data.subtree_com[1][2])
