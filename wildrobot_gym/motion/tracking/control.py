"""What keeps a tracked robot upright: the harness, and the feedback on its joint targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.motion.tracking.legs import Legs
from wildrobot_gym.motion.tracking.settings import GAIN_COUNTS, Controller, Harness
from wildrobot_gym.robot import RobotModel

# Fraction of the weight. The base's position over feet with less load means little.
_LITTLE_LOAD = 0.05


@dataclass(frozen=True)
class BaseError:
    """Errors of each base against its reference, in the heading frame.

    Attributes:
        tilt: (env, 2) about x and y, in rad.
        rate: (env, 2) of the tilt, in rad/s.
        velocity: (env, 2) along x and y, in m/s.
        yaw: (env,) heading of the base, in rad.
        tilt_from_vertical: (env,) in rad.
        height: (env,) above the reference, in m.
        climb: (env,) rate of the height, in m/s.
    """

    tilt: Float[np.ndarray, "env 2"]
    rate: Float[np.ndarray, "env 2"]
    velocity: Float[np.ndarray, "env 2"]
    yaw: Float[np.ndarray, " env"]
    tilt_from_vertical: Float[np.ndarray, " env"]
    height: Float[np.ndarray, " env"]
    climb: Float[np.ndarray, " env"]


@dataclass(frozen=True)
class FeetError:
    """Errors and loads of each foot.

    Attributes:
        load_fraction: (env, foot) load as a fraction of the weight, 0 to 1.
        base_place: (env, foot, 2) position of the base over the foot, minus the clip's, in m.
        stance: (env, foot) whether the clip has the foot on the ground.
        sole_height: (env, foot) height of the sole's lowest corner, in m.
    """

    load_fraction: Float[np.ndarray, "env foot"]
    base_place: Float[np.ndarray, "env foot 2"]
    stance: Bool[np.ndarray, "env foot"]
    sole_height: Float[np.ndarray, "env foot"]


class HarnessHand:
    """The harness of many robots, with the memory of its filter."""

    def __init__(self, robot: RobotModel, settings: Harness, num_envs: int) -> None:
        self.settings = settings
        self._max_torque = settings.cap * robot.weight * robot.leg_length
        self._max_force = settings.cap * robot.weight
        self._keep = np.exp(-2.0 * np.pi * settings.cutoff_hz * CONTROL_DT)
        self._held = np.zeros((num_envs, 3))  # torque about the heading's x and y, force up

    def reset(self, envs: Bool[np.ndarray, " env"]) -> None:
        """Forget the filtered wrench of some robots."""
        self._held[envs] = 0.0

    def wrench(
        self, error: BaseError
    ) -> tuple[Float[np.ndarray, "env 6"], Bool[np.ndarray, " env"]]:
        """Return force and torque on each base in the world frame, and whether either is at its
        cap.
        """
        s = self.settings
        wanted = np.empty_like(self._held)
        wanted[:, :2] = -s.stiffness * error.tilt - s.damping * error.rate
        wanted[:, 2] = -s.height_stiffness * error.height - s.height_damping * error.climb
        self._held = self._keep * self._held + (1.0 - self._keep) * wanted
        self._held[error.tilt_from_vertical > s.max_tilt] = 0.0
        size = np.linalg.norm(self._held[:, :2], axis=-1)
        saturated = (size > self._max_torque) | (np.abs(self._held[:, 2]) > self._max_force)
        self._held[:, :2] *= np.minimum(1.0, self._max_torque / np.maximum(size, 1e-9))[:, None]
        self._held[:, 2] = np.clip(self._held[:, 2], -self._max_force, self._max_force)
        cos, sin, (x, y, up) = np.cos(error.yaw), np.sin(error.yaw), self._held.T
        zero = np.zeros_like(up)
        return np.stack(
            [zero, zero, up, cos * x - sin * y, sin * x + cos * y, zero], axis=-1
        ), saturated


class Controllers:
    """The controllers of many robots, each with its gains."""

    def __init__(self, legs: Legs, controllers: Sequence[Controller]) -> None:
        self._legs = legs
        self._gains = {
            name: np.array([getattr(c, name) or (0.0,) * count for c in controllers]).T
            for name, count in GAIN_COUNTS.items()
        }
        self._min_clearance = np.array([c.min_clearance for c in controllers])[:, None]
        self._joints_of_leg = sum(
            np.abs(way) for way in (legs.hip_pitch, legs.hip_roll, legs.knee, legs.ankle)
        )

    def feed_forward(
        self, weight: Float[np.ndarray, "env joint"], motion: Float[np.ndarray, "env joint"]
    ) -> Float[np.ndarray, "env joint"]:
        """Return the part of a loop's weight and motion targets that the controllers use, in
        rad.
        """
        weight_fraction, motion_fraction = self._gains["feed_forward"]
        return weight_fraction[:, None] * weight + motion_fraction[:, None] * motion

    def feedback(
        self, error: BaseError, feet: FeetError, joint_error: Float[np.ndarray, "env joint"]
    ) -> Float[np.ndarray, "env joint"]:
        """Return what the errors add to the joint targets, in rad.

        The ankle, hip and step strategies are those of standing humans. The step follows Yin et al.
        2007 (SIMBICON).

        Args:
            error: Errors of the bases.
            feet: Errors and loads of the feet.
            joint_error: The clip's joint angles minus the robot's, in rad.
        """
        legs, gains, load, swing = self._legs, self._gains, feet.load_fraction, ~feet.stance
        (roll, pitch), (roll_rate, pitch_rate), (forward, left) = (
            error.tilt.T,
            error.rate.T,
            error.velocity.T,
        )
        ahead, aside = feet.base_place[:, :, 0].T, feet.base_place[:, :, 1].T
        tilt, rate, place, velocity = gains["ankle"]
        out = (
            load * (tilt * pitch + rate * pitch_rate + place * ahead + velocity * forward).T
        ) @ legs.ankle
        tilt, rate = gains["hip_pitch"]
        out += (load * (tilt * pitch + rate * pitch_rate)[:, None]) @ legs.hip_pitch
        tilt, rate, place, velocity = gains["hip_roll"]
        out += (
            load * (tilt * roll + rate * roll_rate - place * aside - velocity * left).T
        ) @ legs.hip_roll
        under = self._over_stance(load, feet.base_place)
        velocity, place = gains["step_forward"]
        out += (swing * (velocity * forward + place * under[:, 0])[:, None]) @ legs.step
        velocity, place = gains["step_sideways"]
        out += (swing * (velocity * left + place * under[:, 1])[:, None]) @ legs.hip_roll
        missing = np.maximum(self._min_clearance - feet.sole_height, 0.0)
        out += (swing * gains["clearance"].T * missing) @ legs.lift
        in_stance, in_swing = gains["stiffness"]
        stiffness = (
            np.where(feet.stance, in_stance[:, None], in_swing[:, None]) @ self._joints_of_leg
        )
        return out + stiffness * joint_error

    @staticmethod
    def _over_stance(load: np.ndarray, place: np.ndarray) -> Float[np.ndarray, "env 2"]:
        """Return the position of the base over the feet that carry it, or 0 if none does."""
        return (load[:, :, None] * place).sum(axis=1) / np.maximum(load.sum(axis=1), _LITTLE_LOAD)[
            :, None
        ]
