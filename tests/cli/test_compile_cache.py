"""Where compiled programs are kept, and that the next process finds them there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wildrobot_gym.console import compile_cache
from wildrobot_gym.console.compile_cache import cache_folder

# What `wildrobot` does first, and then a program of JAX, whose compilation can be counted.
SCRIPT = """
import sys
{before}
from wildrobot_gym.cli.main import main
assert main(["no-command"]) == 2
{imported}
import jax
found = []
jax.monitoring.register_event_listener(lambda event, **_: found.append(event))
jax.jit(lambda x: x * 2 + 1)(3.0)
print(sum("cache_hits" in event for event in found), sum("misses" in event for event in found))
"""


def run(cache: str, before: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    names = ("JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS")
    environ = {name: value for name, value in os.environ.items() if name not in names}
    imported = "" if before else "assert 'jax' not in sys.modules"
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.format(before=before, imported=imported)],
        env={**environ, "WILDROBOT_CACHE": cache, **more},
        capture_output=True,
        text=True,
        check=True,
    )


def counts(run: subprocess.CompletedProcess[str]) -> list[int]:
    return [int(word) for word in run.stdout.splitlines()[-1].split()]


def test_the_second_process_compiles_nothing(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    hits, misses = counts(run(str(cache)))
    assert hits == 0 and misses > 0
    assert list(cache.glob("jax/*/*-cache"))
    # Also where JAX was imported before the command line.
    assert counts(run(str(cache), before="import jax")) == [misses, 0]


def test_a_folder_that_cannot_be_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = run(str(tmp_path / "file" / "cache"))
    warnings = [line for line in found.stderr.splitlines() if "cache" in line]
    assert len(warnings) == 1 and warnings[0].startswith("wildrobot: The cache")
    assert counts(found)[0] == 0


def test_no_permission_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compile_cache.os, "access", lambda path, mode: False)
    assert "cannot be written" in compile_cache._problem(tmp_path / "jax")


def test_the_folder_follows_the_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = compile_cache._cpu()
    assert cache_folder({"WILDROBOT_CACHE": str(tmp_path)}) == tmp_path / "jax" / name
    default = tmp_path / "wildrobot" / "jax" / name
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == default
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(compile_cache.sys, "platform", "linux")
    assert cache_folder({}) == tmp_path / ".cache" / "wildrobot" / "jax" / name
    # Switched off, or left to the user's own setting of JAX.
    assert cache_folder({"WILDROBOT_CACHE": "off"}) is None
    assert cache_folder({"JAX_COMPILATION_CACHE_DIR": "", "WILDROBOT_CACHE": "x"}) is None


def test_another_kind_of_cpu_has_its_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    here = compile_cache._cpu()
    assert here == compile_cache._cpu()
    monkeypatch.setattr(compile_cache.platform, "machine", lambda: "riscv64")
    assert compile_cache._cpu() != here


@pytest.mark.parametrize("folder", ["~no_such_user/x", "/" + 300 * "x" + "/y", "/proc/1/root/x"])
def test_a_folder_that_cannot_be_is_one_warning(folder, monkeypatch):
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.setenv("WILDROBOT_CACHE", folder)
    warning = compile_cache.use_compile_cache()
    if os.geteuid() or not folder.startswith("/proc"):  # root may look anywhere
        assert warning is not None and "WILDROBOT_CACHE" in warning
        assert "JAX_COMPILATION_CACHE_DIR" not in os.environ


def test_a_relative_cache_home_is_ignored():
    folder = cache_folder({"XDG_CACHE_HOME": "relative"})
    assert folder is not None and folder.is_absolute() and "relative" not in folder.parts
