"""What a user may choose about retargeting."""

from __future__ import annotations

from dataclasses import dataclass

from wildrobot_gym.errors import ConfigError


@dataclass(frozen=True)
class RetargetSettings:
    """Settings of `retarget`; the defaults are a walk scaled by Froude number.

    Attributes:
        fps: frames a second of the clip.
        time_scale: seconds of the robot for a second of the human. None: the square root of the leg lengths' ratio, so
            that the Froude number v^2 / (g leg) and with it the balance between gravity and inertia stay; 1: unwarped.
        stride: factor on all horizontal paths, beside the scale by leg length: shorter steps in the same time.
        clearance: m that the swing foot's lowest corner rises to at least, in mid-swing.
        heel_rise, heel_strike: greatest pitch of a sole at lift-off and at touchdown, rad; the human's where that is less.
        max_joint_speed: rad/s that a swing keeps to; stances go as the base does.
        balance: rounds of inverse dynamics that shift the base until the load lies inside the soles; with 0 the base moves as
            a pendulum's mass would.
    """

    fps: float = 50.0
    time_scale: float | None = None
    stride: float = 1.0
    clearance: float = 0.025
    heel_rise: float = 0.8
    heel_strike: float = 0.3
    max_joint_speed: float = 8.0
    balance: int = 3

    def __post_init__(self) -> None:
        for name, low, high in (
            ("fps", 20.0, 500.0),
            ("stride", 0.05, 2.0),
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
                f"retarget.time_scale is {self.time_scale!r}; allowed: 0.2 to 5, or none for the Froude number's."
            )
