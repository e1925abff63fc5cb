"""The benchmark of a device: it runs to the end at a tiny size, and stays within its limits."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import jax
import pytest

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.experiments.bench import device
from wildrobot_gym.experiments.bench.device import DeviceBenchSettings, bench_device

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "bench_gpu.py"
KINDS = ("physics", "functional", "vector_env")


@pytest.mark.slow
def test_the_script_runs_to_the_end(tmp_path: Path) -> None:
    script = runpy.run_path(str(SCRIPT))
    assert script["main"](["--tiny", "--out", str(tmp_path / "bench")]) == 0
    found = json.loads((tmp_path / "bench.json").read_text())
    assert [row["envs"] for row in found["rollouts"]] == [8]
    assert all(row[f"{kind}_steps_per_s"] > 0 for row in found["rollouts"] for kind in KINDS)
    assert found["training"]["native-jax"]["steps_per_s"] > 0
    assert found["notes"] == []
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")


def test_a_full_memory_ends_an_engine_and_says_what_would_fit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def speeds(engine: str, num_envs: int, steps: int, rounds: int) -> dict[str, Any]:
        if num_envs > 100:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")
        return {"peak_bytes": 1000 * num_envs}

    class Device:
        platform, device_kind = "gpu", "small"

        def memory_stats(self) -> dict[str, int]:
            return {"bytes_limit": 150_000}

    monkeypatch.setattr(device, "rollout_speeds", speeds)
    monkeypatch.setattr(jax, "devices", lambda: [Device()])
    settings = DeviceBenchSettings(engines=("mjx", "native-jax"), envs=(1000, 100), train_envs=0)
    result = bench_device(settings, tmp_path / "x.json")
    assert [(row["engine"], row["envs"]) for row in result.rollouts] == [
        ("mjx", 100),
        ("native-jax", 100),
    ]
    assert result.notes[0] == (
        "mjx, 1000 environments: does not fit the device's memory; about 150 environments would"
    )


def test_no_part_begins_when_time_is_over() -> None:
    settings = DeviceBenchSettings(envs=(8,), seconds=-1.0)
    result = bench_device(settings)
    assert result.rollouts == [] and result.training == {}
    assert len(result.notes) == 2 and "not measured" in result.notes[0]
    with pytest.raises(ConfigError, match="must be positive"):
        bench_device(DeviceBenchSettings(envs=(0,)))
