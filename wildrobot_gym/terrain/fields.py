"""The heights of each kind of ground."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from wildrobot_gym.terrain.config import TerrainConfig
from wildrobot_gym.terrain.ground import Ground

RISER = 0.01  # m; a step rises over so long a way
POINTS = 8  # of the grid between two random heights of rough ground
SQUARES = 4  # of mixed ground, along each side of what repeats
Heights = Float[np.ndarray, "n n"]


def make_ground(config: TerrainConfig) -> Ground | None:
    """The ground that the settings describe; the same for the same settings.

    Returns:
        The ground, or None for the level floor of the robot's own model.
    """
    if config.kind == "flat":
        return None
    if config.kind == "slope":
        return Ground(np.zeros((1, 1), np.float32), config.size, config.slope)
    rng = np.random.default_rng(config.seed)
    pieces = round(config.size / config.length)
    if config.kind == "rough":
        heights = _bumps(rng, config.height, pieces, pieces * POINTS)
    elif config.kind == "steps":
        points = pieces * max(2, round(config.length / RISER))
        heights = _tiles(rng, config.height, pieces, points)
    else:
        heights = _squares(rng, config, pieces)
    return Ground(heights.astype(np.float32), config.size / len(heights))


def _bumps(rng: np.random.Generator, height: float, pieces: int, points: int) -> Heights:
    """Random heights, and smooth ground between them that is level at each."""
    place = np.arange(points) * (pieces / points)
    first = place.astype(int)
    part = place - first
    part = part * part * (3 - 2 * part)
    weights = np.zeros((points, pieces))
    weights[np.arange(points), first] = 1 - part
    weights[np.arange(points), (first + 1) % pieces] = part
    return weights @ rng.uniform(0, height, (pieces, pieces)) @ weights.T


def _tiles(rng: np.random.Generator, height: float, pieces: int, points: int) -> Heights:
    """Level tiles, half of them a step higher than the others."""
    of_tile = np.arange(points) * pieces // points
    tiles = rng.permutation(np.arange(pieces * pieces) % 2).reshape(pieces, pieces)
    return height * tiles[np.ix_(of_tile, of_tile)].astype(float)


def _squares(rng: np.random.Generator, config: TerrainConfig, pieces: int) -> Heights:
    """Squares of level, rough and stepped ground, of pyramids and of pits.

    A quarter of the squares are pyramids or pits, which have their slopes on four sides.
    """
    points = round(config.size / RISER)
    bumps = _bumps(rng, config.height, pieces, points)
    tiles = _tiles(rng, config.height, pieces, points)
    place = np.arange(points) * (SQUARES / points)
    inside = np.minimum(place % 1, 1 - place % 1) * config.size / SQUARES  # m from the border
    pyramid = np.tan(config.slope) * np.minimum.outer(inside, inside)
    kinds = np.stack([np.zeros_like(bumps), bumps, tiles, pyramid, -pyramid])
    # Of sixteen squares four each are level, rough, stepped and sloping; half of the last are pits.
    order = rng.permutation(np.repeat([0, 1, 2, 3, 4], [4, 4, 4, 2, 2]))
    of_square = place.astype(int)
    choice = order.reshape(SQUARES, SQUARES)[np.ix_(of_square, of_square)]
    return np.take_along_axis(kinds, choice[None], axis=0)[0]
