"""Commands over time, drawn from a seed."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from wildrobot_gym.evaluation.suites.definition import Course, Row


def commands_of(
    row: Row, episodes: int, num_steps: int, control_dt: float, rng: np.random.Generator
) -> Float[np.ndarray, "time env 3"]:
    """The command of each control step.

    Args:
        row: The row.
        episodes: Its episodes.
        num_steps: Control steps of an episode.
        control_dt: Seconds between control steps.
        rng: Draws the commands of a course.
    """
    if isinstance(row.command, Course):
        of_each = [_course(row.command, num_steps, control_dt, rng) for _ in range(episodes)]
        return np.stack(of_each, axis=1)
    constant = np.array(row.command, np.float32)
    return np.tile(constant, (num_steps, episodes, 1))


def drawn_command(commands: Float[np.ndarray, "time 3"], control_dt: float) -> list[list[float]]:
    """The commands of an episode, each as the time in s at which it begins, vx, vy and yaw rate."""
    changed = np.flatnonzero((commands[1:] != commands[:-1]).any(axis=1)) + 1
    return [[float(t * control_dt), *map(float, commands[t])] for t in (0, *changed)]


def _course(
    course: Course, num_steps: int, control_dt: float, rng: np.random.Generator
) -> Float[np.ndarray, "time 3"]:
    """Commands of one episode."""
    commands = np.zeros((num_steps, 3), np.float32)
    last = max(num_steps - round(course.last_s / control_dt), 0)
    step = 0
    while step < last:
        end = min(step + max(1, round(rng.uniform(*course.interval_s) / control_dt)), last)
        commands[step:end] = _draw(course, rng)
        step = end
    commands[last:] = rng.uniform(course.vx[1] / 2, course.vx[1]), 0.0, 0.0
    return commands


def _draw(course: Course, rng: np.random.Generator) -> Float[np.ndarray, "3"]:
    """One command."""
    stops, sideways, turns = rng.uniform(size=3) < (course.stops, course.sideways, course.turns)
    vx, vy, yaw_rate = (rng.uniform(*part) for part in (course.vx, course.vy, course.yaw_rate))
    return np.array([vx, vy * sideways, yaw_rate * turns]) * (not stops)
