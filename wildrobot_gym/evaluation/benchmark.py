"""The walk benchmark, version 1: one protocol for every policy and every physics engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from wildrobot_gym.config import build, to_dict
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.evaluation.intervals import mean_interval
from wildrobot_gym.evaluation.metrics import Metrics, episode_metrics
from wildrobot_gym.evaluation.protocol import (
    COMMANDS,
    DURATION_S,
    EPISODES,
    PROTOCOL,
    SEED,
    check_protocol,
)
from wildrobot_gym.evaluation.recording import Policy, Recording, record
from wildrobot_gym.physics.backends import AUTO, resolve_backend
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import (
    EnvConfig,
    ObservationConfig,
    SensorConfig,
)

# The settings of a run's environment that define its policy. The benchmark sets all others.
POLICY_SETTINGS = ("robot", "control_dt", "features", "action", "observation")
# Of `commands`: they are part of what the policy observes.
COMMAND_SETTINGS = ("acceleration", "heading_gain", "heading_limit")
# Of `termination`: taken from the run if its robot stands outside the default heights.
ROBOT_HEIGHTS = ("min_height", "max_height")


def evaluation_settings(env_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of the benchmark's environment for a policy.

    Args:
        env_kwargs: Environment settings that the policy was trained with.

    Returns:
        Those that define the policy. Sensors are exact, whatever noise it was trained with. A robot
        that stands higher or lower than the default termination allows keeps its own heights.
    """
    settings = {name: env_kwargs[name] for name in POLICY_SETTINGS if name in env_kwargs}
    if "observation" in settings:
        settings["observation"] = _exact(settings["observation"])
    if commands := _some(_section(env_kwargs, "commands"), COMMAND_SETTINGS):
        settings["commands"] = commands
    heights = _some(_section(env_kwargs, "termination"), ROBOT_HEIGHTS)
    if heights:
        robot = RobotModel.load(settings.get("robot", EnvConfig.robot))
        if not robot.lowest_height < robot.home_qpos[2] < robot.highest_height:
            settings["termination"] = heights
    return settings


