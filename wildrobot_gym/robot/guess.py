"""A first `robot.yaml`, guessed by looking at a model."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from wildrobot_gym import yaml_io
from wildrobot_gym.errors import RobotError
from wildrobot_gym.files import write_text
from wildrobot_gym.robot.build import compile_spec, read_model
from wildrobot_gym.robot.feet import MOST_PADS
from wildrobot_gym.robot.file import ROBOT_FILE, STAND, RobotFile
from wildrobot_gym.robot.geometry import lowest_point
from wildrobot_gym.robot.home import HOME, leg_joints
from wildrobot_gym.robot.model import RobotModel
from wildrobot_gym.robot.structure import is_position_servo

_SOLE = 0.05  # of the robot's height: geoms this near to the lowest one are soles
_LEVEL = 2e-3  # m; bodies that differ less stand on one level
_DEFLECTION = 0.25  # rad, at which a guessed servo is at its force limit
_DAMPING = 0.025  # s, of a guessed servo: kv / kp
_KNEE = 0.35  # of weight times half the leg: a guessed force limit
_TOLERANCES = (2e-3, 1e-2)  # m, of symmetry, in the order in which they are tried


@dataclass
class Guess:
    """A guessed `robot.yaml`.

    Attributes:
        path: The model's file.
        values: Content of the file.
        notes: What was guessed, by key, in sentences.
        problem: Why the robot cannot be loaded yet; None where it can.
    """

    path: Path
    values: dict[str, Any]
    notes: dict[str, str] = field(default_factory=dict)
    problem: str | None = None

    def file(self) -> RobotFile:
        """As read from the file."""
        parsed = RobotFile.from_mapping(self.values, "")
        return dataclasses.replace(parsed, folder=self.path.parent)

    def text(self) -> str:
        """The file's text, with the notes as comments."""
        lines = [f"# A robot of {self.path.name}, as `wildrobot robot init` guessed it."]
        for key, value in self.values.items():
            if key in self.notes:
                lines.append(f"# {self.notes[key]}")
            plain = not isinstance(value, dict | list)
            lines.append(f"{key}: {value}" if plain else yaml_io.dump({key: value}).rstrip())
        return "\n".join(lines) + "\n"


def guess(path: Path) -> Guess:
    """Guess the `robot.yaml` of a model.

    Args:
        path: MJCF or URDF file.

    Raises:
        RobotError: MuJoCo cannot read or compile it, or it has no body that could be a base.
    """
    found = Guess(path, {"model": path.name})
    spec = read_model(path)
    _guess_base(found, spec)
    model = compile_spec(spec, path)
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    _guess_feet(found, model, data)
    joints = [model.joint(i).name for i in range(1, model.njnt)]
    found.values["joints"] = joints
    found.notes["joints"] = "All of them: leave out those that the policy is not to move."
    _guess_servos(found, model, data)
    keys = [model.keyframe(i).name for i in range(model.nkey)]
    if HOME not in keys:
        found.values["home"] = STAND
        found.notes["home"] = "Solved: a slight crouch, feet as they are with all joints at 0."
    _guess_symmetry(found)
    return found


def _guess_base(found: Guess, spec: mujoco.MjSpec) -> None:
    free = mujoco.mjtJoint.mjJNT_FREE
    roots = list(spec.worldbody.bodies)
    floating = [body for body in roots if any(j.type == free for j in body.joints)]
    if not roots:
        raise RobotError(f"{found.path} has no body in the world; a robot needs one as its base.")
    if len(floating) == 1:
        return
    base = max(roots, key=lambda body: len(body.find_all(mujoco.mjtObj.mjOBJ_BODY)))
    found.values["base"] = base.name
    if not floating:
        found.values["floating"] = True
        found.notes["floating"] = (
            f"The model has no free joint: {base.name!r} gets one. robot.yaml changes no file."
        )
        for key in list(spec.keys):
            spec.delete(key)
        base.add_freejoint()


def _guess_feet(found: Guess, model: mujoco.MjModel, data: mujoco.MjData) -> None:
    collide = (model.geom_contype | model.geom_conaffinity) > 0
    bodies = {}
    for body in range(1, model.nbody):
        if not leg_joints(model, body):
            continue
        first, count = int(model.body_geomadr[body]), int(model.body_geomnum[body])
        geoms = list(range(first, first + count))
        if soles := [g for g in geoms if collide[g]] or geoms:
            bodies[body] = {g: lowest_point(model, data, [g]) for g in soles}
    if not bodies:
        return
    lows = {body: min(of.values()) for body, of in bodies.items()}
    ground = min(lows.values())
    near = _SOLE * (float(data.xpos[1:, 2].max()) - ground)
    feet = [body for body, low in lows.items() if low - ground < near]
    touching = {b: any(collide[g] for g in bodies[b]) for b in feet}
    # Of a chain, the body that can collide, then the lowest; a foot, and not its toes.
    feet = [b for b in feet if b == _foot_of_chain(model, b, feet, touching, lows)]
    sides = {b: "left" if data.xipos[b][1] > data.xpos[1][1] else "right" for b in feet}
    named = len(feet) == 2 and set(sides.values()) == {"left", "right"}
    feet.sort(key=lambda b: -data.xipos[b][1])
    values: dict[str, Any] = {}
    for body in feet:
        name = model.body(body).name
        soles = [g for g, low in bodies[body].items() if low - lows[body] < near]
        foot: dict[str, Any] = {"body": name}
        if len(bodies[body]) != len(soles) or len(soles) > MOST_PADS:
            soles = sorted(soles, key=lambda g: bodies[body][g])[:MOST_PADS]
            first = int(model.body_geomadr[body])
            foot["pads"] = [model.geom(g).name or g - first for g in sorted(soles)]
        values[f"{sides[body]}_foot" if named else f"{name}_foot"] = foot
    found.values["feet"] = values
    found.notes["feet"] = "The bodies with the lowest geoms. Without `pads`, all of a body's geoms."


