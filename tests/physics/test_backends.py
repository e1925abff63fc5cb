"""Which engine runs where."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.physics import backends, make_engine
from wildrobot_gym.physics.backends import BACKENDS, check_backend, resolve_backend
from wildrobot_gym.robot import RobotModel


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
    with pytest.raises(PhysicsError, match=r"Did you mean 'native'\?.*auto, mjx, mjx-warp, native"):
        resolve_backend("nativ")


def test_warp_names_the_missing_package_and_device(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: found or None)
    monkeypatch.setattr(backends, "_platform", lambda: "cpu")
    with pytest.raises(PhysicsError, match=r"warp-lang.*mujoco-mjx\[warp\]"):
        resolve_backend("mjx-warp")
    found.append("warp")
    with pytest.raises(PhysicsError, match=r"CUDA device.*is a CPU.*extra `cuda`"):
        resolve_backend("mjx-warp")
    monkeypatch.setattr(backends, "_platform", lambda: "gpu")
    assert resolve_backend("mjx-warp") == "mjx-warp"
    with pytest.raises(PhysicsError, match=r"'mjx-warp' is not built yet.*Use 'mjx'"):
        make_engine("mjx-warp", RobotModel.load("wildrobot"))


def test_the_check_of_a_name_asks_nothing_of_this_machine() -> None:
    for name in ("auto", *BACKENDS):
        check_backend(name)
    with pytest.raises(PhysicsError, match="'cuda'"):
        check_backend("cuda")
