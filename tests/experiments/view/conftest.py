"""Things to look at that need neither a policy nor a compiled function."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # browser

from wildrobot_gym.experiments.view.ghost import NearestReference
from wildrobot_gym.experiments.view.session import Snapshot
from wildrobot_gym.motion.gait.build import walk_clip
from wildrobot_gym.robot import RobotModel


class ClipSession:
    """Stands in for a `PolicySession`: a clip that moves at the commanded speed."""

    control_dt = 0.02

    def __init__(self, robot: RobotModel) -> None:
        self.robot = robot
        self.clip = walk_clip(robot, 0.4)
        self.policy = SimpleNamespace(model=SimpleNamespace(learner=object()))
        self.ranges = {"vx": (0.0, 0.8)}
        self.command = np.array([0.4, 0.0, 0.0])
        self.reference = NearestReference([self.clip])
        self.pushes: list[tuple[float, float]] = []
        self.steps, self.x = 0, 0.0
        self.snapshot = self.step()

    def step(self) -> Snapshot:
        clip, k = self.clip, self.steps % self.clip.num_frames
        self.x += self.control_dt * self.command[0]
        qpos = np.concatenate([clip.root_pos[k], clip.root_quat[k], clip.joint_pos[k]])
        qpos[0] = self.x
        feet = np.array([[self.x, 0.1, 0.0], [self.x, -0.1, 0.0]])
        ghost = self.reference.pose(qpos, np.zeros(9), 0.4)
        ghost[1] += 0.4
        self.snapshot = Snapshot(
            time=self.steps * self.control_dt,
            qpos=qpos.astype(np.float32),  # as an environment gives it
            ghost=ghost,
            foot_pos=feet,
            foot_force=np.array([20.0, 10 + 10 * np.sin(0.1 * self.steps)]),
            terms={"alive": 0.01, "slip": -0.01 * np.cos(0.2 * self.steps)},
            score=float(np.sin(0.05 * self.steps)),
            forward_velocity=float(self.command[0]),
        )
        self.steps += 1
        return self.snapshot

    def reset(self) -> Snapshot:
        self.steps, self.x = 0, 0.0
        return self.step()

    def push(self, forward: float, left: float) -> None:
        self.pushes.append((forward, left))

    def close(self) -> None:
        pass


@pytest.fixture
def clip_session(wildrobot: RobotModel) -> ClipSession:
    return ClipSession(wildrobot)
