"""The parameters of a walk: timing, sizes and shapes as functions of speed, and the styles that
vary them.

The robot's build has these consequences, compared with a human's walk:

- The thigh reaches 5 degrees back. So the hip is low enough for a bent trailing knee, and the heel
  rises.
- Feet cannot roll about x. A flat stance foot keeps its leg upright, so the robot rocks sideways.
  The load runs along the soles' inner edges, and the feet stand a little wider than the hips. The
  sway grows with the step's time t as 1 - 1 / cosh(omega t / 2), so the search never goes below
  MIN_CADENCE.
- No joint turns a foot about the vertical. A leg that swings ahead turns the robot the other way,
  and only friction under the stance sole resists: 0.9 N*m on the heel, 1.7 N*m on the flat sole.
  The moment grows as speed * cadence / (1 - duty)^2, so steps are no quicker than necessary. At 0.8
  m/s it exceeds the limit.
- Servos give 4 N*m. So `tune` chooses the swing, the heel rise and the body's nod for little
  torque, speed and yaw moment. TUNED holds the result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wildrobot_gym.errors import MotionError
from wildrobot_gym.robot import RobotModel

# The robot that TUNED is for, in m; other legs take its walks at the same Froude number.
TUNED_LEG, TUNED_HOME = 0.4369, 0.4589
FROUDE_SPEED, FROUDE_CADENCE, FROUDE_EXPONENT = (
    0.84,
    1.36,
    0.42,
)  # m/s, strides/s (EVALUATION.md); human v^0.42.
MIN_CADENCE = 1.15  # strides/s; the lower bound in the search for TUNED.
LIFT_UNIT = 0.05  # m; see GaitShape.swing_ends
SPEEDS = (0.1, 1.1)  # m/s, range of the table below


@dataclass(frozen=True)
class GaitShape:
    """One walk. Phases are fractions of a foot's cycle, which starts with its touchdown.

    Angles are in rad and lengths in m. Fractions of the stride and the lift are noted.

    Attributes:
        cadence: Strides per second.
        duty: Phase of lift-off.
        height: Height of the base.
        bounce: Amplitudes of the base's height, cosine and sine twice a stride about mid-stance.
        lean: Pitch of the base.
        nod: Amplitudes of the base's pitch, like `bounce`.
        roll: Drop of the pelvis to the swing side.
        twist: Turn of a waist.
        heel_rise: Pitch of the sole at lift-off, positive.
        heel_strike: Pitch of the sole at touchdown, positive.
        flat_at: Phase from which the foot is flat.
        rise_at: Phase until which the foot is flat.
        strike_rate: Pitch rate at touchdown, as a multiple of the mean.
        rise_rate: Pitch rate at lift-off, as a multiple of the mean.
        load_from: Phase at which the load leaves the heel.
        load_to: Phase at which the load reaches the toe.
        swing_x: Polynomial over the middle of the swing, as fractions of the stride.
        swing_z: The same, as fractions of the lift, whose constant term is 1.
        swing_pitch: The same for the pitch.
        swing_ends: Acceleration at the start (forward, up) and the end (forward, up) of the swing,
            in addition to the rolling sole's. It is a multiple of stride and `lift_unit` over the
            squared swing time. With it a foot may land a little suddenly.
        clearance: Greatest height of the sole's lowest corner in swing.
        lift_unit: See `swing_ends`.
    """

    cadence: float
    duty: float
    height: float
    bounce: tuple[float, ...]
    lean: float
    nod: tuple[float, ...]
    roll: float
    heel_rise: float
    heel_strike: float
    flat_at: float
    rise_at: float
    strike_rate: float
    rise_rate: float
    load_from: float
    load_to: float
    swing_x: tuple[float, ...]
    swing_z: tuple[float, ...]
    swing_pitch: tuple[float, ...]
    swing_ends: tuple[float, ...]
    twist: float = 0.0
    clearance: float = 0.03
    lift_unit: float = LIFT_UNIT


@dataclass(frozen=True)
class GaitStyle:
    """What may differ between two walks at one speed.

    Attributes:
        cadence: Factor on the cadence.
        clearance: Factor on the clearance of the swing.
        heel: Factor on the heel's rise and strike.
        crouch: How much lower the base is, in m.
        lean: Additional forward pitch of the base, in rad.
    """

    cadence: float = 1.0
    clearance: float = 1.0
    heel: float = 1.0
    crouch: float = 0.0
    lean: float = 0.0


PLAIN = GaitStyle()


def human_cadence(speed: float) -> float:
    """Return a human's strides per second at `speed` m/s, Froude-scaled to this leg."""
    return float(FROUDE_CADENCE * (speed / FROUDE_SPEED) ** FROUDE_EXPONENT)


