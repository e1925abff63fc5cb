"""Made-up humans: a robot's own gait seen as a human's, at a human's size, straight ahead or around
a circle.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from wildrobot_gym.motion.gait.build import walk_clip
from wildrobot_gym.motion.human import REQUIRED_BODIES, HumanMotion
from wildrobot_gym.robot import RobotModel

SIZE = 2.0  # times the robot


def human_of(robot: RobotModel, qpos: np.ndarray, fps: float, size: float = SIZE) -> HumanMotion:
    """The robot in poses (time, nq) as a human `size` times as large, slower by the Froude number's
    time scale.
    """
    data, model = mujoco.MjData(robot.model), robot.model
    positions = np.empty((len(qpos), len(REQUIRED_BODIES), 3))
    base = Rotation.from_quat(qpos[:, 3:7], scalar_first=True)
    index = {name: REQUIRED_BODIES.index(name) for name in REQUIRED_BODIES}
    for i, pose in enumerate(qpos):
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        for name in ("pelvis", "torso"):
            positions[i, index[name]] = data.qpos[:3]
        for side, foot in zip(("left", "right"), robot.foot_names, strict=True):
            chain = robot.leg_joint_names(foot)
            for joint, name in (("hip", chain[0]), ("knee", chain[-2]), ("ankle", chain[-1])):
                positions[i, index[f"{side}_{joint}"]] = data.xanchor[model.joint(name).id]
            positions[i, index[f"{side}_toe"]] = data.site(f"{side}_toe").xpos
    rotations = np.tile(base.as_quat(scalar_first=True)[:, None], (1, len(REQUIRED_BODIES), 1))
    return HumanMotion(
        "made_up",
        fps / np.sqrt(size),
        REQUIRED_BODIES,
        size * positions,
        rotations,
        "tests",
        "none",
    )


def around_circle(human: HumanMotion, radius: float) -> HumanMotion:
    """Bend the path of a human who walks along x into a circle to the left.

    Standing feet stay still.
    """
    x, y, z = np.moveaxis(human.positions, -1, 0)
    angle = x / radius
    positions = np.stack(
        [(radius - y) * np.sin(angle), radius - (radius - y) * np.cos(angle), z], axis=-1
    )
    turn = Rotation.from_euler("z", angle.mean(axis=1, keepdims=True))
    rotations = [
        (turn * Rotation.from_quat(r, scalar_first=True)).as_quat(scalar_first=True)
        for r in human.rotations.swapaxes(0, 1)
    ]
    return replace(human, positions=positions, rotations=np.stack(rotations, axis=1))


def moved(human: HumanMotion, yaw: float, offset: tuple[float, float, float]) -> HumanMotion:
    """The same motion somewhere else, in another direction."""
    turn = Rotation.from_euler("z", yaw)
    positions = turn.apply(human.positions.reshape(-1, 3)).reshape(
        human.positions.shape
    ) + np.array(offset)
    flat = turn * Rotation.from_quat(human.rotations.reshape(-1, 4), scalar_first=True)
    return replace(
        human,
        positions=positions,
        rotations=flat.as_quat(scalar_first=True).reshape(human.rotations.shape),
    )


def gait_poses(robot: RobotModel, speed: float, seconds: float) -> np.ndarray:
    clip = walk_clip(robot, speed)
    frames = slice(0, int(seconds * clip.fps) + 1)
    return np.concatenate([clip.root_pos, clip.root_quat, clip.joint_pos], axis=-1)[frames].astype(
        float
    )


def write_human(path: Path, human: HumanMotion) -> Path:
    """Write a motion as BVH with Xsens's names, in which every joint has its own position."""
    names = {"pelvis": "Hips", "torso": "Chest4"} | {
        f"{side}_{joint}": f"{side.title()}{joint.title()}"
        for side in ("left", "right")
        for joint in ("hip", "knee", "ankle", "toe")
    }
    heights = {"pelvis": 0.0, "torso": 0.3, "hip": 0.0, "knee": -0.4, "ankle": -0.8, "toe": -0.87}
    lines, columns = ["HIERARCHY"], []
    for body in human.body_names:
        side, _, joint = body.rpartition("_")
        y = 0.1 * ((side == "left") - (side == "right"))
        offset = f"OFFSET {0.15 * (joint == 'toe')} {y} {heights[joint]}"
        channels = "CHANNELS 6 " + " ".join(
            [f"{axis}position" for axis in "XYZ"] + [f"{axis}rotation" for axis in "ZYX"]
        )
        root = body == "pelvis"
        lines += [f"{'ROOT' if root else 'JOINT'} {names[body]}", "{", offset, channels]
        lines += [] if root else ["End Site", "{", "OFFSET 0 0 0", "}", "}"]
        turns = Rotation.from_quat(human.rotation(body), scalar_first=True)
        place = human.position(body)
        if not root:  # relative to the hips
            hips = Rotation.from_quat(human.rotation("pelvis"), scalar_first=True)
            place = hips.inv().apply(place - human.position("pelvis"))
            turns = hips.inv() * turns
        columns += [place, turns.as_euler("ZYX", degrees=True)]
    rows = np.concatenate(columns, axis=1)
    lines += ["}", "MOTION", f"Frames: {len(rows)}", f"Frame Time: {1.0 / human.fps:.9f}"]
    lines += [" ".join(f"{x:.6f}" for x in row) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path
