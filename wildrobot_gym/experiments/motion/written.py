"""What the commands that write clips return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.mining import MiningReport


@dataclass(frozen=True)
class WrittenClips:
    """A reference file that was written.

    Attributes:
        path: The file.
        clips: Its clips.
        skipped: Reason for each input that was left out, by name.
    """

    path: Path
    clips: Sequence[MotionClip]
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def motions(self) -> set[str]:
        """Names of the motions that the clips are of."""
        return {clip.motion_id for clip in self.clips}

    @property
    def seconds(self) -> float:
        """Duration of all clips together, in seconds."""
        return sum(clip.seconds for clip in self.clips)


@dataclass(frozen=True)
class MinedDataset(WrittenClips):
    """A dataset of segments that pass the quality gates.

    Attributes:
        report: What became of each clip.
        features: The file of AMP features, if one was written.
    """

    report: MiningReport = field(kw_only=True)
    features: Path | None = field(default=None, kw_only=True)


def require_clips(clips: Sequence[MotionClip], verb: str) -> None:
    """Raise MotionError if there are no clips left to work on."""
    if not clips:
        raise MotionError(f"There is no clip to {verb}.")
