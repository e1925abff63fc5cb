"""One robot that follows a policy, step by step, with all that a viewer shows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from gymnasium.vector import AutoresetMode

from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import MotionError
from wildrobot_gym.evaluation.benchmark import evaluation_settings
from wildrobot_gym.evaluation.recording import read_step
from wildrobot_gym.experiments.view.ghost import NearestReference
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.training.policy import LoadedPolicy

AXES = ("vx", "vy", "yaw_rate")
PUSH_S = 0.1  # an impulse of 1 N*s is 10 N for that long


@dataclass(frozen=True)
class Snapshot:
    """One control step as a viewer shows it: world frame, SI units.

    Attributes:
        time: Seconds since the episode's begin.
        qpos: (nq,) pose.
        ghost: (nq,) pose of the nearest reference frame; None without a reference.
        foot_pos: (foot, 3) soles, m.
        foot_force: (foot,) load of each foot, N.
        terms: Weighted reward terms by name.
        score: The discriminator's score; None without AMP.
        forward_velocity: m/s.
        falls: Falls so far.
    """

    time: float
    qpos: np.ndarray
    ghost: np.ndarray | None
    foot_pos: np.ndarray
    foot_force: np.ndarray
    terms: Mapping[str, float] = field(default_factory=dict)
    score: float | None = None
    forward_velocity: float = 0.0
    falls: int = 0


class PolicySession:
    """A robot that follows a policy. A robot that falls starts again.

    Args:
        policy: The policy.
        command: First commanded vx and vy, m/s, and yaw rate, rad/s.
        seed: Random seed of the episodes.

    Attributes:
        command: (3,) what is commanded: vx and vy, m/s, yaw rate, rad/s. A viewer changes it in
            place; the next step obeys.
        ranges: Lowest and highest command by axis, for the axes that the policy was trained on.
        snapshot: What the last step or reset gave.
    """

    def __init__(
        self, policy: LoadedPolicy, command: Sequence[float] = (0.4, 0.0, 0.0), seed: int = 0
    ) -> None:
        self.policy, self.seed = policy, seed
        self.env = WildRobotVectorEnv(
            1,
            None,
            backend="native",
            num_threads=1,
            autoreset_mode=AutoresetMode.DISABLED,
            **evaluation_settings(policy.env_kwargs),
        )
        self.robot = self.env.robot
        self.control_dt = self.env.config.control_dt
        trained = policy.command
        spans = {axis: tuple(map(float, getattr(trained, axis))) for axis in AXES}
        self.ranges = {axis: (low, high) for axis, (low, high) in spans.items() if low < high}
        self.command = np.zeros(3)
        for i, axis in enumerate(AXES):
            if axis in self.ranges:
                self.command[i] = np.clip(command[i], *self.ranges[axis])
        self._reference: NearestReference | None = None
        if policy.reference is not None:
            with suppress(MotionError):  # without a reference that fits there is no ghost
                self._reference = NearestReference(load_clips(policy.reference, self.robot))
        self._falls, self._push_left, self._steps = 0, 0, 0
        self._held = np.full(3, np.nan)
        self.snapshot = self.reset()

    def reset(self) -> Snapshot:
        """Begin a new episode."""
        if self._steps == 0 and self._falls == 0:
            self._obs = self.env.begin_with(self.command[None], self.seed)
        else:
            self._obs, _ = self.env.reset()
        self._steps = self._push_left = 0
        self._fallen = False
        self.snapshot = self._seen({}, None)
        return self.snapshot

    def push(self, forward: float, left: float) -> None:
        """Push the base with an impulse in its heading frame, N*s, over `PUSH_S`."""
        yaw = float(np.asarray(self.env.physics_state.yaw)[0])
        c, s = np.cos(yaw), np.sin(yaw)
        force = np.array([c * forward - s * left, s * forward + c * left, 0.0]) / PUSH_S
        self.env.push(force)
        self._push_left = max(1, round(PUSH_S / self.control_dt))

    def step(self) -> Snapshot:
        """Take one control step; after a fall, begin again."""
        if self._fallen:
            return self.reset()
        if (self._held != self.command).any():
            self._held = self.command.copy()
            self.env.set_commands(self._held[None])
        action = self.policy(self._obs)
        self._obs, _, terminated, _, infos = self.env.step(action)
        self._steps += 1
        self._fallen = bool(terminated[0])
        self._falls += self._fallen
        if self._push_left:
            self._push_left -= 1
            if not self._push_left:
                self.env.push(np.zeros(3))
        self.snapshot = self._seen(infos, infos["amp_obs"])
        return self.snapshot

    def close(self) -> None:
        """Free the environment."""
        self.env.close()

    def _seen(self, infos: Mapping[str, np.ndarray], amp_obs: np.ndarray | None) -> Snapshot:
        state = self.env.physics_state
        row = read_step(self.robot, state, np.zeros((1, self.robot.num_joints)), np.ones(1, bool))
        qpos = np.array(state.qpos)[0]
        learner = self.policy.model.learner
        ghost = None
        if self._reference is not None:
            ghost = self._reference.pose(qpos, row["joint_vel"][0], float(self.command[0]))
        names = [name for name in infos if name.startswith("reward_")]
        return Snapshot(
            time=self._steps * self.control_dt,
            qpos=qpos,
            ghost=ghost,
            foot_pos=row["foot_pos_w"][0],
            foot_force=np.asarray(row["foot_force"])[0],
            terms={name.removeprefix("reward_"): float(infos[name][0]) for name in names},
            score=None if learner is None or amp_obs is None else float(learner.scores(amp_obs)[0]),
            forward_velocity=float(infos["forward_velocity"][0]) if infos else 0.0,
            falls=self._falls,
        )
