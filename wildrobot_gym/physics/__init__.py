"""Physics engines: MuJoCo's batch on the host, and engines that are JAX functions."""

from __future__ import annotations

from wildrobot_gym.physics.backends import AUTO, resolve_backend
from wildrobot_gym.physics.engine import Engine
from wildrobot_gym.robot import RobotModel


def make_engine(
    backend: str, robot: RobotModel, control_dt: float = 0.02, num_threads: int = 0
) -> Engine:
    """Build an engine that runs inside JAX programs. Only MJX's engines import MJX.

    Args:
        backend: 'mjx', 'native-jax' or 'auto'. For 'native' and for 'auto' on a CPU,
            the engine is 'native-jax'.
        robot: The robot.
        control_dt: s; a whole number of physics steps.
        num_threads: Threads of 'native-jax'; 0 takes every CPU.

    Raises:
        PhysicsError: there is no such engine, or this machine cannot run it.
    """
    backend = resolve_backend(backend)
    if backend in ("native", "native-jax"):
        from wildrobot_gym.physics.native_jax import NativeEngine

        return NativeEngine(robot, control_dt, num_threads)
    from wildrobot_gym.physics.mjx import MjxEngine

    return MjxEngine(robot, control_dt)


__all__ = ["AUTO", "Engine", "make_engine", "resolve_backend"]
