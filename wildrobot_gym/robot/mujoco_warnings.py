"""MuJoCo's warnings as text, instead of a file MUJOCO_LOG.TXT in the working folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import mujoco

_log = logging.getLogger(__name__)


@contextmanager
def logged_warnings(about: str) -> Iterator[None]:
    """Log what MuJoCo warns of in this block, each text once.

    Args:
        about: What the block works on.
    """
    texts: dict[str, None] = {}
    before = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(lambda text: texts.setdefault(text))
    try:
        yield
    finally:
        mujoco.set_mju_user_warning(before)
        for text in texts:
            _log.warning("%s: MuJoCo warns: %s", about, text)
