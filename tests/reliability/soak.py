"""Steps and learns for long, and looks at what grows: `make soak MINUTES=60`, on Linux."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import gymnasium as gym
import jax
import numpy as np
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.callbacks import BaseCallback

import wildrobot_gym  # noqa: F401  registers the environments
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.model import make_model, make_reference, make_vec_env

MOST_GROWTH = 0.01  # of the memory, from the middle to the end
_COMPILED = "/jax/core/compile/backend_compile_duration"
_compilations = [0]


def _count(event: str, duration: float, **_: object) -> None:
    _compilations[0] += event == _COMPILED


jax.monitoring.register_event_duration_secs_listener(_count)


@dataclass
class Course:
    """What a process had over time, in rows: memory (bytes), files, threads, compilations."""

    rows: list[tuple[int, ...]] = field(default_factory=list)

    def look(self) -> None:
        """Add a row."""
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        files, threads = (len(os.listdir(f"/proc/self/{name}")) for name in ("fd", "task"))
        memory = pages * os.sysconf("SC_PAGE_SIZE")
        self.rows.append((memory, files, threads, _compilations[0]))

    def faults(self) -> list[str]:
        """What grew in the second half, in words."""
        half = np.array(self.rows[len(self.rows) // 2 :])
        memory, *counts = half.T
        # Peaks of the half's last and first tenth: single values go up and down.
        tenth = max(1, len(half) // 10)
        growth = memory[-tenth:].max() / memory[:tenth].max() - 1
        found = [f"memory grew by {growth:.2%}"] if growth > MOST_GROWTH else []
        names = ("open files", "threads", "compilations")
        for name, count in zip(names, counts, strict=True):
            if count[-1] > count[0]:
                found.append(f"{count[-1] - count[0]} more {name}")
        return found

    def __str__(self) -> str:
        first, middle, last = (self.rows[i] for i in (0, len(self.rows) // 2, -1))
        memory = " | ".join(f"{row[0] / 2**20:,.1f}" for row in (first, middle, last))
        counts = " | ".join(f"{row[i]}" for i in (1, 2, 3) for row in (middle, last))
        return f"{memory} | {counts}"


class _Watch(BaseCallback):
    def __init__(self, course: Course, seconds: float) -> None:
        super().__init__()
        self._course, self._end = course, time.monotonic() + seconds

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        self._course.look()
        if time.monotonic() > self._end:
            raise StopIteration


@contextlib.contextmanager
def learner(*settings: str) -> Iterator[object]:
    """The algorithm of the default recipe, with its environments."""
    config = run_config.load("walk_amp", settings).on_this_machine()
    env = make_vec_env(config)
    try:
        yield make_model(config, env, make_reference(config, env))
    finally:
        env.close()


def learning(minutes: float, num_envs: int) -> Course:
    """Learn for so long by the default recipe."""
    course = Course()
    batch = num_envs * 24 // 4
    settings = f"n_envs={num_envs}", f"batch_size={batch}"
    with learner(*settings) as model, contextlib.suppress(StopIteration):
        model.learn(10**12, _Watch(course, minutes * 60))
    return course


def stepping(minutes: float, num_envs: int) -> Course:
    """Step the environments for so long, with drawn actions."""
    course, rng = Course(), np.random.default_rng(0)
    mode = {"autoreset_mode": AutoresetMode.SAME_STEP}
    env = gym.make_vec("WildRobot-v0", num_envs, vectorization_mode="vector_entry_point", **mode)
    env.reset(seed=0)
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        for _ in range(50):
            env.step(rng.uniform(-1, 1, env.action_space.shape).astype(np.float32))
        course.look()
    env.close()
    return course


def making(times: int) -> Course:
    """Make, reset and close environments so many times."""
    course = Course()
    for number in range(times):
        env = gym.make("WildRobot-v0")
        env.reset(seed=number)
        env.close()
        vector = gym.make_vec("WildRobot-v0", 4, vectorization_mode="vector_entry_point")
        vector.reset(seed=number)
        vector.close()
        del env, vector
        gc.collect()
        course.look()
    return course


def learning_again(times: int) -> Course:
    """Make an algorithm and let it learn so many times in one process."""
    course = Course()
    for _ in range(times):
        with learner("n_envs=32", "batch_size=192") as model:
            model.learn(2 * 24 * 32)
        del model
        gc.collect()
        course.look()
    return course


def main() -> int:
    """Run all, print a table, and give 1 where something grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=60.0, help="of learning")
    parser.add_argument("--envs", type=int, default=1024)
    parser.add_argument("--make", type=int, default=500, help="environments made and closed")
    parser.add_argument("--learn", type=int, default=20, help="calls of learn")
    arguments = parser.parse_args()
    courses = {
        f"learning, {arguments.minutes:g} min": lambda: learning(arguments.minutes, arguments.envs),
        f"stepping, {arguments.minutes / 6:g} min": lambda: stepping(
            arguments.minutes / 6, arguments.envs
        ),
        f"make, reset, close, {arguments.make} times": lambda: making(arguments.make),
        f"learn, {arguments.learn} times": lambda: learning_again(arguments.learn),
    }
    print(
        "| | MB, first | middle | last | files, middle | last | threads, middle | last"
        " | compilations, middle | last |"
    )
    print("|---" * 10 + "|")
    faults = 0
    for name, run in courses.items():
        course = run()
        print(f"| {name} | {course} |", flush=True)
        for fault in course.faults():
            print("   ", fault)
            faults += 1
    print(f"{faults} faults")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
