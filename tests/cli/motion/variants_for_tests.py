"""Track settings that keep the tests of the motion commands short."""

from __future__ import annotations

from wildrobot_gym.motion.tracking import TrackSettings


def few_variants() -> TrackSettings:
    """Return settings with few variants, which are performed quickly."""
    return TrackSettings(warps=(1.0,), turns=(0.0,), loops=("cycle",))
