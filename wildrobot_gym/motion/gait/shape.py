"""The numbers of a walk: timing, sizes and shapes as functions of speed, and the styles that vary them.

What the robot's build asks for, beside a human's walk:

- The thigh reaches 5 degrees back. The hip is therefore carried low enough for a bent trailing knee; the heel rises.
- Feet cannot roll about x. A flat stance foot keeps its leg upright, so sideways the robot rocks: the load runs along
  the soles' inner edges, and the feet stand a little wider than the hips. That sway grows with the step's time t as
  1 - 1 / cosh(omega t / 2), so the search never goes below MIN_CADENCE.
- No joint turns a foot about the vertical. A leg that is swung ahead turns the robot the other way, and only friction
  under the stance sole holds it: 0.9 N*m on the heel, 1.7 on the flat sole. That moment grows as
  speed * cadence / (1 - duty)^2, so steps are not quicker than they must be either; at 0.8 m/s it is past the limit.
- Servos give 4 N*m. How the swing runs between its ends, when heels rise and how the body nods is therefore chosen by
  `tune` such that inverse dynamics asks for little torque, speed and yaw moment; TUNED holds what it found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wildrobot_gym.errors import MotionError

FROUDE_SPEED, FROUDE_CADENCE, FROUDE_EXPONENT = (
    0.84,
    1.36,
    0.42,
)  # m/s, strides/s (EVALUATION.md); human v^0.42
MIN_CADENCE = 1.15  # strides/s; the least that the search for TUNED may choose
LIFT_UNIT = 0.05  # m; see GaitShape.swing_ends
SPEEDS = (0.1, 1.1)  # m/s that the numbers below are made for


@dataclass(frozen=True)
class GaitShape:
    """One walk. Phases are shares of a foot's cycle, which begins with its touchdown; angles are in rad, lengths in m.

    Attributes:
        cadence: strides/s. duty: phase of lift-off.
        height, bounce: of the base; bounce and nod are amplitudes of cosine and sine twice a stride, about mid-stance.
        lean, nod: pitch of the base. roll: drop of the pelvis to the swing side. twist: turn of a waist.
        heel_rise, heel_strike: pitch of the sole at lift-off and touchdown, both positive; strike_rate, rise_rate: its
            rates there, as multiples of the mean. flat_at, rise_at: phases between which the foot is flat.
        load_from, load_to: phases between which the load runs from heel to toe.
        swing_x, swing_z, swing_pitch: polynomials over the swing's middle, as shares of the stride, of the lift (whose
            constant term is 1), and in rad.
        swing_ends: acceleration where the swing begins (forward, up) and ends (forward, up), beyond that of the rolling
            sole, as multiples of stride and LIFT_UNIT over the swing's time squared: a foot may land a little suddenly.
        clearance: greatest height of the sole's lowest corner in swing.
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


@dataclass(frozen=True)
class GaitStyle:
    """What may differ between two walks at one speed; the defaults are the middle of the road.

    cadence, clearance, heel: factors on the cadence, the swing's clearance, the heel's rise and strike. crouch: base
    lowered by so many m. lean: pitch of the base forward, added, rad.
    """

    cadence: float = 1.0
    clearance: float = 1.0
    heel: float = 1.0
    crouch: float = 0.0
    lean: float = 0.0


PLAIN = GaitStyle()


def human_cadence(speed: float) -> float:
    """Strides a second of a human's foot at `speed` m/s, Froude-scaled to this leg."""
    return float(FROUDE_CADENCE * (speed / FROUDE_SPEED) ** FROUDE_EXPONENT)


def clearance(speed: float) -> float:
    """Height that the swing foot's lowest corner is to reach, m: half as much again as EVALUATION.md's 20 mm."""
    return 0.030 + 0.004 * speed


def twist(speed: float) -> float:
    """Amplitude of a waist's turn against the legs, rad."""
    return 0.03 + 0.07 * speed


# Rows: the fields of GaitShape from cadence to swing_ends, written out; one column for each of TUNED_SPEEDS.
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
    """A shape from its free numbers, GaitShape's fields from cadence to swing_ends written out."""
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
    """The shape of a walk at `speed` m/s: TUNED between its columns, beyond them the outermost.

    Raises:
        MotionError: a speed that the numbers are not made for.
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
