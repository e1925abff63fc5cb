"""`wildrobot motion build`."""

from __future__ import annotations

import tyro

from wildrobot_gym.experiments.motion.settings import BuildSettings


def build(settings: tyro.conf.OmitArgPrefixes[BuildSettings], force: bool = False) -> int:
    """Make walks in all directions with the gait generator.

    Args:
        settings: The walks and their file.
        force: Overwrite the file if it exists.
    """
    from wildrobot_gym.experiments.motion.build import build_walks

    print(f"Wrote {build_walks(settings, overwrite=force).path}")
    return 0
