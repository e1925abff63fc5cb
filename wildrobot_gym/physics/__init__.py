"""Physics engines behind one protocol."""

from __future__ import annotations

from wildrobot_gym.errors import PhysicsError, unknown_name
from wildrobot_gym.physics.base import Physics
from wildrobot_gym.robot import RobotModel

BACKENDS = ("native", "mjx")


def make_physics(
    backend: str, robot: RobotModel, num_envs: int, control_dt: float = 0.02, num_threads: int = 0
) -> Physics:
    """Build the engine called `backend`. Only 'mjx' imports MJX.

    Args:
        backend: 'native' or 'mjx'.
        robot: The robot.
        num_envs: Number of simulations.
        control_dt: s; a whole number of physics steps.
        num_threads: Threads of 'native'; 0 takes every CPU.

    Raises:
        PhysicsError: there is no such engine, or it cannot be built.
    """
    check_backend(backend)
    if backend == "native":
        from wildrobot_gym.physics.native import NativePhysics

        return NativePhysics(robot, num_envs, control_dt, num_threads)
    from wildrobot_gym.physics.mjx import MjxPhysics

    return MjxPhysics(robot, num_envs, control_dt)


def check_backend(backend: str) -> None:
    """Raise PhysicsError where no engine has that name."""
    if backend not in BACKENDS:
        raise PhysicsError(unknown_name("physics backend", str(backend), BACKENDS))