def clearance(speed: float) -> float:
    """Return the height that the swing foot's lowest corner should reach, in m.

    It is 1.5 times the 20 mm of EVALUATION.md.
    """
    return 0.030 + 0.004 * speed


def twist(speed: float) -> float:
    """Return the amplitude of a waist's turn against the legs, in rad."""
    return 0.03 + 0.07 * speed


# Rows: the fields of GaitShape from cadence to swing_ends, written out; one column for each of
# TUNED_SPEEDS.
TUNED_SPEEDS: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8, 1.0)  # m/s
TUNED: tuple[tuple[float, ...], ...] = (
    (1.2247, 1.1595, 1.1500, 1.1500, 1.3049),  # cadence
    (0.5966, 0.5940, 0.5940, 0.5940, 0.5940),  # duty
    (0.4543, 0.4503, 0.4452, 0.4416, 0.4380),  # height
    (0.0025, 0.0034, 0.0086, 0.0100, 0.0100),  # bounce cos
    (0.0006, -0.0007, -0.0047, -0.0029, 0.0009),  # bounce sin
    (0.0345, 0.0413, 0.0280, 0.0346, 0.1077),  # lean
    (-0.0044, -0.0154, 0.0060, 0.0442, 0.0254),  # nod cos
    (0.0095, 0.0119, -0.0069, -0.0500, -0.0600),  # nod sin
    (0.0100, 0.0050, 0.0055, 0.0400, 0.0231),  # roll
    (0.2601, 0.5220, 0.6600, 0.7800, 0.9000),  # heel_rise
    (0.1059, 0.1655, 0.2300, 0.2800, 0.3300),  # heel_strike
    (0.1788, 0.1781, 0.1543, 0.1430, 0.1315),  # flat_at
    (0.2020, 0.2337, 0.2826, 0.2932, 0.2516),  # rise_at
    (1.6698, 1.9114, 2.4975, 2.4760, 2.0631),  # strike_rate
    (1.9745, 2.3958, 2.5079, 2.5009, 2.5036),  # rise_rate
    (-0.0488, 0.0036, 0.1000, 0.0979, -0.0499),  # load_from
    (0.5772, 0.5797, 0.5800, 0.2971, 0.3136),  # load_to
    (0.0026, -0.0151, -0.0253, -0.0207, -0.0215),  # swing_x 0
    (-0.0196, 0.0002, 0.0646, 0.0674, 0.0820),  # swing_x 1
    (0.0012, -0.0052, -0.0127, 0.0084, 0.0170),  # swing_x 2
    (0.2919, 0.2077, -0.2948, -0.5392, -0.8084),  # swing_z 1
    (0.5910, 0.5545, 0.0716, 0.0415, 0.0205),  # swing_z 2
    (-0.0098, 0.0928, 0.0407, 0.1263, 0.0848),  # swing_pitch 0
    (0.2085, 0.3425, 0.6021, 0.8730, 0.7570),  # swing_pitch 1
    (-0.0219, 0.0573, -0.0462, -0.1456, -0.1262),  # swing_pitch 2
    (4.8502, 2.8347, 4.3387, 4.4731, 5.1752),  # swing_ends begin x
    (6.6453, 7.5126, -1.8897, -9.9616, -10.0000),  # swing_ends begin z
    (-6.2934, -4.9370, -5.5594, -6.4440, -7.6485),  # swing_ends end x
    (9.2114, 2.2509, -10.0000, -10.0000, -10.0000),  # swing_ends end z
)


