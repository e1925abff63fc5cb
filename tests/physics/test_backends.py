"""Which engine runs where."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.physics import backends
from wildrobot_gym.physics.backends import BACKENDS, check_backend, resolve_backend


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    backends._automatic.cache_clear()
    yield
    backends._automatic.cache_clear()


@pytest.mark.parametrize("name", ["native", "mjx", "native-jax"])
def test_a_name_stands_for_itself(name: str) -> None:
    assert resolve_backend(name) == name


@pytest.mark.parametrize(
    ("platform", "backend"), [("cpu", "native"), ("gpu", "mjx"), ("tpu", "mjx"), ("METAL", "mjx")]
)
def test_auto_follows_the_default_device(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    platform: str,
    backend: str,
) -> None:
    monkeypatch.setattr(backends, "_platform", lambda: platform)
    with caplog.at_level(logging.INFO, logger=backends.__name__):
        assert [resolve_backend(), resolve_backend("auto")] == [backend, backend]
    assert len(caplog.records) == 1  # the choice is logged once
    assert f"backend: {backend}" in caplog.text and platform.upper() in caplog.text


def test_an_unknown_name_is_an_error_that_lists_all() -> None:
    with pytest.raises(PhysicsError, match=r"Did you mean 'native'\?.*auto, mjx, native"):
        resolve_backend("nativ")


def test_warp_is_refused_with_the_reason() -> None:
    for ask in (check_backend, resolve_backend):
        with pytest.raises(PhysicsError, match=r"'mjx-warp' is not supported.*Use 'mjx'"):
            ask("mjx-warp")


def test_the_check_of_a_name_asks_nothing_of_this_machine() -> None:
    for name in ("auto", *BACKENDS):
        check_backend(name)
    with pytest.raises(PhysicsError, match="'cuda'"):
        check_backend("cuda")
