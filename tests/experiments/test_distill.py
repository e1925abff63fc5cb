"""A student that learns from a tracking policy."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest

import wildrobot_gym as wr
from amp_sbx import AMPPPO
from amp_sbx.algorithm.cloning import CloningConfig
from wildrobot_gym.cli.main import main
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.experiments.distill import Lesson
from wildrobot_gym.experiments.settings import DistillSettings
from wildrobot_gym.training.config import load
from wildrobot_gym.training.model import make_model, make_reference, make_vec_env, start_from
from wildrobot_gym.training.reference import env_config

SMALL = ("policy_kwargs.net_arch={pi: [16], vf: [16]}", "env_kwargs.backend=native")
STUDENT = (
    *SMALL,
    "env_kwargs.observation={channels: [joint_offset, gyro, gravity, command, action, clock]}",
)


def policy(path: Path, config: str, *overrides: str) -> AMPPPO:
    run = load(config, (*SMALL, *overrides))
    env = make_vec_env(run, num_envs=1)
    model = make_model(run, env, make_reference(run, env))
    model.save(path)
    env.close()
    return model


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tracking policy that adds nothing to its clips yet."""
    path = tmp_path_factory.mktemp("teacher") / "teacher.zip"
    policy(path, "track", "env_kwargs.reference=walk")
    return path


@pytest.fixture
def lesson(teacher: Path) -> Lesson:
    settings = DistillSettings(teacher=str(teacher), reference="walk", num_envs=6, noise=0.0)
    run = load("walk_amp", STUDENT)
    env = make_vec_env(run, num_envs=1)
    student = make_model(run, env, make_reference(run, env))
    return Lesson(student, env_config(env), settings)


def moved(lesson: Lesson, students: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joint targets of one step: what the robots got, the teacher wanted, the student asked for."""
    choices = []
    decide = lesson._decide
    lesson._decide = lambda *a: choices.append(decide(*a)) or choices[-1]  # type: ignore[assignment]
    lesson._settings = dataclasses.replace(lesson._settings, steps=2)
    lesson.round(float(students), [], [])
    choice, before = choices[1], choices[0].action
    own, actor = lesson._of_student, lesson._student.policy.actor_state
    asked = actor.apply_fn(actor.params, choice.seen).mode()
    target = jax.vmap(lambda filtered: own.targets(own.home, filtered))
    after = jax.vmap(own.filtered)
    done, wanted = target(choice.action), target(after(before, choice.wanted))
    return tuple(np.asarray(x) for x in (done, wanted, target(after(before, asked))))  # type: ignore[return-value]


def test_what_the_teacher_wants_is_what_it_does(lesson: Lesson) -> None:
    done, wanted, _ = moved(lesson, students=False)
    np.testing.assert_allclose(done, wanted, atol=2e-3)


def test_the_student_moves_the_robot(lesson: Lesson) -> None:
    """As far as the teacher's environment lets it: within its scale of the clip's targets."""
    done, wanted, asked = moved(lesson, students=True)
    near = np.abs(asked - wanted) < 0.05
    assert near.mean() > 0.1
    np.testing.assert_allclose(done[near], asked[near], atol=2e-2)
    assert np.abs(done - wanted).max() > 0.02


def test_a_student_is_a_policy_to_continue_from(
    teacher: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "student.zip"
    size = ("--rounds", "2", "--num-envs", "8", "--steps", "12")
    given = ("--teacher", str(teacher), "--reference", "walk", "--out", str(out), *size)
    command = ["distill", "walk_amp", *given, "--set", *STUDENT]
    assert main(command) == 0
    printed = " ".join("".join(capsys.readouterr()).split())
    assert "round 2 of 2" in printed
    student = wr.load_policy(out)
    env = student.make_env()
    obs, _ = env.reset(seed=0)
    assert env.action_space.contains(np.asarray(student(obs[None]))[0])
    env.close()
    assert main(command) == 2  # it exists
    run = load("walk_amp", (*STUDENT, f"trained_agent={out}"))
    env = make_vec_env(run, num_envs=1)
    model = make_model(run, env, make_reference(run, env))
    start_from(model, str(out), env)
    env.close()
    taught = AMPPPO.load(out).policy.actor_state.params
    jax.tree.map(np.testing.assert_array_equal, model.policy.actor_state.params, taught)


def test_a_student_comes_closer_to_its_teacher(lesson: Lesson) -> None:
    student, seen, wanted = lesson._student, [], []
    lesson._settings = dataclasses.replace(lesson._settings, steps=30)
    lesson.round(0.0, seen, wanted)
    observations, actions = np.concatenate(seen), np.concatenate(wanted)

    def error() -> float:
        actor = student.policy.actor_state
        done = actor.apply_fn(actor.params, observations).mode()
        return float(np.sqrt(np.mean(np.square(done - actions))))

    before = error()
    student.clone_behavior(observations, actions, CloningConfig(steps=400, noise=0.0))
    assert error() < 0.7 * before


def test_teachers_and_settings_that_do_not_fit(
    teacher: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", str(tmp_path / "student.zip"), "--reference", "walk")
    assert main(["distill", "walk_amp", "--teacher", "walk", *out]) == 2
    assert "WildRobotTrack-v0" in capsys.readouterr().err
    other = ("--set", "env_kwargs.robot=wildrobot_8dof", "env_kwargs.reference=walk_8dof")
    other += ("amp.reference=walk_8dof",)
    assert main(["distill", "walk_amp", "--teacher", str(teacher), *out, *other]) == 2
    assert "wildrobot_8dof" in capsys.readouterr().err
    assert main(["distill", "track", "--teacher", str(teacher), *out]) == 2
    assert "WildRobot-v0" in capsys.readouterr().err
    slow = ("--set", "env_kwargs.control_dt=0.04")
    assert main(["distill", "walk_amp", "--teacher", str(teacher), *out, *slow]) == 2
    assert "0.04 s" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="rounds is 0"):
        DistillSettings(teacher="x", reference="walk", rounds=0)
    with pytest.raises(ConfigError, match="noise is 2"):
        DistillSettings(teacher="x", reference="walk", noise=2)
