"""A walk's plan: all that follows from its shape before the body's path is known, sampled over one cycle."""

from __future__ import annotations

import mujoco
import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from wildrobot_gym.motion.gait import feet, lipm
from wildrobot_gym.motion.gait.shape import GaitShape
from wildrobot_gym.motion.ik import LegIK
from wildrobot_gym.robot import RobotModel

SAMPLES = 64  # a cycle; 9 ms apart at the fastest cadence, splined to C2 afterwards
_EDGE_MARGIN = 0.008  # m; the load runs so far inside the soles' inner edges
# Share of the sideways sway by which the feet stand wider than the hips; at 1 a stance leg only ever leans inward.
_WIDENING = 0.4


class WalkPlan:
    """Feet, loads and the pendulum's answer for a walk straight ahead.

    Phase 0 is the touchdown of the robot's first foot; the other follows half a cycle later.

    Attributes:
        share, load_x: (sample, foot), each foot's share of the load and where on its sole that is, m ahead of the foot
            frame. zmp: (sample, 2) m, the load's point on the floor.
        foot_pos_flat, foot_pitch: (sample, foot, 3) m and (sample, foot) rad, foot frames of upright legs.
        yaw: (sample,) rad of the base, set by `straighten`.
    """

    def __init__(self, robot: RobotModel, speed: float, shape: GaitShape) -> None:
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
        self.hip_y = _hip_y(robot)
        stance_x = self.stride * (
            self.phase[:, None] - self.foot_phase
        )  # where each foot touched down last
        stance_y, load_y = self._sideways()
        self.zmp = np.stack(
            [np.sum(self.fraction * (stance_x + self.load_x), axis=-1), self.fraction @ load_y],
            axis=-1,
        )
        x, z, self.foot_pitch = (v.reshape(SAMPLES, 2) for v in self.path(self.foot_phase.ravel()))
        self.foot_pos_flat = np.stack(
            [stance_x + x, np.broadcast_to(stance_y, x.shape), z], axis=-1
        )
        self.yaw = np.zeros(SAMPLES)

    def first_base(self) -> Float[np.ndarray, "sample 3"]:
        """Base position from the pendulum alone, m."""
        drift = self.phase[:, None] * self.drift[:2]
        level = lipm.com_from_zmp(self.zmp - drift, self.period, self.omega) + drift
        cosine, sine = self._twice_a_stride()
        z = self.shape.height + self.shape.bounce[0] * cosine + self.shape.bounce[1] * sine
        return np.concatenate([level, z[:, None]], axis=-1)

    def poses(
        self, ik: LegIK, base: Float[np.ndarray, "sample 3"]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Poses (sample, nq) for a base path, and how far feet then are from their places, (sample,) m."""
        qpos = np.tile(self.robot.home_qpos, (SAMPLES, 1))
        qpos[:, :3] = base
        qpos[:, 3:7] = self._base_rotation().as_quat(scalar_first=True)
        for joint, angle in self._waist().items():
            qpos[:, 7 + self.robot.joint_names.index(joint)] = angle
        target = self.foot_pos_flat.copy()
        for f, sole in enumerate(self.soles):
            target[:, f, 2] += sole.edge_lift(
                target[:, f, 1] - base[:, 1] - self.hip_y[f], base[:, 2]
            )
        return ik.solve_path(qpos, target, self.foot_pitch)

    def straighten(self, qpos: Float[np.ndarray, "sample nq"]) -> None:
        """Turn the base so that loaded feet point ahead; a hip's roll and pitch together turn a foot, no joint does."""
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
        spectrum[4:] = (
            0.0  # the base is slow: jerks of a foot that is about to leave the floor are not its business
        )
        self.yaw = self.yaw - np.fft.irfft(spectrum, n=SAMPLES)

    def pad_forces(self, total: Float[np.ndarray, " sample"]) -> Float[np.ndarray, "sample pad"]:
        """Normal force of each pad, N: `total` split between the feet, then toe and heel by the load's lever."""
        forces = np.zeros((SAMPLES, len(self.robot.pad_names)))
        for f, sole in enumerate(self.soles):
            sole.split_load(forces, self.load_x[:, f], self.fraction[:, f] * total)
        return forces

    def _load_fraction(self) -> np.ndarray:
        """Linear ramps over double support, one foot alone between."""
        double, s = self.shape.duty - 0.5, self.foot_phase
        return np.where(
            s < 0.5,
            np.clip(s / double, 0.0, 1.0),
            np.clip((self.shape.duty - s) / double, 0.0, 1.0),
        )

    def _load_path(self) -> np.ndarray:
        """From the heel to near the toe's edge."""
        heel, toe = self.soles[0].heel, 0.5 * (self.soles[0].toe + self.soles[0].front)
        s = (self.foot_phase - self.shape.load_from) / (self.shape.load_to - self.shape.load_from)
        return heel + (toe - heel) * smoothstep(s)

    def _sideways(self) -> tuple[np.ndarray, np.ndarray]:
        """Stance y of each foot, and y of its load; wider feet make more sway, which asks for wider feet."""
        side = np.sign(self.hip_y)
        inner = (
            np.array([-s.right if y > 0 else s.left for s, y in zip(self.soles, side, strict=True)])
            - _EDGE_MARGIN
        )
        # The sway is unit * (hip + out - inner), and out is a share of it.
        unit = np.abs(lipm.com_from_zmp(self.fraction @ side, self.period, self.omega)).max()
        out = _WIDENING * unit * (np.abs(self.hip_y) - inner).mean() / (1.0 - _WIDENING * unit)
        stance_y = self.hip_y + side * out
        return stance_y, stance_y - side * inner

    def _twice_a_stride(self) -> tuple[np.ndarray, np.ndarray]:
        """Cosine and sine that peak in, and a quarter after, the middle of each single support."""
        angle = 4.0 * np.pi * (self.phase - self.shape.duty / 2.0)
        return np.cos(angle), np.sin(angle)

    def _base_rotation(self) -> Rotation:
        cosine, sine = self._twice_a_stride()
        pitch = self.shape.lean + self.shape.nod[0] * cosine + self.shape.nod[1] * sine
        # Positive roll lifts the first (left) foot's side, in that foot's stance.
        roll = self.shape.roll * np.cos(2.0 * np.pi * (self.phase - self.shape.duty / 2.0))
        return Rotation.from_euler("ZYX", np.stack([self.yaw, pitch, roll], axis=-1))

    def _waist(self) -> dict[str, np.ndarray]:
        """Yaw joints outside the legs turn the torso against the swinging legs, as people's shoulders do."""
        turn = self.shape.twist * np.cos(
            2.0 * np.pi * self.phase
        )  # rad, most to the left as the left foot lands
        legs = {
            joint for foot in self.robot.foot_names for joint in self.robot.leg_joint_names(foot)
        }
        axes = {j: self.robot.model.joint(j).axis for j in self.robot.joint_names if j not in legs}
        return {
            joint: np.sign(axis[2]) * turn for joint, axis in axes.items() if abs(axis[2]) > 0.9
        }


def smoothstep(u: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """0 below 0, 1 above 1, C2 between."""
    u = np.clip(u, 0.0, 1.0)
    return u**3 * (10.0 - 15.0 * u + 6.0 * u**2)


def _hip_y(robot: RobotModel) -> np.ndarray:
    """y of each foot's frame in the zero pose: where the foot of an upright leg is, m."""
    data = mujoco.MjData(robot.model)
    mujoco.mj_kinematics(robot.model, data)
    return np.array([data.site(foot).xpos[1] for foot in robot.foot_names])


def com_at_home(robot: RobotModel) -> tuple[float, float]:
    """Where the whole robot's center of mass is in the home pose: ahead of the base, and above the soles, m."""
    data = mujoco.MjData(robot.model)
    data.qpos[:] = robot.home_qpos
    mujoco.mj_kinematics(robot.model, data)
    mujoco.mj_comPos(robot.model, data)
    return float(data.subtree_com[1][0] - data.qpos[0]), float(data.subtree_com[1][2])
