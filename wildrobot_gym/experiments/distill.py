"""Teach a policy that has a robot's sensors alone, by a policy that performs clips.

A tracking policy sees its clip's next frames, so it knows where it is in the motion. The student
sees its own observation, and the clip's command. It acts in the same physics, and its teacher says
in each state what it would have done: DAgger, Ross et al. 2011, arXiv:1011.0686.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from gymnasium.vector import AutoresetMode
from jaxtyping import Array, Bool, Float

from amp_sbx import AMPPPO
from amp_sbx.algorithm.cloning import CloningConfig
from amp_sbx.common.archive import resolve_path
from wildrobot_gym.env.registration import ENV_ID
from wildrobot_gym.env.rollout import nominal
from wildrobot_gym.env.track_env import WildRobotTrackVectorEnv
from wildrobot_gym.errors import ConfigError, RunError
from wildrobot_gym.experiments.settings import DistillSettings
from wildrobot_gym.experiments.tracking_policy import load_tracking_policy
from wildrobot_gym.files import check_free
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.motion.gait_phase import phases_of
from wildrobot_gym.motion.states import clip_states
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.task.config import EnvConfig, ResetConfig
from wildrobot_gym.task.control import ServoControl
from wildrobot_gym.task.observations import Observer
from wildrobot_gym.task.randomization.sections import DisturbanceConfig
from wildrobot_gym.training.config import Overrides, load
from wildrobot_gym.training.model import make_model, make_reference, make_vec_env
from wildrobot_gym.training.reference import env_config

ROUND = CloningConfig(steps=1500, batch_size=2048, noise=0.02)
LAST_ROUND = dataclasses.replace(ROUND, steps=5000)
# Of the robots, after the first round; the teacher's keep to the clips.
STUDENTS_SHARE = 0.75


@dataclass(frozen=True)
class Lost:
    """How often robots fell or lost their clip in a round, per second.

    Attributes:
        teacher: Of those that the teacher moved. NaN without any.
        student: Of those that the student moved. NaN without any.
    """

    teacher: float
    student: float


def distill(
    config: str,
    settings: DistillSettings,
    *,
    overrides: Overrides = (),
    overwrite: bool = False,
    report: Reporter = SILENT,
) -> Path:
    """Teach the policy of a run config, and write it.

    Args:
        config: Name of a shipped config, or path of a YAML file.
        settings: The teacher, its clips, and how much to teach.
        overrides: Settings that replace the config's.
        overwrite: Replace a file that exists.
        report: Receives a message after each round.

    Returns:
        The policy's file.

    Raises:
        ConfigError: The config is of another environment.
        RunError: The file exists, or the teacher is no tracking policy or of another robot or
            control rate.
    """
    out = resolve_path(settings.out)
    check_free([out], overwrite)
    run = load(config, overrides, settings.seed)
    if run.env.env_id != ENV_ID:
        raise ConfigError(f"{config} is a config of {run.env.env_id}; allowed: {ENV_ID}.")
    env = make_vec_env(run, num_envs=1)
    student = make_model(run, env, make_reference(run, env))
    env.close()
    lesson = Lesson(student, env_config(env), settings)
    seen: list[np.ndarray] = []
    wanted: list[np.ndarray] = []
    try:
        for number in range(settings.rounds):
            lost = lesson.round(0.0 if number == 0 else STUDENTS_SHARE, seen, wanted)
            fit = LAST_ROUND if number == settings.rounds - 1 else ROUND
            error = student.clone_behavior(np.concatenate(seen), np.concatenate(wanted), fit)
            report.info(
                f"round {number + 1} of {settings.rounds}: error {error:.3f}; falls and lost"
                f" clips per second: teacher {lost.teacher:.2f}, student {lost.student:.2f}"
            )
    finally:
        lesson.close()
    student.save(out)
    report.info(f"Wrote {out}")
    return out


class Lesson:
    """Robots that perform clips, moved by the teacher or by the student.

    Args:
        student: The policy that learns.
        config: Of its environment. Randomization, disturbances and terrain are left out.
        settings: The teacher, its clips, and the number of robots.

    Raises:
        RunError: The teacher is no tracking policy, or of another robot or control rate.
    """

    def __init__(self, student: AMPPPO, config: EnvConfig, settings: DistillSettings) -> None:
        self._settings, self._student = settings, student
        self._teacher, kwargs = load_tracking_policy(settings.teacher)
        if (of := kwargs.get("robot", EnvConfig.robot)) != config.robot:
            raise RunError(
                f"The teacher {settings.teacher} moves the robot {of}, and the config is for"
                f" {config.robot}."
            )
        self._env = WildRobotTrackVectorEnv(
            settings.num_envs,
            None,
            autoreset_mode=AutoresetMode.SAME_STEP,
            **{**nominal(kwargs), "reference": settings.reference},
        )
        robot, dt = self._env.robot, config.control_dt
        if self._env.config.control_dt != dt:
            raise RunError(
                f"The teacher acts every {self._env.config.control_dt} s, the config's control_dt"
                f" is {dt} s. Set it to the teacher's."
            )
        self._clips = self._env.task.clips
        clips = load_clips(settings.reference, robot)
        phases = [phases_of(robot, clip_states(robot, clip, dt), dt) for clip in clips]
        self._phases = jnp.asarray(np.concatenate(phases), jnp.float32)
        quiet = dataclasses.replace(
            config,
            reset=ResetConfig(),
            privileged=(),
            randomization={},
            disturbances=DisturbanceConfig(),
        )
        self._observer = Observer(robot, quiet)
        self._of_teacher = self._env.task.control
        self._of_student = ServoControl(robot, config.action)
        self._rng = np.random.default_rng(settings.seed)
        self._decide = jax.jit(self._decided)
        count = settings.num_envs
        self._obs = self._env.reset(seed=settings.seed)[0]
        self._begun = np.ones(count, bool)
        self._action = jnp.zeros((count, robot.num_joints))
        self._memory = jax.tree.map(
            lambda x: jnp.repeat(x[None], count, axis=0), self._observer.blank()
        )

    def round(self, students_share: float, seen: list[Any], wanted: list[Any]) -> Lost:
        """Let the robots move, and note what the student saw and what the teacher wanted.

        Args:
            students_share: Part of the robots that the student moves.
            seen: Receives (robot, obs) observations of each step.
            wanted: Receives (robot, joint) actions of each step.
        """
        count, noise = self._settings.num_envs, self._settings.noise
        students = np.arange(count) < students_share * count
        spread = np.where(np.arange(count) % 2 == 0, noise, noise / 3)[:, None]
        lost, steps = np.zeros(2), np.zeros(2)
        for _ in range(self._settings.steps):
            noise_now = spread * self._rng.normal(size=self._action.shape)
            choice = self._decide(
                self._teacher.policy.actor_state.params,
                self._student.policy.actor_state.params,
                *(self._obs, self._env.task_state, self._env.physics_state),
                *(self._memory, self._begun, self._action, students, noise_now),
                jax.random.PRNGKey(self._rng.integers(2**31)),
            )
            self._memory, self._action = choice.memory, choice.action
            seen.append(np.asarray(choice.seen))
            wanted.append(np.asarray(choice.wanted))
            self._obs, _, fell, over, _ = self._env.step(np.asarray(choice.moves))
            self._begun = fell | over
            for who in (0, 1):
                lost[who] += (fell & (students == who)).sum()
                steps[who] += (students == who).sum()
        seconds = np.where(steps > 0, steps, np.nan) * self._env.config.control_dt
        return Lost(*(float(x) for x in lost / seconds))

    def close(self) -> None:
        """Close the simulation."""
        self._env.close()

    def _decided(
        self,
        teacher: Any,
        student: Any,
        obs: Float[Array, "env obs"],
        task: Any,
        state: PhysicsState,
        memory: Any,
        begun: Bool[Array, " env"],
        action: Float[Array, "env joint"],
        students: Bool[Array, " env"],
        noise: Float[Array, "env joint"],
        key: Array,
    ) -> Choice:
        memory, seen, action = jax.vmap(self._observed)(
            jax.random.split(key, len(begun)),
            *(state, task.command, action, self._phases[task.frame], memory, begun),
        )
        advice = self._teacher.policy.actor_state.apply_fn(teacher, obs).mode()
        tried = self._student.policy.actor_state.apply_fn(student, seen).mode() + noise
        around = self._clips.target[task.frame]
        moves, wanted, action = jax.vmap(self._moved)(
            *(around, task.action, action, advice, tried, students, noise)
        )
        return Choice(seen=seen, wanted=wanted, moves=moves, action=action, memory=memory)

    def _moved(
        self,
        around: Any,
        teacher_action: Any,
        action: Any,
        advice: Any,
        tried: Any,
        by_student: Any,
        noise: Any,
    ) -> tuple[Array, Array, Array]:
        """What one robot does in the teacher's environment, what the student should have done, and
        the student's filtered action that was done.
        """
        own, its = self._of_student, self._of_teacher  # controls
        advised = its.targets(around, its.filtered(teacher_action, advice))
        asked = own.targets(own.home, own.filtered(action, tried))
        moves = jnp.where(
            by_student,
            its.unfiltered((asked - around) / its.scale, teacher_action),
            jnp.clip(advice + noise, -1.0, 1.0),
        )
        done = its.targets(around, its.filtered(teacher_action, moves))
        return moves, own.unfiltered(own.action_at(advised), action), own.action_at(done)

    def _observed(
        self,
        key: Array,
        state: PhysicsState,
        command: Any,
        action: Any,
        phase: Any,
        memory: Any,
        begun: Any,
    ) -> tuple[Any, Array, Array]:
        """One robot's memory, the student's observation, and its last filtered action."""
        action = jnp.where(begun, self._of_student.action_at(state.joint_pos), action)
        sample = self._observer.sample(state, command, action, phase, {})
        first = self._observer.begin(key, sample)[:2]
        later = self._observer.next(key, memory, sample)[:2]
        memory, seen = jax.tree.map(lambda x, y: jnp.where(begun, x, y), first, later)
        return memory, seen, action


@struct.dataclass
class Choice:
    """What each robot does in one control step."""

    seen: Float[Array, "env obs"]  # the student's observation
    wanted: Float[Array, "env joint"]  # the student's raw action that the teacher would take
    moves: Float[Array, "env joint"]  # the raw action in the teacher's environment
    action: Float[Array, "env joint"]  # the student's filtered action that this is
    memory: Any  # of the observation
