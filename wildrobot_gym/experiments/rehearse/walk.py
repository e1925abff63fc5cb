"""The walk benchmark of an exported policy in plain MuJoCo."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wildrobot_gym.deploy.controller import Controller
from wildrobot_gym.evaluation.benchmark import WalkResult
from wildrobot_gym.evaluation.metrics import episode_metrics
from wildrobot_gym.evaluation.protocol import DURATION_S, check_protocol
from wildrobot_gym.evaluation.recording import Recording
from wildrobot_gym.experiments.rehearse.feet import Feet
from wildrobot_gym.experiments.rehearse.plain_robot import PlainRobot
from wildrobot_gym.experiments.rehearse.run import Stage
from wildrobot_gym.experiments.rehearse.simulated import SimulatedRobot
from wildrobot_gym.rotations import numpy_tilt, numpy_yaw
from wildrobot_gym.task.sections import ResetConfig


def run_benchmark(
    stage: Stage,
    commands: Sequence[float],
    episodes: int,
    on_episode: Callable[[], Any] | None = None,
) -> WalkResult:
    """Run the protocol of `wildrobot eval`, one episode after the other.

    Episodes begin as the environment's do: in the home pose with its noise, in any heading. There
    is no soft start and no safety stop: an episode ends by a fall or by the time limit.

    Args:
        stage: The policy and the robot.
        commands: Forward speeds, m/s.
        episodes: Episodes at each.
        on_episode: Called after each episode.
    """
    seed, plain, controller = stage.settings.seed, stage.plain, stage.controller
    check_protocol(commands, episodes, seed=seed)
    control_dt = controller.description.control_dt
    rng = np.random.default_rng(seed)
    runs = []
    for command in commands:
        for _ in range(episodes):
            _place(plain, controller, rng)
            robot = SimulatedRobot(plain, stage.disturbances, int(rng.integers(2**31)))
            runs.append(_episode(stage, robot, command, round(DURATION_S / control_dt)))
            if on_episode is not None:
                on_episode()
    recording = Recording(**{name: np.stack([r[name] for r in runs], axis=1) for name in runs[0]})
    # The weight is this MJCF's, not that of the robot that the policy was trained on.
    trained_on = stage.trained_on
    gravity = abs(float(trained_on.model.opt.gravity[2]))
    config = {**trained_on.config, "mass": plain.weight / gravity}
    robot_model = dataclasses.replace(trained_on, config=config)
    command_vx = np.repeat(np.array(commands, np.float32), episodes)
    metrics = episode_metrics(recording, command_vx, robot_model, control_dt)
    speeds = tuple(float(command) for command in commands)
    return WalkResult(speeds, episodes, seed, metrics, recording, robot_model, control_dt)


def benchmark_json(stage: Stage, result: WalkResult) -> dict[str, Any]:
    """The content of a results file."""
    description = stage.controller.description
    return {
        **result.to_json(),
        "backend": "plain MuJoCo",
        "model": stage.xml.name,
        "disturbances": dataclasses.asdict(stage.disturbances),
        "policy": {"name": description.name, **description.content["source"]},
    }


def _place(plain: PlainRobot, controller: Controller, rng: np.random.Generator) -> None:
    noise = ResetConfig()
    d = controller.description
    home = d.of_joints("home") + rng.uniform(-1, 1, len(d.joints)) * noise.joint_noise
    joint_pos = np.clip(home, d.of_joints("low"), d.of_joints("high"))
    yaw = rng.uniform(-np.pi, np.pi)
    roll, pitch = rng.uniform(-1, 1, 2) * noise.tilt_noise
    cos, sin = np.cos(yaw / 2), np.sin(yaw / 2)
    # The yaw, then a small roll and pitch.
    quat = np.array(
        [
            cos,
            (cos * roll - sin * pitch) / 2,
            (cos * pitch + sin * roll) / 2,
            sin,
        ]
    )
    velocity = rng.uniform(-1, 1, 6 + len(d.joints)) * noise.velocity_noise
    plain.place(joint_pos, quat / np.linalg.norm(quat), velocity)


def _episode(
    stage: Stage, simulated: SimulatedRobot, vx: float, num_steps: int
) -> dict[str, np.ndarray]:
    """Arrays (time, ...) of a `Recording`."""
    plain, controller = simulated.plain, stage.controller
    low, high = stage.trained_on.lowest_height, stage.trained_on.highest_height
    feet = Feet(plain, controller.description)
    # Another MJCF may call a higher or lower point the base.
    offset = float(plain.data.xpos[plain.base, 2]) - float(
        controller.description.content["robot"]["home_height"]
    )
    command = np.array([vx, 0.0, 0.0])
    controller.reset()
    alive, rows = True, []
    for _ in range(num_steps):
        decision = controller.step(simulated.read(), command)
        simulated.write(decision.targets)
        simulated.advance(plain.substeps)
        true, foot = plain.sensors(), feet.read()
        height = float(plain.data.xpos[plain.base, 2]) - offset
        alive = alive and low <= height <= high
        rows.append(
            {
                "alive": np.array(alive),
                "base_pos_w": plain.data.xpos[plain.base].copy(),
                "yaw": numpy_yaw(true.quat[None])[0],
                "tilt": numpy_tilt(true.quat[None])[0],
                "base_lin_vel_w": plain.velocity_w(),
                "base_ang_vel": true.gyro,
                "joint_pos": true.joint_pos,
                "joint_vel": true.joint_vel,
                "torque": plain.torques(),
                "action": decision.action,
                "foot_force": foot.force,
                "foot_speed": foot.speed,
                "foot_pos_w": foot.position,
                "sole_height": foot.height,
            }
        )
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}
