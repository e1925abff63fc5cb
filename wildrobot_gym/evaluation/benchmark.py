"""The walk benchmark, version 1: one protocol for every policy and every backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from wildrobot_gym.config import EnvConfig, TerminationConfig, to_dict
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.evaluation.intervals import mean_interval
from wildrobot_gym.evaluation.metrics import Figures, episode_figures
from wildrobot_gym.evaluation.recording import Policy, Recording, record
from wildrobot_gym.robot import RobotModel

PROTOCOL = "walk-1"
COMMANDS = (0.2, 0.4, 0.6, 0.8, 1.0)  # m/s forward
EPISODES = 64  # for each command
DURATION_S = 10.0
SEED = 20261

# Of a run's environment settings, those that define what the policy is; all else is the benchmark's default.
POLICY_SETTINGS = ("robot", "control_dt", "features", "action")
ROBOT_HEIGHTS = (
    "min_height",
    "max_height",
)  # of `termination`: the run's own, where the robot stands outside the default's


def evaluation_settings(env_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of the benchmark's environment for a policy that was trained with ``env_kwargs``."""
    settings = {name: env_kwargs[name] for name in POLICY_SETTINGS if name in env_kwargs}
    ends = env_kwargs.get("termination") or {}
    ends = ends if isinstance(ends, Mapping) else to_dict(ends)
    heights = {name: ends[name] for name in ROBOT_HEIGHTS if name in ends}
    usual = TerminationConfig()
    if (
        heights
        and not usual.min_height
        < RobotModel.load(settings.get("robot", EnvConfig.robot)).home_qpos[2]
        < usual.max_height
    ):
        settings["termination"] = heights
    return settings


def make_env(
    env_kwargs: Mapping[str, Any],
    num_envs: int,
    backend: str = "native",
    num_steps: int | None = None,
) -> WildRobotVectorEnv:
    """The benchmark's environment, of ``num_steps`` or of ``DURATION_S``: finished episodes stay finished."""
    settings = evaluation_settings(env_kwargs)
    if num_steps is None:
        num_steps = round(DURATION_S / settings.get("control_dt", EnvConfig().control_dt))
    return WildRobotVectorEnv(
        num_envs, num_steps, backend=backend, autoreset_mode=AutoresetMode.DISABLED, **settings
    )


def check_protocol(
    commands: Sequence[float], episodes: int, num_steps: int | None = None, seed: int = SEED
) -> None:
    """Raise ConfigError for numbers that no benchmark can be run with; ``num_steps`` None: of ``DURATION_S``."""
    if (
        not commands
        or not np.isfinite(commands).all()
        or len({f"{c:g}" for c in commands}) < len(commands)
    ):
        raise ConfigError(
            f"commands are {list(commands)}; allowed: one or more finite speeds in m/s, each once."
        )
    for name, value, low in (("episodes", episodes, 1), ("steps", num_steps, 1), ("seed", seed, 0)):
        if value is not None and value < low:
            raise ConfigError(f"{name} is {value}; allowed: a whole number, {low} or more.")


@dataclass(frozen=True)
class WalkResult:
    """Figures of every episode, by command, and what they were recorded from."""

    commands: tuple[float, ...]
    episodes: int
    seed: int
    figures: Figures  # (commands * episodes,), command by command
    recording: Recording
    robot: RobotModel
    control_dt: float

    def of_command(self, index: int) -> Figures:
        return {name: values[self._rows(index)] for name, values in self.figures.items()}

    def recording_of(self, index: int) -> Recording:
        """What the episodes of one command were recorded as."""
        return self.recording.envs(self._rows(index))

    def _rows(self, index: int) -> slice:
        return slice(index * self.episodes, (index + 1) * self.episodes)

    def to_json(self) -> dict[str, Any]:
        """Means with 95 % bootstrap intervals, for each command and overall."""
        by_command = {
            f"{command:g}": {
                name: mean_interval(values) for name, values in self.of_command(i).items()
            }
            for i, command in enumerate(self.commands)
        }
        return {
            "protocol": PROTOCOL,
            "robot": self.robot.name,
            "episodes_per_command": self.episodes,
            "steps": self.recording.num_steps,
            "seed": self.seed,
            "commands": by_command,
            "overall": {name: mean_interval(values) for name, values in self.figures.items()},
        }


class WalkBenchmark:
    """Runs policies through the protocol; keeps its environment, so that repeated use compiles once.

    Args:
        env_kwargs: the settings a policy was trained with; taken are those of :func:`evaluation_settings`.
        commands, episodes, num_steps, seed: the protocol's own by default; anything else is not comparable.

    Raises:
        ConfigError: as :func:`check_protocol`.
    """

    def __init__(
        self,
        env_kwargs: Mapping[str, Any] | None = None,
        commands: Sequence[float] = COMMANDS,
        episodes: int = EPISODES,
        num_steps: int | None = None,
        seed: int = SEED,
        backend: str = "native",
    ) -> None:
        check_protocol(commands, episodes, num_steps, seed)
        self.commands = tuple(float(c) for c in commands)
        self.episodes, self.seed = episodes, seed
        self.env = make_env(env_kwargs or {}, len(self.commands) * episodes, backend, num_steps)
        self.num_steps = self.env.task.max_episode_steps

    def run(self, policy: Policy, on_step: Callable[[int], Any] | None = None) -> WalkResult:
        """All episodes of all commands as one batch; ``on_step(step)`` is for progress."""
        command_vx = np.repeat(np.array(self.commands, np.float32), self.episodes)
        commands = np.stack(
            [command_vx, np.zeros_like(command_vx), np.zeros_like(command_vx)], axis=1
        )
        hook = None if on_step is None else (lambda step, _: on_step(step))
        recording = record(self.env, policy, commands, self.num_steps, self.seed, hook)
        control_dt = self.env.config.control_dt
        figures = episode_figures(recording, command_vx, self.env.robot, control_dt)
        return WalkResult(
            self.commands, self.episodes, self.seed, figures, recording, self.env.robot, control_dt
        )

    def close(self) -> None:
        self.env.close()
