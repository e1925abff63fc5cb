"""The fused loop on several devices: the same results, whatever their number."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from functional_envs import PointMass, point_model
from probe_envs import ProbeEnv, make_model

from amp_sbx import ConfigError
from amp_sbx.algorithm.devices import Devices
from amp_sbx.common import archive
from amp_sbx.common.functional_vector_env import FunctionalVectorEnv

PROGRAM = Path(__file__).with_name("many_devices.py")


def run(*arguments, devices=4):
    """Run `many_devices.py` in a process whose CPU is made to be several devices."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    result = subprocess.run(
        [sys.executable, str(PROGRAM), *map(str, arguments)],
        env=os.environ | {"XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr[-3000:]


def assert_same(one, other):
    """Two saved models and the states of their environments are equal up to rounding."""
    a, b = (archive.read(path)[1] for path in (one, other))
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_allclose(a[name], b[name], atol=1e-5, rtol=1e-5, err_msg=name)
    a, b = (dict(np.load(path.with_suffix(".npz"))) for path in (one, other))
    for name in a:
        np.testing.assert_allclose(a[name], b[name], atol=1e-4, err_msg=name)


def test_one_two_and_four_devices_learn_the_same(tmp_path):
    run(tmp_path, 20, "ppo", 1, 2, 4)
    for other in (2, 4):
        assert_same(tmp_path / "1.zip", tmp_path / f"{other}.zip")


@pytest.mark.slow
def test_with_amp_too_and_a_run_resumes_on_another_number_of_devices(tmp_path):
    run(tmp_path, 20, "amp", 1, 2, 4, "1:4", "4:4", "2:1")
    for other in (2, 4):
        assert_same(tmp_path / "1.zip", tmp_path / f"{other}.zip")
    for other in ("4-after-4", "2-after-1"):
        assert_same(tmp_path / "1-after-4.zip", tmp_path / f"{other}.zip")


@pytest.mark.slow
def test_critics_that_see_more_learn_the_same_on_two_devices(tmp_path):
    run(tmp_path, 20, "critic", 1, 2, devices=2)
    assert_same(tmp_path / "1.zip", tmp_path / "2.zip")


def test_as_many_devices_as_can_share_are_taken_and_the_others_named(monkeypatch, caplog):
    monkeypatch.setattr(jax, "devices", lambda: [jax.local_devices()[0]] * 4)
    with caplog.at_level("INFO", "amp_sbx"):
        assert Devices.of(None, {"n_envs": 12, "batch_size": 8}).count == 4
        assert caplog.messages == []
        assert Devices.of(None, {"n_envs": 9, "batch_size": 12}).count == 3
        assert Devices.of(None, {"n_envs": 9, "batch_size": 8}).count == 1
    assert caplog.messages[0] == (
        "training on 3 of 4 devices, the most that divide n_envs 9 and batch_size 12"
    )
    with pytest.raises(ConfigError, match=r"n_envs is 8, which 3 devices .* for instance 9"):
        Devices.of(3, {"n_envs": 8})
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    with pytest.raises(ConfigError, match=r"n_envs is 9, which 4 devices"):
        Devices.of(None, {"n_envs": 9})


def test_what_devices_cannot_share_is_refused():
    with pytest.raises(ConfigError, match=r"devices is 64, but JAX has \d"):
        point_model(PointMass(), devices=64)
    with pytest.raises(ConfigError, match="devices is 0"):
        make_model(FunctionalVectorEnv(PointMass(), 8), devices=0)
    with pytest.raises(ConfigError, match="only the fused loop uses more than one"):
        make_model(ProbeEnv(8), devices=2)
