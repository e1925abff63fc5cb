"""A full memory is an error that says how many environments would fit."""

import jax
import numpy as np
import pytest
from functional_envs import ITERATION, PointMass, point_model

from amp_sbx import OutOfMemoryError
from amp_sbx.algorithm.compilation import Compiled, compiled
from amp_sbx.common.memory import is_out_of_memory, num_fitting, within_memory

FULL = jax.errors.JaxRuntimeError(
    "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 3.00GiB.\nmore"
)


class Device:
    def memory_stats(self):
        return {"bytes_limit": 4 * 2**30, "bytes_in_use": 5 * 2**30}


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setattr(jax, "local_devices", lambda: [Device()])


def raised(error, *given):
    with pytest.raises(OutOfMemoryError) as info, within_memory(*given):
        raise error
    return str(info.value)


def test_what_would_fit_comes_from_the_device_or_is_half(gpu):
    """1,000 environments need 8 GiB of 4: half. A program of 5 GiB: four fifths of them."""
    assert raised(FULL, 1000) == (
        "1,000 environments do not fit the memory; about 500 would. Take fewer, or shorter "
        "rollouts (n_steps). RESOURCE_EXHAUSTED: Out of memory while trying to allocate 3.00GiB."
    )
    assert "about 800 would" in raised(FULL, 1000, 5 * 2**30)
    assert "about 500 would" in raised(FULL, 1000, 2**30)  # it would fit, but others are there
    assert "about 500 would" in raised(MemoryError("host"), 1000, 5 * 2**30)
    assert num_fitting(1000, 16 * 2**30) == 250


def test_without_the_device_s_numbers_half_is_a_guess():
    assert "about 500 would" in raised(FULL, 1000)
    assert "1 environments do not fit the memory." in raised(FULL, 1)


def test_other_errors_are_left_alone():
    large = jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Received message larger than max (5)")
    for error in (large, jax.errors.JaxRuntimeError("UNAVAILABLE: gone"), ValueError("memory")):
        assert not is_out_of_memory(error)
        with pytest.raises(type(error)), within_memory(8):
            raise error
    ours = OutOfMemoryError("said already")
    with pytest.raises(OutOfMemoryError, match=r"^said already$"), within_memory(8):
        raise ours


@pytest.mark.parametrize("error", [FULL, MemoryError()])
@pytest.mark.parametrize("collect", ["host", "fused"])
def test_learn_says_it_in_both_loops(monkeypatch, collect, error):
    def full(*_):
        raise error

    model = point_model(PointMass(), collect=collect)
    if collect == "host":
        monkeypatch.setattr(model.env, "step", full)
    else:
        monkeypatch.setattr(
            "amp_sbx.algorithm.fused_loop.compiled", lambda *_: Compiled(full, None, None)
        )
    with pytest.raises(OutOfMemoryError, match="8 environments do not fit the memory; about 4"):
        model.learn(ITERATION)


def test_a_compiled_program_knows_its_memory():
    """Two arrays of 4 kB come in, and one of them goes out."""
    a, b = (np.ones(1000, np.float32) for _ in range(2))
    arguments = tuple(jax.numpy.asarray(x) for x in (a, b))
    program = compiled(lambda _, x, y: x + y, (), arguments[:1], arguments[1:], "sum")
    assert 8000 <= program.num_bytes <= 20_000
    np.testing.assert_array_equal(program(arguments[:1], arguments[1:]), a + b)
