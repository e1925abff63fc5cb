"""The numbers of a walk: timing, sizes and shapes as functions of speed, and the styles that vary them.

What the robot's build asks for, beside a human's walk:

- The thigh reaches 5 degrees back. The hip is therefore carried low enough for a bent trailing knee; the heel rises.
- Feet cannot roll about x. A flat stance foot keeps its leg upright, so sideways the robot rocks: the load runs along
  the soles' inner edges, and the feet stand a little wider than the hips. That sway grows with the step's time t as
  1 - 1 / cosh(omega t / 2), so steps are never slower than MIN_CADENCE.
- Servos give 4 N*m. How the swing runs between its ends, when heels rise and how the body nods is therefore chosen by
  :mod:`.tune` such that inverse dynamics asks for little torque and speed; TUNED holds what it found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wildrobot_gym.errors import MotionError

FROUDE_SPEED, FROUDE_CADENCE, FROUDE_EXPONENT = 0.84, 1.36, 0.42  # m/s, strides/s (EVALUATION.md); human v^0.42
MIN_CADENCE = 1.3  # strides/s; the least that the search for TUNED may choose
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
    """Strides a second of a human's foot at ``speed`` m/s, Froude-scaled to this leg."""
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
    (1.3020, 1.3016, 1.3000, 1.3000, 1.3916),  # cadence
    (0.6012, 0.6008, 0.6000, 0.6000, 0.6000),  # duty
    (0.4531, 0.4494, 0.4452, 0.4416, 0.4381),  # height
    (0.0023, 0.0035, 0.0042, 0.0100, 0.0100),  # bounce cos
    (0.0002, -0.0012, -0.0043, -0.0050, -0.0018),  # bounce sin
    (0.0339, 0.0403, 0.0302, 0.0340, 0.0484),  # lean
    (-0.0090, -0.0163, -0.0281, 0.0124, 0.0074),  # nod cos
    (0.0057, -0.0033, -0.0316, -0.0478, -0.0597),  # nod sin
    (0.0057, 0.0129, 0.0214, 0.0400, 0.0398),  # roll
    (0.2717, 0.4537, 0.6600, 0.7800, 0.8571),  # heel_rise
    (0.1210, 0.1560, 0.2299, 0.2800, 0.3300),  # heel_strike
    (0.1770, 0.1754, 0.1786, 0.1626, 0.1508),  # flat_at
    (0.2091, 0.2672, 0.2564, 0.2532, 0.2781),  # rise_at
    (1.8202, 1.8609, 2.2007, 2.3398, 2.1363),  # strike_rate
    (1.9680, 2.3055, 2.4686, 2.5068, 2.4052),  # rise_rate
    (-0.0468, -0.0389, -0.0098, 0.0965, -0.0479),  # load_from
    (0.5740, 0.5712, 0.5800, 0.3345, 0.3564),  # load_to
    (-0.0120, -0.0123, -0.0094, -0.0292, -0.0264),  # swing_x 0
    (-0.0208, -0.0046, 0.0583, 0.0570, 0.0695),  # swing_x 1
    (0.0016, 0.0133, 0.0441, 0.0259, 0.0124),  # swing_x 2
    (0.2913, 0.1838, -0.2885, -0.4696, -0.5589),  # swing_z 1
    (0.5903, 0.5295, 0.0697, 0.0451, 0.0342),  # swing_z 2
    (0.0349, 0.0384, 0.1113, 0.1355, 0.1401),  # swing_pitch 0
    (0.2101, 0.3118, 0.4522, 0.5728, 0.7532),  # swing_pitch 1
    (0.0066, 0.0137, 0.0451, -0.0395, -0.0203),  # swing_pitch 2
    (4.3563, 3.9815, 3.0895, 4.3073, 5.2061),  # swing_ends begin x
    (8.1309, 6.4365, 4.6100, -2.6775, -8.0738),  # swing_ends begin z
    (-5.9648, -6.3146, -6.3271, -6.4158, -7.3251),  # swing_ends end x
    (7.4526, 2.3206, -9.8717, -10.0000, -9.9813),  # swing_ends end z
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
    """The shape of a walk at ``speed`` m/s: TUNED between its columns, beyond them the outermost.

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
