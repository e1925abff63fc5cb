"""Names of clips and of their mirror images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from wildrobot_gym.errors import MotionError

MIRRORED = "_mirrored"  # in a mirror image's name: at its end, or before what a variant adds


class Named(Protocol):
    """Something with the name and the metadata of a clip."""

    @property
    def name(self) -> str:
        """Name of the clip."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Anything else that is known of it."""


Clip = TypeVar("Clip", bound=Named)


def mirrored_name(name: str) -> str:
    """Return the name of the mirror image of a clip. The image of an image is the original."""
    return name.removesuffix(MIRRORED) if name.endswith(MIRRORED) else f"{name}{MIRRORED}"


def check_names(clips: Sequence[Named]) -> None:
    """Check that every clip has its own name, since reports refer to clips by name.

    Raises:
        MotionError: Two clips have the same name.
    """
    twice = [name for name, count in Counter(clip.name for clip in clips).items() if count > 1]
    if twice:
        raise MotionError(f"Several clips are called {twice[0]!r}; rename them.")


def without_images(clips: Sequence[Clip]) -> list[Clip]:
    """Return the clips without the mirror images of others among them.

    A caller that mirrors every clip would otherwise get both of them twice.
    """
    names = {clip.name for clip in clips}

    def is_image(clip: Named) -> bool:
        variant = clip.metadata.get("variant")
        # Of a clip and of its image with the same turn, neither is the image of the other.
        made = isinstance(variant, Mapping) and variant.get("mirrored")
        return (
            bool(made or clip.name.endswith(MIRRORED))
            and "".join(clip.name.rpartition(MIRRORED)[::2]) in names
        )

    return [clip for clip in clips if not is_image(clip)]
