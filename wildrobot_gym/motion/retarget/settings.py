"""Settings of retargeting."""

from __future__ import annotations

from dataclasses import dataclass

from wildrobot_gym.errors import ConfigError


@dataclass(frozen=True)
class RetargetSettings:
    """Settings of `retarget`. The defaults scale a walk by its Froude number.

    Attributes:
        fps: Frame rate of the clip, in Hz.
        time_scale: Seconds of the robot for a second of the human. None is the square root of the
            ratio of the leg lengths. It keeps the Froude number v^2 / (g leg), and with it the
            balance between gravity and inertia. 1 keeps the human's time.
        stride: Factor on all horizontal paths, after scaling by leg length. Less than 1 gives
            shorter steps in the same time.
        max_turn_rate: Greatest rate of the heading, in rad/s. Where a human turns faster, the path
            bends less. This robot's hips cannot turn a standing foot, which slides when the base
            turns. Infinity keeps the human's turns.
        clearance: Least height of the swing foot's lowest corner in mid-swing, in m.
        heel_rise: Greatest pitch of a sole at lift-off, in rad.
        heel_strike: Greatest pitch of a sole at touchdown, in rad.
        max_joint_speed: Greatest joint speed in a swing, in rad/s. Stances follow the base.
        balance: Rounds of inverse dynamics that shift the base until the load is inside the soles.
            With 0 the base moves like a pendulum's mass.

    Raises:
        ConfigError: A value is out of range.
    """

    fps: float = 50.0
    time_scale: float | None = None
    stride: float = 1.0
    max_turn_rate: float = 0.3
    clearance: float = 0.025
    heel_rise: float = 0.8
    heel_strike: float = 0.3
    max_joint_speed: float = 8.0
    balance: int = 3

    def __post_init__(self) -> None:
        for name, low, high in (
            ("fps", 20.0, 500.0),
            ("stride", 0.05, 2.0),
            ("max_turn_rate", 0.0, float("inf")),
            ("clearance", 0.0, 0.1),
            ("heel_rise", 0.0, 1.2),
            ("heel_strike", 0.0, 0.6),
            ("max_joint_speed", 1.0, 50.0),
            ("balance", 0, 20),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"retarget.{name} is {value!r}; allowed: {low:g} to {high:g}.")
        if self.time_scale is not None and not 0.2 <= self.time_scale <= 5.0:
            raise ConfigError(
                f"retarget.time_scale is {self.time_scale!r};"
                " allowed: 0.2 to 5, or none for the Froude number's."
            )
