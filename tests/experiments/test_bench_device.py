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
    for name in ("devices", "local_devices"):
        monkeypatch.setattr(jax, name, lambda: [Device()])
    settings = DeviceBenchSettings(engines=("mjx", "native-jax"), envs=(1000, 100), train_envs=0)
    result = bench_device(settings, tmp_path / "x.json")
    assert [(row["engine"], row["envs"]) for row in result.rollouts] == [
        ("mjx", 100),
        ("native-jax", 100),
    ]
    assert result.notes[0] == (
        "mjx, 1000 environments: does not fit the device's memory; about 150 environments would"
    )


def test_training_that_begins_late_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is a counter. A rollout takes 100 s; an iteration takes 20 s, and 60 at first."""
    clock = [0.0]

    def speeds(*_: Any) -> dict[str, Any]:
        clock[0] += 100.0
        return {"peak_bytes": None}

    class SlowTraining:
        steps_per_iteration, env_kwargs = 2000, {}

        def __init__(self, *_: Any) -> None: ...

        def learn(self, judge: Any) -> None:
            took = 60.0
            clock[0] += took
            while judge(took):
                took = 20.0
                clock[0] += took

        policy = None

    class NeverWalks:
        def __init__(self, *_: Any, **__: Any) -> None:
            self.overall = {"success": {"mean": 0.5}}

        def run(self, _: Any) -> NeverWalks:
            return self

        def close(self) -> None: ...

    monkeypatch.setattr(device.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(device, "rollout_speeds", speeds)
    monkeypatch.setattr(device, "Training", SlowTraining)
    monkeypatch.setattr(device, "WalkBenchmark", NeverWalks)
    result = bench_device(DeviceBenchSettings(envs=(1, 2, 3)))
    # 270 s are for rollouts: the second ends at 200 s, and a third would end at 300 s.
    assert [row["envs"] for row in result.rollouts] == [1, 2]
    assert result.notes == ["mjx, 3 environments: not measured, as 250 s were left"]
    found = result.training["mjx"]
    assert found["steps_per_s"] == 100.0 and found["compile_s"] == 40.0
    assert found["success"] == 0.5 and found["walks_after_s"] is None
    assert clock[0] == 200.0 + 60.0 + 8 * 20.0  # nine iterations are 180 s without compiling
    clock[0] = 0.0
    late = bench_device(DeviceBenchSettings(envs=(1,), seconds=210.0, walk_seconds=100.0))
    assert late.training["mjx"]["steps_per_s"] == 100.0
    assert clock[0] == 100.0 + 60.0 + 3 * 20.0  # one iteration after the end at most


def test_no_part_begins_when_time_is_over() -> None:
    settings = DeviceBenchSettings(envs=(8,), seconds=-1.0)
    result = bench_device(settings)
    assert result.rollouts == [] and result.training == {}
    assert len(result.notes) == 2 and "not measured" in result.notes[0]
    with pytest.raises(ConfigError, match="must be positive"):
        bench_device(DeviceBenchSettings(envs=(0,)))
