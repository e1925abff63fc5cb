"""The ground's heights: by hand, repeated, the same in NumPy, JAX and MuJoCo's height field."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest

from wildrobot_gym.config import build
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.terrain import Ground, TerrainConfig, make_ground

# A square meter with a corner at 0, 2, 1 and 5 dm: low x and y, high y, high x, both high.
SQUARE = Ground(np.array([[0.0, 0.2], [0.1, 0.5]]), cell=1.0)


def places(count: int = 500, within: float = 9.0) -> np.ndarray:
    return np.random.default_rng(0).uniform(-within, within, (count, 2))


@pytest.mark.parametrize(
    ("x", "y", "height"),
    [
        (0.0, 0.0, 0.0),
        (1.0, 0.0, 0.1),
        (0.0, 1.0, 0.2),
        (1.0, 1.0, 0.5),
        (0.5, 0.5, 0.25),  # on the diagonal between 0 and 5 dm
        (0.5, 0.25, 0.15),  # under it: 0.5 of the way to 1 dm, and 0.25 of the way from 1 to 5
        (0.25, 0.5, 0.175),  # over it: 0.5 of 2 dm, and 0.25 from 2 to 5
    ],
)
def test_heights_by_hand(x: float, y: float, height: float) -> None:
    assert SQUARE.height(np.array([x, y])) == pytest.approx(height)


def test_a_facet_is_the_plane_through_its_corners() -> None:
    height, dx, dy = SQUARE.facet(np.array([0.5, 0.25]))
    assert (height, dx, dy) == pytest.approx((0.15, 0.1, 0.4))
    height, dx, dy = SQUARE.facet(np.array([0.25, 0.5]))
    assert (height, dx, dy) == pytest.approx((0.175, 0.3, 0.2))


@pytest.mark.parametrize("kind", ["rough", "steps", "mixed"])
def test_the_ground_repeats_for_ever(kind: str) -> None:
    ground = make_ground(TerrainConfig(kind=kind, size=2.0))
    assert ground is not None and ground.size == pytest.approx(2.0)
    xy = places()
    for shift in ((2.0, 0.0), (0.0, -4.0), (-6.0, 2.0)):
        np.testing.assert_allclose(ground.height(xy + shift), ground.height(xy), atol=1e-9)


@pytest.mark.parametrize("kind", ["rough", "slope"])
def test_jax_and_numpy_agree(kind: str) -> None:
    ground = make_ground(TerrainConfig(kind=kind))
    assert ground is not None
    xy = places().astype(np.float32)
    for one, other in zip(ground.facet(xy), jax.jit(ground.facet)(jnp.asarray(xy)), strict=True):
        np.testing.assert_allclose(one, np.asarray(other), atol=2e-6)


def test_a_lost_simulation_gets_some_height() -> None:
    ground = make_ground(TerrainConfig(kind="rough"))
    assert ground is not None
    heights = ground.height(np.array([[np.nan, 0.0], [np.inf, 1.0], [1e30, -1e30]]))
    assert np.isfinite(heights).all() and heights.min() >= 0


def test_the_triangles_are_those_of_mujocos_height_fields() -> None:
    ground = Ground(np.random.default_rng(1).uniform(0, 0.1, (8, 8)), cell=0.5)
    closed = np.pad(ground.heights, (0, 1), mode="wrap")  # [x, y]; MuJoCo's rows are along y
    low, high = closed.min(), closed.max()
    spec = mujoco.MjSpec()
    data = ((closed.T - low) / (high - low)).ravel()
    spec.add_hfield(name="f", nrow=9, ncol=9, size=[2, 2, high - low, 0.1], userdata=data)
    spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_HFIELD, hfieldname="f", pos=[2, 2, low])
    model = spec.compile()
    state = mujoco.MjData(model)
    mujoco.mj_kinematics(model, state)
    for x, y in np.random.default_rng(2).uniform(0.01, 3.99, (200, 2)):
        hit = np.zeros(1, np.int32)
        down = mujoco.mj_ray(model, state, [x, y, 1.0], [0.0, 0.0, -1.0], None, 1, -1, hit)
        assert 1.0 - down == pytest.approx(float(ground.height(np.array([x, y]))), abs=1e-7)


# --- the kinds ---


def test_level_ground_is_none() -> None:
    assert make_ground(TerrainConfig()) is None


def test_rough_ground_fills_its_height_and_is_smooth() -> None:
    ground = make_ground(TerrainConfig(kind="rough", height=0.02, length=0.2))
    assert ground is not None
    heights = ground.heights
    assert 0 <= heights.min() < 0.001 and 0.019 < heights.max() <= 0.02
    # Between two random heights at most 0.02 m apart, the steepest rise of 3 t^2 - 2 t^3 is 1.5.
    steepest = np.abs(np.diff(heights, axis=0)).max() / ground.cell
    assert steepest <= 1.5 * 0.02 / 0.2 + 1e-6
    # Places with two random heights between them have nothing in common.
    apart = np.corrcoef(heights[:-16].ravel(), heights[16:].ravel())[0, 1]
    near = np.corrcoef(heights[:-1].ravel(), heights[1:].ravel())[0, 1]
    assert abs(apart) < 0.15 and near > 0.9


def test_steps_are_level_tiles_with_short_risers() -> None:
    ground = make_ground(TerrainConfig(kind="steps", height=0.008, length=0.2))
    assert ground is not None and ground.cell == pytest.approx(0.01)
    assert set(np.unique(ground.heights)) == {np.float32(0), np.float32(0.008)}
    tiles = ground.heights.reshape(40, 20, 40, 20)
    assert (tiles == tiles[:, :1, :, :1]).all()
    assert tiles[:, 0, :, 0].mean() == pytest.approx(0.004)  # half of them are up


def test_a_slope_rises_along_x_by_its_tangent() -> None:
    ground = make_ground(TerrainConfig(kind="slope", slope=np.deg2rad(5)))
    assert ground is not None and ground.is_plane
    assert ground.height(np.array([2.0, 7.0])) == pytest.approx(2.0 * 0.0874887, rel=1e-5)
    assert ground.height(np.array([-1.0, 0.0])) == pytest.approx(-0.0874887, rel=1e-5)


def test_mixed_ground_has_sixteen_squares_of_each_kind() -> None:
    config = TerrainConfig(kind="mixed", height=0.01, slope=np.deg2rad(5))
    ground = make_ground(config)
    assert ground is not None
    squares = ground.heights.reshape(4, 200, 4, 200).swapaxes(1, 2).reshape(16, 200, 200)
    top = np.tan(config.slope) * 1.0  # m; a square of 2 m rises over 1 m
    level = np.array([np.ptp(square) == 0 for square in squares])
    pyramid, pit = squares.max(axis=(1, 2)) > 0.9 * top, squares.min(axis=(1, 2)) < -0.9 * top
    steps = np.array([len(np.unique(square)) == 2 for square in squares])
    assert [level.sum(), pyramid.sum(), pit.sum(), steps.sum()] == [4, 2, 2, 4]
    assert not (level | pyramid | pit | steps).all()


def test_the_seed_makes_the_ground() -> None:
    grounds = [make_ground(TerrainConfig(kind="rough", seed=seed)) for seed in (0, 0, 1)]
    assert len({ground.digest for ground in grounds if ground is not None}) == 2
    np.testing.assert_array_equal(grounds[0].heights, grounds[1].heights)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "rogh"}, r"terrain.kind 'rogh'. Did you mean 'rough'\?.*mixed.*steps"),
        ({"height": 0.0}, r"terrain.height is 0.0; allowed: more than 0, up to 0.2 m"),
        ({"slope": 5.0}, r"terrain.slope is 5.0; allowed: more than 0, up to 0.5 rad"),
        ({"length": 0.01}, r"terrain.length is 0.01; allowed: 0.03 to 2 m"),
        ({"size": 0.3}, r"terrain.size is 0.3; allowed: 2 to 250 times terrain.length \(0.2 m\)"),
        ({"seed": -1}, r"terrain.seed is -1; allowed: a whole number, 0 or more"),
        ({"height": "high"}, r"terrain.height must be a number, got 'high'"),
    ],
)
def test_wrong_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(TerrainConfig, settings, "terrain")
