"""The simulated robot at the other end of a socket, in real time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from wildrobot_gym.deploy.clock import Clock
from wildrobot_gym.deploy.udp import UdpServer
from wildrobot_gym.errors import RunError
from wildrobot_gym.experiments.rehearse.simulated import SimulatedRobot


def open_server(port: int) -> UdpServer:
    """A socket that only this computer reaches.

    Args:
        port: UDP port; 0 takes a free one.

    Raises:
        RunError: The port is taken, or is no port.
    """
    try:
        return UdpServer(port)
    except (OSError, OverflowError) as error:
        raise RunError(f"Cannot listen on port {port}: {error}. Take another, or 0.") from error


def serve(
    robot: SimulatedRobot,
    server: UdpServer,
    stop: Callable[[], bool],
    clock: Clock | None = None,
    lost: float = 0.0,
    seed: int = 0,
) -> None:
    """Be the robot: take targets, step, send sensors, once in every control period.

    Each controller finds the robot standing at home. It is held until the first targets arrive.

    Args:
        robot: The simulated robot. Its sensors and targets are late as its disturbances say.
        server: The socket.
        stop: Whether to stop, asked in every control period.
        clock: Time.
        lost: Fraction of the packets that never arrive, in both directions.
        seed: Random seed of the losses.
    """
    clock = clock or Clock()
    rng = np.random.default_rng(seed)
    timestep = float(robot.plain.model.opt.timestep)
    period = robot.plain.substeps * timestep
    due = clock.now()
    while not stop():
        clock.sleep_until(due)
        now = clock.now()
        # After a pause of the computer the simulation continues from there, not in a burst.
        due = max(due + period, now)
        before = server.targets
        controller = server.peer
        received = server.receive()
        if server.peer != controller:
            robot.stand_up()
        elif received and rng.random() < lost:
            server.targets = before
        # Targets of another number of joints are another robot's.
        if server.targets is not None and len(server.targets) == len(robot.plain.targets):
            robot.write(server.targets)
            robot.advance(robot.plain.substeps)
        sensors = robot.read()
        age = float(robot.plain.data.time) - sensors.time
        packet = server.packet(dataclasses.replace(sensors, time=now - age))
        if not rng.random() < lost:
            server.send(packet)
