"""The commands of `wildrobot motion` by name."""

from __future__ import annotations

from typing import Any

from wildrobot_gym.cli.motion.analyze import analyze
from wildrobot_gym.cli.motion.build import build
from wildrobot_gym.cli.motion.check_features import check_features
from wildrobot_gym.cli.motion.harness import harness
from wildrobot_gym.cli.motion.loop import loop
from wildrobot_gym.cli.motion.perform import perform
from wildrobot_gym.cli.motion.play import play
from wildrobot_gym.cli.motion.probe import probe
from wildrobot_gym.cli.motion.retarget import retarget
from wildrobot_gym.cli.motion.select import select
from wildrobot_gym.cli.motion.track import track

COMMANDS: dict[str, Any] = {
    "build": build,
    "retarget": retarget,
    "loop": loop,
    "track": track,
    "perform": perform,
    "select": select,
    "analyze": analyze,
    "harness": harness,
    "check-features": check_features,
    "probe": probe,
    "play": play,
}
