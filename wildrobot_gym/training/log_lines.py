"""Log lines of the algorithm in a run's output."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from wildrobot_gym.reporting import Reporter


class _Forward(logging.Handler):
    def __init__(self, report: Reporter) -> None:
        super().__init__(logging.INFO)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        self._report.info(record.getMessage())


@contextmanager
def forwarded(logger: logging.Logger, report: Reporter) -> Iterator[None]:
    """Report what `logger` logs, from level INFO, while this is open."""
    handler, level = _Forward(report), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
