"""Videos of a policy."""

from __future__ import annotations

from wildrobot_gym.errors import ConfigError


def check_seconds(seconds: float) -> None:
    """Raise ConfigError for a video of no length, or of more than an hour."""
    if not 0 < seconds <= 3600:
        raise ConfigError(f"seconds is {seconds}; allowed: more than 0, at most 3600.")
