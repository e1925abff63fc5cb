"""What a clip's file says beside its arrays, and the type of each entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from wildrobot_gym.config import build
from wildrobot_gym.errors import ConfigError, MotionError


@dataclass(frozen=True)
class _Description:
    """What `MotionClip.description` gives."""

    name: str
    robot: str
    fps: float
    joint_names: tuple[str, ...]
    command: tuple[float, ...]
    source: str
    licence: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class _Known:
    """Entries of `MotionClip.metadata` that are read."""

    motion_id: str | None = None
    score: float | None = None
    metrics: Mapping[str, float] | None = None


def read_description(description: Any, where: str) -> dict[str, Any]:
    """Check the entries of a `MotionClip.description`, and return them by name.

    Args:
        description: As a file has it.
        where: The file, for messages.

    Raises:
        MotionError: An entry is missing, unknown, or of another type.
    """
    try:
        about = build(_Description, description, "its description")
        known = {f.name for f in fields(_Known)} & about.metadata.keys()
        build(_Known, {name: about.metadata[name] for name in known}, "its metadata")
        if len(about.command) != 3:
            raise ConfigError(f"its command is {about.command}; allowed: vx, vy and yaw rate.")
    except (ConfigError, TypeError) as error:
        raise MotionError(f"{where}: the clip's description is damaged: {error}") from error
    return vars(about)
