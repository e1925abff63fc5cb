"""Small models of bipeds as MJCF and URDF text, without anything that the package adds."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np

from wildrobot_gym.robot import RobotModel

SOLES = {
    "one sphere": '<geom type="sphere" size="0.03" mass="0.05"/>',
    "capsule": '<geom type="capsule" size="0.02" fromto="-0.05 0 -0.01 0.07 0 -0.01" mass="0.05"/>',
    "cylinder": '<geom type="cylinder" size="0.05 0.03" mass="0.05"/>',
    "ellipsoid": '<geom type="ellipsoid" size="0.07 0.04 0.03" mass="0.05"/>',
    "mesh": '<geom type="mesh" mesh="sole" mass="0.05"/>',
    "eight boxes": "".join(
        f'<geom type="box" size="0.012 0.012 0.005" pos="{x} {y} -0.025" mass="0.01"/>'
        for x in (-0.045, -0.015, 0.015, 0.045)
        for y in (-0.025, 0.025)
    ),
}
MESH = '<asset><mesh name="sole" file="sole.obj"/></asset>'
MOTOR = '<motor name="{0}" joint="{0}" ctrlrange="-3 3"/>'


def leg(side: str, y: float, sole: str) -> str:
    """A leg with hip roll and pitch, knee and ankle."""
    link = '<geom type="capsule" size="0.02" fromto="0 0 0 0 0 -0.15" class="link" mass="0.2"/>'

    def joint(name: str, axis: str, limits: str) -> str:
        return f'<joint name="{name}_{side}" axis="{axis}" range="{limits}"/>'

    return f"""
      <body name="hip_{side}" pos="0 {y} 0">
        {joint("hip_x", "1 0 0", "-40 40")}<geom size="0.02" class="link" mass="0.1"/>
        <body name="thigh_{side}">
          {joint("hip_y", "0 1 0", "-90 45")}{link}
          <body name="shin_{side}" pos="0 0 -0.15">
            {joint("knee", "0 1 0", "0 120")}{link}
            <body name="foot_{side}" pos="0 0 -0.15">
              {joint("ankle", "0 1 0", "-60 60")}{sole}
            </body>
          </body>
        </body>
      </body>"""


JOINTS = [f"{joint}_{side}" for side in "lr" for joint in ("hip_x", "hip_y", "knee", "ankle")]


def mjcf(sole: str = "one sphere", **replaced: str) -> str:
    """A biped on feet of one kind, 0.33 m tall, with motors.

    Args:
        sole: Key of `SOLES`.
        **replaced: Other text for a part: `free`, `actuators`, `more` (inside the base).
    """
    parts = {
        "free": "<freejoint/>",
        "actuators": "".join(MOTOR.format(joint) for joint in JOINTS),
        "more": "",
        **replaced,
    }
    return f"""
<mujoco>
  <default>
    <joint armature="0.01" damping="0.05"/>
    <default class="link"><geom contype="0" conaffinity="0"/></default>
  </default>
  {MESH if sole == "mesh" else ""}
  <worldbody>
    <body name="trunk" pos="0 0 0.33">{parts["free"]}
      <geom type="box" size="0.05 0.08 0.05" pos="0 0 0.06" mass="1.5"/>
      {parts["more"]}
      {leg("l", 0.06, SOLES[sole])}{leg("r", -0.06, SOLES[sole])}
    </body>
  </worldbody>
  <actuator>{parts["actuators"]}</actuator>
</mujoco>"""


SERVOS = '{"*": {kp: 20.0, kv: 0.5}}'
ROBOT = f"""
model: biped.xml
feet: {{left: {{body: foot_l}}, right: {{body: foot_r}}}}
servos: {SERVOS}
"""


def write(folder: Path, model: str, robot: str = ROBOT, name: str = "biped.xml") -> Path:
    """A robot's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(model)
    (folder / "robot.yaml").write_text(robot)
    if "sole.obj" in model:
        write_mesh(folder / "sole.obj")
    return folder


def load(folder: Path, model: str, robot: str = ROBOT) -> RobotModel:
    """The robot of a new folder."""
    return RobotModel.load(write(folder, model, robot))


def write_mesh(path: Path) -> None:
    """A plate with a bevel, as a mesh: its sole is 0.08 x 0.05 m, 0.03 m under its origin."""
    sole = [(x, y, -0.03) for x in (-0.03, 0.05) for y in (-0.025, 0.025)]
    top = [(1.2 * x, 1.2 * y, 0.0) for x, y, _ in sole]
    faces = mujoco_hull(np.array(sole + top))
    lines = [f"v {x} {y} {z}" for x, y, z in sole + top]
    lines += ["f " + " ".join(str(i + 1) for i in face) for face in faces]
    path.write_text("\n".join(lines) + "\n")


def mujoco_hull(points: np.ndarray) -> list[list[int]]:
    """Triangles of the convex hull, outward."""
    from scipy.spatial import ConvexHull

    hull = ConvexHull(points)
    center, faces = points.mean(axis=0), []
    for a, b, c in hull.simplices:
        normal = np.cross(points[b] - points[a], points[c] - points[a])
        faces.append([a, b, c] if normal @ (points[a] - center) > 0 else [a, c, b])
    return faces


def stands(robot: RobotModel, seconds: float = 2.0) -> bool:
    """Whether the robot stands at home on its own servos."""
    data = mujoco.MjData(robot.model)
    mujoco.mj_resetDataKeyframe(robot.model, data, robot.model.keyframe("home").id)
    while data.time < seconds:
        mujoco.mj_step(robot.model, data)
    return bool(data.qpos[2] > 0.9 * robot.home_qpos[2])
