"""Live plots as small pictures."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from wildrobot_gym.extras import require

SIZE = (420, 150)  # pixels
SPAN = 250  # control steps, 5 s
_LEGEND, _AXIS = 14, 44  # pixels of a legend's row and of the numbers at the left
COLORS = (
    (0, 114, 178),
    (213, 94, 0),
    (0, 138, 100),
    (181, 71, 139),
    (106, 79, 179),
    (138, 106, 0),
    (0, 127, 140),
    (107, 107, 107),
)
_INK, _RULE = (60, 64, 70), (214, 218, 222)


class StripChart:
    """The last seconds of some numbers as lines.

    Args:
        unit: Unit of the numbers.
        most: Number of lines; the ones with the greatest range are drawn.
    """

    def __init__(self, unit: str, most: int = len(COLORS)) -> None:
        self._unit, self._most = unit, most
        self._rows: deque[dict[str, float]] = deque(maxlen=SPAN)

    def add(self, values: Mapping[str, float]) -> None:
        """Append the numbers of one control step."""
        self._rows.append(dict(values))

    def clear(self) -> None:
        """Forget all numbers."""
        self._rows.clear()

    def lines(self) -> dict[str, np.ndarray]:
        """The chosen lines by name, (time,) each; NaN where a step lacks the number."""
        names = dict.fromkeys(name for row in self._rows for name in row)
        all_lines = {
            name: np.array([row.get(name, math.nan) for row in self._rows]) for name in names
        }
        spans = {name: float(np.nanmax(v) - np.nanmin(v)) for name, v in all_lines.items()}
        chosen = sorted(names, key=lambda name: -spans[name])[: self._most]
        return {name: all_lines[name] for name in names if name in chosen}

    def picture(self) -> np.ndarray:
        """The plot, (height, width, 3) uint8."""
        width, height = SIZE
        image = require("PIL.Image", "viz").new("RGB", SIZE, "white")
        draw = require("PIL.ImageDraw", "viz").Draw(image)
        lines = self.lines()
        if not lines:
            return np.asarray(image)
        low = min(float(np.nanmin(v)) for v in lines.values())
        high = max(float(np.nanmax(v)) for v in lines.values())
        if high - low < 1e-9:
            low, high = low - 0.5, high + 0.5
        top = _legend(draw, list(lines)) + 6
        for value in (low, high):
            y = _y(value, low, high, top, height)
            draw.line([(_AXIS, y), (width, y)], fill=_RULE)
            draw.text((2, min(max(y - 6, top - 6), height - 12)), f"{value:.3g}", fill=_INK)
        draw.text((2, (top + height) // 2 - 6), self._unit, fill=_INK)
        for number, values in enumerate(lines.values()):
            x = _AXIS + (np.arange(len(values)) + SPAN - len(values)) * (width - _AXIS) / SPAN
            points = [
                (float(a), _y(float(b), low, high, top, height))
                for a, b in zip(x, values, strict=True)
                if math.isfinite(b)
            ]
            if len(points) > 1:
                draw.line(points, fill=COLORS[number % len(COLORS)], width=2)
        return np.asarray(image)


def _y(value: float, low: float, high: float, top: int, height: int) -> float:
    return height - 5 - (value - low) / (high - low) * (height - 10 - top)


def _legend(draw: Any, names: list[str]) -> int:
    """Draw the lines' names; the height that they take."""
    x, y = _AXIS, 0
    for number, name in enumerate(names):
        length = int(draw.textlength(name)) + 22
        if x + length > SIZE[0] and x > _AXIS:
            x, y = _AXIS, y + _LEGEND
        draw.rectangle([x, y + 4, x + 9, y + 8], fill=COLORS[number % len(COLORS)])
        draw.text((x + 13, y), name, fill=_INK)
        x += length
    return y + _LEGEND