def _foot_of_chain(
    model: mujoco.MjModel,
    body: int,
    feet: list[int],
    touching: dict[int, bool],
    lows: dict[int, float],
) -> int:
    """The one of the bodies on a chain with `body` that is the foot."""
    chain = [b for b in feet if b == body or _hangs_on(model, b, body) or _hangs_on(model, body, b)]
    return min(chain, key=lambda b: (not touching[b], round(lows[b] / _LEVEL), b))


def _hangs_on(model: mujoco.MjModel, body: int, other: int) -> bool:
    """Whether `other` is between `body` and the world."""
    while body:
        body = int(model.body_parentid[body])
        if body == other:
            return True
    return False


def _guess_servos(found: Guess, model: mujoco.MjModel, data: mujoco.MjData) -> None:
    weight = float(model.body_mass.sum()) * float(np.linalg.norm(model.opt.gravity))
    size = float(data.xpos[1:, 2].max() - data.xpos[1:, 2].min())
    servos: dict[str, dict[str, Any]] = {}
    slow = False
    for joint in range(1, model.njnt):
        name = model.joint(joint).name
        own = np.flatnonzero(
            (model.actuator_trntype == mujoco.mjtTrn.mjTRN_JOINT)
            & (model.actuator_trnid[:, 0] == joint)
        )
        values: dict[str, Any] = {}
        if not (len(own) == 1 and is_position_servo(model, int(own[0]))):
            limit = _limit(model, joint, own)
            if limit is None:
                limit = values["force_limit"] = _nice(_KNEE * weight * 0.5 * size)
            values["kp"] = _nice(limit / _DEFLECTION)
            values["kv"] = _nice(values["kp"] * _DAMPING)
            inertia = float(model.dof_armature[model.jnt_dofadr[joint]])
            slow |= values["kv"] * model.opt.timestep > inertia
        if not model.jnt_limited[joint]:
            values["range"] = [-1.57, 1.57]
        if values:
            servos[name] = values
    if servos:
        found.values["servos"] = _grouped(servos)
        found.notes["servos"] = (
            "Gains of joints that have no position servo in the model, from their force limits."
        )
    if slow:
        found.values["options"] = {"integrator": "implicitfast"}
        found.notes["options"] = "The joints have little armature: Euler would be unstable."


def _limit(model: mujoco.MjModel, joint: int, own: np.ndarray) -> float | None:
    """Force limit that the model gives for a joint, N*m."""
    if model.jnt_actfrclimited[joint]:
        return float(model.jnt_actfrcrange[joint, 1]) or None
    if len(own) == 1:
        i, gear = int(own[0]), abs(float(model.actuator_gear[int(own[0]), 0]))
        if model.actuator_forcelimited[i]:
            return gear * float(model.actuator_forcerange[i, 1]) or None
        if model.actuator_ctrllimited[i]:
            return gear * float(model.actuator_ctrlrange[i, 1]) or None
    return None


def _grouped(servos: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What most joints have as `*`, then the others."""
    texts = [yaml_io.dump(values) for values in servos.values()]
    usual = list(servos.values())[texts.index(max(texts, key=texts.count))]
    if any(values.keys() != usual.keys() for values in servos.values()):
        return servos
    return {"*": usual, **{name: values for name, values in servos.items() if values != usual}}


def _nice(value: float) -> float:
    """Two digits."""
    return float(f"{value:.2g}")


def _guess_symmetry(found: Guess) -> None:
    """The smallest tolerance with which the robot can be loaded, or none."""
    for tolerance in (*_TOLERANCES, "none"):
        if tolerance != _TOLERANCES[0]:
            found.values["symmetry"] = tolerance
        try:
            RobotModel.from_file(found.file())
        except RobotError as error:
            found.problem = str(error)
            if "no mirror image" not in found.problem:
                found.values.pop("symmetry", None)
                return
        else:
            found.problem = None
            break
    if "symmetry" in found.values:
        found.notes["symmetry"] = (
            "Left and right differ: no mirrored motion, no symmetric policy."
            if found.values["symmetry"] == "none"
            else "m; left and right differ by more than 2 mm."
        )


def write_guess(found: Guess) -> Path:
    """Write the file beside the model. Returns its path."""
    path = found.path.parent / ROBOT_FILE
    write_text(path, found.text())
    return path
