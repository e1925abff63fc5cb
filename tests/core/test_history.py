"""Windows of feature frames: order, stride, filling, and agreement of rollouts with clips."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wildrobot_gym.task import history
from wildrobot_gym.task.config import HistoryConfig

CONFIG = HistoryConfig(frames=3, stride=2)


def test_golden_window_is_oldest_first() -> None:
    past = jnp.arange(4.0)[:, None] * jnp.ones(2)  # frames 0, 1, 2, 3 of two features
    got = history.window(past, jnp.array([4.0, 4.0]), CONFIG)
    np.testing.assert_array_equal(got, [0, 0, 2, 2, 4, 4])


def test_push_drops_the_oldest() -> None:
    past = jnp.arange(4.0)[:, None]
    np.testing.assert_array_equal(history.push(past, jnp.array([9.0]))[:, 0], [1, 2, 3, 9])


def test_fill_repeats_the_frame() -> None:
    frame = jnp.array([1.0, 2.0])
    past = history.fill(frame, CONFIG)
    assert past.shape == (4, 2)
    np.testing.assert_array_equal(history.window(past, frame, CONFIG), [1, 2] * 3)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("frames", [1, 2, 10])
def test_a_rollout_sees_the_windows_of_its_clip(frames: int, stride: int) -> None:
    config = HistoryConfig(frames, stride)
    rows = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    windows = history.clip_windows(rows, config)
    assert config.num_past == (frames - 1) * stride
    assert windows.shape == (30 - config.num_past, 4 * frames)
    step = jax.jit(lambda past, row: (history.push(past, row), history.window(past, row, config)))
    past = history.fill(jnp.array(rows[0]), config)
    for t, row in enumerate(rows):
        past, got = step(past, row)
        if t >= config.num_past:
            np.testing.assert_array_equal(got, windows[t - config.num_past])
        else:  # the past is filled with the first frame
            np.testing.assert_array_equal(got.reshape(frames, 4)[0], rows[0])


def test_a_clip_shorter_than_a_window_has_none() -> None:
    assert history.clip_windows(np.zeros((4, 3)), CONFIG).shape == (0, 9)
    assert history.clip_windows(np.zeros((5, 3)), CONFIG).shape == (1, 9)


def test_jit_and_batches() -> None:
    past, frame = jnp.arange(24.0).reshape(2, 4, 3), jnp.ones((2, 3))
    got = jax.jit(lambda p, f: history.window(p, f, CONFIG))(past, frame)
    np.testing.assert_array_equal(got, history.window(past, frame, CONFIG))
    np.testing.assert_array_equal(got[1], history.window(past[1], frame[1], CONFIG))