def _section(env_kwargs: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A section of the settings as a plain mapping."""
    section = env_kwargs.get(name) or {}
    return dict(section if isinstance(section, Mapping) else to_dict(section))


def _some(section: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: section[name] for name in names if name in section}


def _exact(observation: Mapping[str, Any] | ObservationConfig) -> dict[str, Any]:
    """An observation without the errors of its sensors. Their factors stay."""
    config = build(ObservationConfig, observation, "env_kwargs.observation")
    scales = {name: sensor.scale for name, sensor in config.sensors.items()}
    sensors = {name: SensorConfig(scale=s) for name, s in scales.items() if s is not None}
    return to_dict(replace(config, sensors=sensors))


def make_env(
    env_kwargs: Mapping[str, Any],
    num_envs: int,
    backend: str = "native",
    num_steps: int | None = None,
) -> WildRobotVectorEnv:
    """Build the benchmark's environment. A finished episode stays finished.

    Args:
        env_kwargs: Environment settings that the policy was trained with.
        num_envs: Number of robots.
        backend: Physics engine.
        num_steps: Control steps of an episode; those of 10 s by default.
    """
    settings = evaluation_settings(env_kwargs)
    if num_steps is None:
        num_steps = round(DURATION_S / settings.get("control_dt", EnvConfig().control_dt))
    return WildRobotVectorEnv(
        num_envs, num_steps, backend=backend, autoreset_mode=AutoresetMode.DISABLED, **settings
    )


@dataclass(frozen=True, eq=False)
class WalkResult:
    """Metrics of every episode, command by command, and the recording they come from.

    Attributes:
        commands: Forward speeds, in m/s.
        episodes: Episodes for each command.
        seed: Random seed of the episodes.
        metrics: By name, an array (commands * episodes,), command by command.
        recording: All episodes, in the same order.
        robot: The robot.
        control_dt: Seconds between control steps.
        speed_scale: Speed that was commanded in place of 1 m/s, for the robot's legs.
    """

    commands: tuple[float, ...]
    episodes: int
    seed: int
    metrics: Metrics
    recording: Recording
    robot: RobotModel
    control_dt: float
    speed_scale: float = 1.0

    def of_command(self, index: int) -> Metrics:
        """Metrics of the episodes of one command."""
        return {name: values[self._rows(index)] for name, values in self.metrics.items()}

    def recording_of(self, index: int) -> Recording:
        """Recording of the episodes of one command."""
        return self.recording.envs(self._rows(index))

    def _rows(self, index: int) -> slice:
        return slice(index * self.episodes, (index + 1) * self.episodes)

    @cached_property
    def by_command(self) -> dict[float, dict[str, Any]]:
        """Mean and 95 % bootstrap interval of each metric, by the speed in m/s."""
        return {
            command: {name: mean_interval(values) for name, values in self.of_command(i).items()}
            for i, command in enumerate(self.commands)
        }

    @cached_property
    def overall(self) -> dict[str, Any]:
        """Mean and 95 % bootstrap interval of each metric, over all episodes."""
        return {name: mean_interval(values) for name, values in self.metrics.items()}

    def to_json(self) -> dict[str, Any]:
        """Protocol and intervals as JSON types."""
        return {
            "protocol": PROTOCOL,
            "robot": self.robot.name,
            "episodes_per_command": self.episodes,
            "steps": self.recording.num_steps,
            "seed": self.seed,
            "commands": {f"{command:g}": of for command, of in self.by_command.items()},
            "overall": self.overall,
        }


class WalkBenchmark:
    """Runs policies through the protocol and keeps its environment, which compiles once.

    Args:
        env_kwargs: Environment settings that the policies were trained with.
        commands: Forward speeds, in m/s. The protocol's own are WildRobot's: a robot with other
            legs is commanded the speeds of the same Froude number in their place.
        episodes: Episodes for each command.
        num_steps: Control steps of an episode; those of 10 s by default.
        seed: Random seed of the episodes.
        backend: Physics engine, see `resolve_backend`.

    Raises:
        ConfigError: A setting is wrong, see `check_protocol`.

    Example:
        >>> with contextlib.closing(WalkBenchmark(commands=(0.4,), episodes=2)) as benchmark:
        ...     benchmark.run(policy).overall["success"]["mean"]
    """

    def __init__(
        self,
        env_kwargs: Mapping[str, Any] | None = None,
        commands: Sequence[float] = COMMANDS,
        episodes: int = EPISODES,
        num_steps: int | None = None,
        seed: int = SEED,
        backend: str = AUTO,
    ) -> None:
        check_protocol(commands, episodes, num_steps, seed)
        self.commands = tuple(float(c) for c in commands)
        self.episodes, self.seed = episodes, seed
        self.backend = resolve_backend(backend)
        num_envs = len(self.commands) * episodes
        self.env = make_env(env_kwargs or {}, num_envs, self.backend, num_steps)
        self.num_steps = self.env.task.max_episode_steps
        own = self.commands == COMMANDS
        self.speed_scale = self.env.robot.speed_scale if own else 1.0

    def run(self, policy: Policy, on_step: Callable[[int], Any] | None = None) -> WalkResult:
        """Run all episodes of all commands as one batch.

        Args:
            policy: Maps observations (env, obs) to actions (env, joint).
            on_step: Called with the number of each control step.
        """
        speeds = np.array(self.commands) * self.speed_scale
        command_vx = np.repeat(speeds.astype(np.float32), self.episodes)
        zeros = np.zeros_like(command_vx)
        commands = np.stack([command_vx, zeros, zeros], axis=1)
        hook = None if on_step is None else (lambda step, _: on_step(step))
        recording = record(self.env, policy, commands, self.num_steps, self.seed, hook)
        control_dt = self.env.config.control_dt
        metrics = episode_metrics(recording, command_vx, self.env.robot, control_dt)
        return WalkResult(
            self.commands,
            self.episodes,
            self.seed,
            metrics,
            recording,
            self.env.robot,
            control_dt,
            self.speed_scale,
        )

    def close(self) -> None:
        """Free the environment."""
        self.env.close()
