"""The configs of both environments: the keyword arguments of `gym.make` are their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wildrobot_gym.config import check
from wildrobot_gym.task.channels import PRIVILEGED_CHANNELS
from wildrobot_gym.task.randomization.channels import drawn_channel_names
from wildrobot_gym.task.randomization.sections import DisturbanceConfig, check_randomization
from wildrobot_gym.task.rewards import RewardConfig
from wildrobot_gym.task.sections import (
    ActionConfig,
    CommandConfig,
    FeatureConfig,
    HistoryConfig,
    ObservationConfig,
    ObservationHistoryConfig,
    ResetConfig,
    SensorConfig,
    TerminationConfig,
    check_channels,
)
from wildrobot_gym.task.track_rewards import TrackRewardConfig
from wildrobot_gym.terrain import TerrainConfig

__all__ = [
    "ActionConfig",
    "CommandConfig",
    "DisturbanceConfig",
    "EnvConfig",
    "FeatureConfig",
    "HistoryConfig",
    "ObservationConfig",
    "ObservationHistoryConfig",
    "ResetConfig",
    "RewardConfig",
    "SensorConfig",
    "TerminationConfig",
    "TerrainConfig",
    "TrackActionConfig",
    "TrackEnvConfig",
    "TrackRewardConfig",
    "TrackTerminationConfig",
]

# What randomization draws of sensors, which only the walking task has.
SENSOR_TERMS = {"joint_zero", "imu_tilt", "imu_drift", "observation_delay", "stuck_switch"}


@dataclass(frozen=True)
class EnvConfig:
    """All settings of `WildRobot-v0`.

    Example:
        >>> EnvConfig(commands=CommandConfig(vx=(0.0, 0.6)))
    """

    robot: str = "wildrobot"
    """Name of a shipped robot, or a folder with its `robot.yaml`."""
    control_dt: float = 0.02
    """s; a whole number of physics steps."""
    observation: ObservationConfig = field(default_factory=ObservationConfig)
    privileged: tuple[str, ...] = ()
    """Channels that the critic sees besides the observation (`critic_obs` in the infos)."""
    features: FeatureConfig = field(default_factory=FeatureConfig)
    action: ActionConfig = field(default_factory=ActionConfig)
    commands: CommandConfig = field(default_factory=CommandConfig)
    terrain: TerrainConfig = field(default_factory=TerrainConfig)
    reset: ResetConfig = field(default_factory=ResetConfig)
    termination: TerminationConfig = field(default_factory=TerminationConfig)
    rewards: RewardConfig = field(default_factory=RewardConfig)
    randomization: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Range of each quantity that is drawn once an episode (`docs/guides/randomization.md`)."""
    randomization_fraction: float = 1.0
    """Fraction of the episodes in which they are drawn. In the others they are the model's own."""
    disturbances: DisturbanceConfig = field(default_factory=DisturbanceConfig)

    def __post_init__(self) -> None:
        check_randomization(self.randomization)
        fraction = self.randomization_fraction
        check(0 <= fraction <= 1, "randomization_fraction", fraction, "0 to 1")
        check(self.control_dt > 0, "control_dt", self.control_dt, "a positive time in s")
        drawn = drawn_channel_names(self.randomization, self.disturbances)
        check_channels("privileged", self.privileged, (*PRIVILEGED_CHANNELS, *drawn))


@dataclass(frozen=True)
class TrackActionConfig(ActionConfig):
    """The scaled action is added to the clip's own servo targets, in place of the home pose."""

    scale: float = 0.5


@dataclass(frozen=True)
class TrackTerminationConfig(TerminationConfig):
    """An episode also ends where the robot has lost its clip."""

    max_tilt: float | None = 0.8
    max_joint_error: float = 0.7
    """rad, root mean square over the joints."""

    def __post_init__(self) -> None:
        super().__post_init__()
        error = self.max_joint_error
        check(error > 0, "termination.max_joint_error", error, "a positive angle")


@dataclass(frozen=True)
class TrackEnvConfig(EnvConfig):
    """All settings of `WildRobotTrack-v0`.

    Those of `WildRobot-v0` with other defaults, and the horizon.
    """

    action: TrackActionConfig = field(default_factory=TrackActionConfig)
    termination: TrackTerminationConfig = field(default_factory=TrackTerminationConfig)
    rewards: TrackRewardConfig = field(default_factory=TrackRewardConfig)
    horizon: tuple[int, ...] = (1, 4, 8)
    """Control steps ahead that the observation shows of the clip."""

    def __post_init__(self) -> None:
        super().__post_init__()
        ahead = bool(self.horizon) and min(self.horizon) >= 1
        check(ahead, "horizon", self.horizon, "control steps, each 1 or more")
        seen = self.observation == ObservationConfig()
        check(
            seen, "observation", self.observation, "nothing: tracking has an observation of its own"
        )
        check(not self.privileged, "privileged", self.privileged, "nothing: tracking has none")
        measured = sorted(SENSOR_TERMS & set(self.randomization))
        check(not measured, "randomization", measured, "no sensor's terms: tracking reads exactly")
        own = self.commands == CommandConfig()
        check(own, "commands", self.commands, "nothing: a clip brings its own command")
        fraction = self.reset.reference_fraction
        check(
            fraction == 0,
            "reset.reference_fraction",
            fraction,
            "nothing: every episode begins in a frame of the clips",
        )