def from_vector(numbers: np.ndarray, speed: float) -> GaitShape:
    """Make a shape from its free numbers: the fields from cadence to swing_ends, one after the
    other.
    """
    n = tuple(float(x) for x in numbers)
    return GaitShape(
        cadence=n[0],
        duty=n[1],
        height=n[2],
        bounce=n[3:5],
        lean=n[5],
        nod=n[6:8],
        roll=n[8],
        heel_rise=n[9],
        heel_strike=n[10],
        flat_at=n[11],
        rise_at=n[12],
        strike_rate=n[13],
        rise_rate=n[14],
        load_from=n[15],
        load_to=n[16],
        swing_x=n[17:20],
        swing_z=n[20:22],
        swing_pitch=n[22:25],
        swing_ends=n[25:29],
        twist=twist(speed),
        clearance=clearance(speed),
    )


def walk_shape(speed: float, style: GaitStyle = PLAIN) -> GaitShape:
    """Return the shape of a walk: TUNED interpolated over speed, constant outside its range.

    Args:
        speed: Speed, in m/s.
        style: How the walk differs from the default.

    Raises:
        MotionError: The speed is out of range.
    """
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise MotionError(f"Walking speed {speed} m/s; allowed: {SPEEDS[0]} to {SPEEDS[1]} m/s.")
    shape = from_vector(np.array([np.interp(speed, TUNED_SPEEDS, row) for row in TUNED]), speed)
    return replace(
        shape,
        cadence=shape.cadence * style.cadence,
        clearance=shape.clearance * style.clearance,
        heel_rise=shape.heel_rise * style.heel,
        heel_strike=shape.heel_strike * style.heel,
        height=shape.height - style.crouch,
        lean=shape.lean + style.lean,
    )


def froude(robot: RobotModel) -> tuple[float, float]:
    """Return the factors on lengths and on times that carry TUNED over to a robot's legs."""
    length = robot.leg_length / TUNED_LEG
    return length, float(np.sqrt(length))


def robot_shape(robot: RobotModel, speed: float, style: GaitStyle = PLAIN) -> GaitShape:
    """Return the shape of a walk of this robot, at the Froude number of its speed.

    Args:
        robot: The robot.
        speed: Speed, in m/s.
        style: How the walk differs from the default; its crouch is for the leg of TUNED.

    Raises:
        MotionError: The speed is out of range for this leg.
    """
    length, time = froude(robot)
    low, high = (v * length / time for v in SPEEDS)
    if not low <= speed <= high:
        raise MotionError(f"Walking speed {speed} m/s; allowed: {low:.3g} to {high:.3g} m/s.")
    shape = walk_shape(float(np.clip(speed * time / length, *SPEEDS)), style)
    return replace(
        shape,
        cadence=shape.cadence / time,
        height=length * shape.height + (float(robot.home_qpos[2]) - length * TUNED_HOME),
        bounce=tuple(length * x for x in shape.bounce),
        clearance=length * shape.clearance,
        lift_unit=length * shape.lift_unit,
    )


def step_shape(robot: RobotModel, speed: float) -> GaitShape:
    """Return the shape of a step at any forward speed: in place, sideways and backward, too.

    Below the slowest speed of TUNED the sole stays ever flatter, and in place and backward it is
    flat.

    Args:
        robot: The robot.
        speed: Speed ahead in m/s; negative backward.
    """
    length, time = froude(robot)
    slowest, fastest = (v * length / time for v in (TUNED_SPEEDS[0], SPEEDS[1]))
    shape = robot_shape(robot, float(np.clip(speed, slowest, fastest)))
    rolls = float(np.clip(speed / slowest, 0.0, 1.0))
    return replace(
        shape,
        heel_rise=rolls * shape.heel_rise,
        heel_strike=rolls * shape.heel_strike,
        lean=rolls * shape.lean,
        nod=tuple(rolls * x for x in shape.nod),
        swing_pitch=tuple(rolls * x for x in shape.swing_pitch),
        twist=rolls * shape.twist,
    )
