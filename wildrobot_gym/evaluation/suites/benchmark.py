"""Runs policies through the suites of the benchmark."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from wildrobot_gym.config import build, to_dict
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.evaluation.benchmark import evaluation_settings
from wildrobot_gym.evaluation.protocol import EPISODES, SEED, check_protocol
from wildrobot_gym.evaluation.recording import Policy, record
from wildrobot_gym.evaluation.suites.definition import Course, Row, Suite
from wildrobot_gym.evaluation.suites.metrics import row_metrics
from wildrobot_gym.evaluation.suites.results import RowResult, SuiteResult
from wildrobot_gym.evaluation.suites.scripts import commands_of, drawn_command
from wildrobot_gym.evaluation.suites.starts import unsettled_starts
from wildrobot_gym.physics.backends import AUTO, resolve_backend
from wildrobot_gym.task.config import EnvConfig, ObservationConfig


def row_settings(env_kwargs: Mapping[str, Any], row: Row) -> dict[str, Any]:
    """Settings of the environment of a row.

    Args:
        env_kwargs: Environment settings that the policy was trained with.
        row: The row, whose own settings come on top of those that define the policy.
    """
    settings = evaluation_settings(env_kwargs) | dict(row.env)
    if row.sensors:
        observation = build(ObservationConfig, settings.get("observation"), "observation")
        sensors: dict[str, Any] = to_dict(observation)["sensors"]
        for name in observation.channels:
            if name in row.sensors:
                sensors[name] = sensors.get(name, {}) | dict(row.sensors[name])
        settings["observation"] = to_dict(observation) | {"sensors": sensors}
    return settings


class SuiteBenchmark:
    """Runs policies through suites, and keeps the environments, which compile once.

    Args:
        env_kwargs: Environment settings that the policies were trained with.
        episodes: Episodes of each row.
        seed: Random seed of all that is drawn.
        backend: Physics engine, see `resolve_backend`.

    Raises:
        ConfigError: A setting is wrong.

    Example:
        >>> with contextlib.closing(SuiteBenchmark(episodes=2)) as benchmark:
        ...     benchmark.run(STAND, policy).passed
    """

    def __init__(
        self,
        env_kwargs: Mapping[str, Any] | None = None,
        episodes: int = EPISODES,
        seed: int = SEED,
        backend: str = AUTO,
    ) -> None:
        check_protocol((0.0,), episodes, seed=seed)
        self.episodes, self.seed = episodes, seed
        self.backend = resolve_backend(backend)
        self._env_kwargs = dict(env_kwargs or {})
        self._envs: dict[str, WildRobotVectorEnv] = {}
        self._open = ExitStack()

    def num_steps(self, row: Row) -> int:
        """Control steps of an episode of a row."""
        return round(row.duration_s / self._env_kwargs.get("control_dt", EnvConfig.control_dt))

    def work(self, suite: Suite) -> int:
        """Control steps of all environments that a suite takes, where no robot falls."""
        return sum(self.num_steps(row) * self.episodes for row in suite.rows)

    def run(
        self, suite: Suite, policy: Policy, on_step: Callable[[int], Any] | None = None
    ) -> SuiteResult:
        """Run all episodes of a suite. Rows of equal settings run as one batch.

        Args:
            suite: The suite.
            policy: Maps observations (env, obs) to actions (env, joint).
            on_step: Called after each control step with the number of environments.
        """
        batches: dict[str, list[Row]] = {}
        for row in suite.rows:
            batches.setdefault(self._key(row), []).append(row)
        results: dict[str, RowResult] = {}
        for rows in batches.values():
            results |= {result.row.name: result for result in self._run(rows, policy, on_step)}
        return SuiteResult(
            suite, self.episodes, self.seed, tuple(results[row.name] for row in suite.rows)
        )

    def close(self) -> None:
        """Free the environments."""
        self._open.close()

    def _run(
        self, rows: Sequence[Row], policy: Policy, on_step: Callable[[int], Any] | None
    ) -> list[RowResult]:
        """The episodes of rows that run as one batch."""
        env, num_steps = self._env(rows), self.num_steps(rows[0])
        robot, control_dt = env.robot, env.config.control_dt
        rng = np.random.default_rng(self.seed)
        scripts = [commands_of(row, self.episodes, num_steps, control_dt, rng) for row in rows]
        # Speeds are WildRobot's: other legs get those of the same Froude number.
        scale = np.array([robot.speed_scale, robot.speed_scale, 1.0], np.float32)
        scripts = [script * scale for script in scripts]
        draws: dict[str, np.ndarray] = {}
        start = None
        if unsettled := rows[0].start:
            qpos, qvel, draws = unsettled_starts(robot, unsettled, env.num_envs, rng)
            start = (qpos, qvel)
        recording = record(
            env,
            policy,
            np.concatenate(scripts, axis=1),
            num_steps,
            self.seed,
            None if on_step is None else (lambda *_: on_step(env.num_envs)),
            start,
            until_all_fell=True,
        )
        draws = draws | env.randomization
        results = []
        for index, (row, script) in enumerate(zip(rows, scripts, strict=True)):
            which = slice(index * self.episodes, (index + 1) * self.episodes)
            metrics = row_metrics(recording.envs(which), script, robot, control_dt)
            drawn: dict[str, Any] = {name: values[which] for name, values in draws.items()}
            if "terrain" in row.env:
                drawn["start_position"] = recording.base_pos_w[0, which, :2]
                drawn["start_heading"] = recording.yaw[0, which]
            if isinstance(row.command, Course):
                drawn["command"] = [drawn_command(of, control_dt) for of in script.swapaxes(0, 1)]
            results.append(RowResult(row, metrics, drawn))
        return results

    def _env(self, rows: Sequence[Row]) -> WildRobotVectorEnv:
        """The environment of a batch; a finished episode stays finished."""
        settings, num_steps = row_settings(self._env_kwargs, rows[0]), self.num_steps(rows[0])
        num_envs = self.episodes * len(rows)
        key = json.dumps([settings, num_envs, num_steps], sort_keys=True, default=str)
        if key not in self._envs:
            env = WildRobotVectorEnv(
                num_envs,
                num_steps,
                backend=self.backend,
                autoreset_mode=AutoresetMode.DISABLED,
                **settings,
            )
            self._envs[key] = self._open.enter_context(closing(env))
        return self._envs[key]

    def _key(self, row: Row) -> str:
        """Equal for rows that can run as one batch."""
        settings = row_settings(self._env_kwargs, row)
        return json.dumps([settings, row.duration_s, repr(row.start)], sort_keys=True, default=str)
