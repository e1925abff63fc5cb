"""A batch that does not fit the memory says so, and how many robots would."""

import gymnasium as gym
import jax
import pytest

from wildrobot_gym.env.memory import within_memory
from wildrobot_gym.errors import PhysicsError

FULL = "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 6442450944 bytes.\nmore"


class Batch:
    num_envs = 1000

    @within_memory
    def step(self, error: Exception) -> None:
        raise error


class Device:
    def memory_stats(self) -> dict[str, int]:
        return {"bytes_limit": 6 * 2**30, "bytes_in_use": 2 * 2**30}


def test_a_full_device_is_named_with_what_would_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """2 GiB in use and 6 GiB asked for, of 6: three quarters of the robots."""
    with pytest.raises(PhysicsError, match=r"num_envs is 1,000, .* about 500 would\. RESOURCE"):
        Batch().step(jax.errors.JaxRuntimeError(FULL))
    monkeypatch.setattr(jax, "local_devices", lambda: [Device()])
    with pytest.raises(PhysicsError, match="about 750 would"):
        Batch().step(jax.errors.JaxRuntimeError(FULL))
    with pytest.raises(PhysicsError, match="about 500 would"):
        Batch().step(MemoryError())
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        Batch().step(jax.errors.JaxRuntimeError("INTERNAL: something else"))


def test_make_vec_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise jax.errors.JaxRuntimeError(FULL)

    env = gym.make_vec("WildRobot-v0", num_envs=6, backend="mjx")
    monkeypatch.setattr(env.unwrapped._simulation, "_batched", type("", (), {"blank": full}))
    with pytest.raises(PhysicsError, match=r"num_envs is 6, .* about 3 would"):
        env.reset(seed=0)
    with pytest.raises(PhysicsError, match="does not fit the memory"):
        gym.make_vec("WildRobot-v0", num_envs=10**13, backend="mjx")
