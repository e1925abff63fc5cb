"""The built-in randomization terms, in the order in which they change the model."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.randomization.terms import RandomTerm, random_term
from wildrobot_gym.task.sections import MAX_DELAY_S

LONGEST_DELAY = 0.06  # s, of an action; the targets of as many control steps are remembered
LEAST_FACTOR = 0.01  # of masses and gains: none becomes zero or negative


@random_term(above=LEAST_FACTOR)
def link_mass(value: Any, model: Any) -> dict[str, Any]:
    """Mass of every link, with its inertia."""
    return {"mass": model["mass"] * value, "inertia": model["inertia"] * value}


@random_term(above=LEAST_FACTOR)
def link_inertia(value: Any, model: Any) -> dict[str, Any]:
    """Inertia of every link."""
    return {"inertia": model["inertia"] * value}


@random_term("vector", "m")
def com_offset(value: Any, model: Any) -> dict[str, Any]:
    """Center of mass of the trunk, which is all links in no leg, along each axis of the base."""
    return {"com": model["com"] + model.trunk_offset(value)}


@random_term(above=0.0, unit="kg")
def payload(value: Any, model: Any) -> dict[str, Any]:
    """Mass on the trunk, at the center of mass of its heaviest link."""
    return {"mass": model["mass"] + value * model.carrier}


@random_term(above=0.0, unit="coefficient", replaces="friction")
def floor_friction(value: Any, model: Any) -> dict[str, Any]:
    """Sliding friction between pads and floor."""
    return {"friction": value}


@random_term("joint", above=LEAST_FACTOR)
def servo_kp(value: Any, model: Any) -> dict[str, Any]:
    """Proportional gain of each servo."""
    return {"kp": model["kp"] * value}


@random_term("joint", above=0.0)
def servo_kv(value: Any, model: Any) -> dict[str, Any]:
    """Damping gain of each servo."""
    return {"kv": model["kv"] * value}


@random_term("joint", above=LEAST_FACTOR)
def servo_force_limit(value: Any, model: Any) -> dict[str, Any]:
    """Greatest torque of each servo."""
    return {"force_limit": model["force_limit"] * value}


@random_term(above=LEAST_FACTOR)
def supply_voltage(value: Any, model: Any) -> dict[str, Any]:
    """Greatest torque of all servos together."""
    return {"force_limit": model["force_limit"] * value}


@random_term("joint", above=0.0)
def joint_armature(value: Any, model: Any) -> dict[str, Any]:
    """Reflected rotor inertia of each joint."""
    return {"armature": model["armature"] * value}


@random_term("joint", above=0.0)
def joint_friction(value: Any, model: Any) -> dict[str, Any]:
    """Dry friction of each joint."""
    return {"dry_friction": model["dry_friction"] * value}


@random_term("joint", above=0.0)
def joint_damping(value: Any, model: Any) -> dict[str, Any]:
    """Viscous damping of each joint."""
    return {"damping": model["damping"] * value}


def _stuck(key: Any, low: float, high: float, robot: RobotModel) -> Array:
    """1 or -1 for the pad whose switch sticks, if one does.

    The probability is drawn from the range.
    """
    keys = jax.random.split(key, 4)
    sticks = jax.random.uniform(keys[0]) < jax.random.uniform(keys[1], minval=low, maxval=high)
    pad = jax.random.randint(keys[2], (), 0, len(robot.pad_names))
    how = jnp.where(jax.random.bernoulli(keys[3]), 1.0, -1.0)
    return jnp.where(sticks, how * jax.nn.one_hot(pad, len(robot.pad_names)), 0.0)


TERMS: dict[str, RandomTerm] = {
    term.name: term
    for term in (
        *(link_mass, link_inertia, com_offset, payload, floor_friction),
        *(servo_kp, servo_kv, servo_force_limit, supply_voltage),
        *(joint_armature, joint_friction, joint_damping),
        RandomTerm(
            "action_delay",
            "scalar",
            "s",
            "Time from an action to the servos, in whole physics steps",
            above=0.0,
            below=LONGEST_DELAY,
        ),
        RandomTerm(
            "action_delay_jitter",
            "scalar",
            "s",
            "Greatest change of that time, drawn again in each step",
            above=0.0,
            below=LONGEST_DELAY,
        ),
        RandomTerm(
            "backlash",
            "joint",
            "rad",
            "Play of each joint: within it, to both sides of the target, the servo gives no torque",
            above=0.0,
        ),
        RandomTerm(
            "joint_zero",
            "joint angle",
            "rad",
            "Error of each encoder's zero: the joint is at its reading plus this, and its target"
            " too",
        ),
        RandomTerm("imu_tilt", "tilt", "rad", "Roll and pitch of the IMU's mounting"),
        RandomTerm(
            "imu_drift",
            "angular vector",
            "rad/s",
            "Bias of the gyro, with which the heading drifts",
        ),
        RandomTerm(
            "observation_delay",
            "scalar",
            "s",
            "Age of all sensor readings",
            above=0.0,
            below=MAX_DELAY_S,
        ),
        RandomTerm(
            "stuck_switch",
            "pad",
            "probability",
            "1 for a foot switch that sticks closed for the episode, -1 for one that sticks open;"
            " one of them sticks, with this probability",
            above=0.0,
            below=1.0,
            draw=_stuck,
        ),
    )
}
"""The built-in terms, by name."""


def randomization_table() -> str:
    """The built-in terms as a Markdown table."""
    rows = [
        f"| `{t.name}` | {t.meaning.removesuffix('.')} | {t.unit} | {t.kind} | {t.allowed} |"
        for t in TERMS.values()
    ]
    header = ["| name | what | unit | drawn for each | allowed |", "|---|---|---|---|---|"]
    return "\n".join([*header, *rows])
