"""A robot at the other end of a UDP socket: its server runs beside the servos, or is a simulation.

A packet is a header (`<4sId`: magic, sequence number, the sender's time in s) and float64 numbers,
all little-endian. Sensors (`WRS1`) are joint positions, joint velocities, quaternion, gyro and
velocity (NaN without an estimator). With foot switches (`WRS2`), the number of joints comes first
and the switches last. Targets (`WRT1`) are one number for each joint; without numbers they only ask
for sensors. Packets may be lost, late or out of order: only newer ones count.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections import deque

import numpy as np

from wildrobot_gym.deploy.clock import Clock
from wildrobot_gym.deploy.robot_io import Sensors
from wildrobot_gym.errors import ConfigError

_HEADER = struct.Struct("<4sId")
_SENSORS, _WITH_SWITCHES, _TARGETS = b"WRS1", b"WRS2", b"WRT1"
_LARGEST = 4096  # bytes; a packet of 9 joints has 240
_OFFSETS = 100  # packets; the least delayed of them relates the two clocks


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of "host:port".

    Raises:
        ConfigError: It is no such text.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"The address is {text!r}; allowed: host:port, such as 127.0.0.1:9870.")
    return host, int(port)


def _packet(magic: bytes, sequence: int, time: float, numbers: np.ndarray) -> bytes:
    return _HEADER.pack(magic, sequence, time) + np.asarray(numbers, "<f8").tobytes()


def _open(magic: bytes, packet: bytes) -> tuple[int, float, np.ndarray] | None:
    """Sequence number, time and numbers; None for a packet of another kind."""
    whole = len(packet) >= _HEADER.size and (len(packet) - _HEADER.size) % 8 == 0
    if not whole or packet[:4] != magic:
        return None
    _, sequence, time = _HEADER.unpack_from(packet)
    return sequence, time, np.frombuffer(packet, "<f8", offset=_HEADER.size)


class UdpRobot:
    """A `RobotIO` over UDP.

    Args:
        address: Host and port of the robot's server.
        num_joints: Number of joints.
        clock: The loop's clock.
    """

    def __init__(
        self, address: tuple[str, int], num_joints: int, clock: Clock | None = None
    ) -> None:
        self._clock, self._num = clock or Clock(), num_joints
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(address)
        self._socket.setblocking(False)
        self._sent, self._newest = 0, -1
        self._offsets: deque[float] = deque(maxlen=_OFFSETS)
        self._sensors: Sensors | None = None

    def read(self) -> Sensors | None:
        """The newest sensors that arrived, stamped on the loop's clock; None before the first.

        The least delayed of the last packets shows how the two clocks differ. So a packet that
        took longer counts as older.
        """
        while (packet := self._receive()) is not None:
            opened = _open(_SENSORS, packet) or _open(_WITH_SWITCHES, packet)
            if opened is None:
                continue
            sequence, sent, numbers = opened
            if not self._is_mine(packet[:4], numbers):
                continue
            self._offsets.append(self._clock.now() - sent)
            if sequence > self._newest:
                self._newest = sequence
                parts = numbers[1:] if packet[:4] == _WITH_SWITCHES else numbers
                pos, vel, quat, gyro, lin_vel, switches = np.split(
                    parts, np.cumsum([self._num, self._num, 4, 3, 3])
                )
                velocity = None if np.isnan(lin_vel).all() else lin_vel
                when = sent + min(self._offsets)
                closed = switches if len(switches) else None
                self._sensors = Sensors(when, pos, vel, quat, gyro, velocity, closed)
        if self._sensors is None:
            self.write(np.empty(0))  # ask for the first
        return self._sensors

    def write(self, targets: np.ndarray) -> None:
        """Send targets; nobody says whether they arrive."""
        self._sent += 1
        with contextlib.suppress(OSError):  # the server is not there yet, or no more
            self._socket.send(_packet(_TARGETS, self._sent, self._clock.now(), targets))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _is_mine(self, magic: bytes, numbers: np.ndarray) -> bool:
        """Whether sensors are of a robot with as many joints."""
        size = 2 * self._num + 10
        if magic == _SENSORS:
            return len(numbers) == size
        return len(numbers) > size + 1 and numbers[0] == self._num

    def _receive(self) -> bytes | None:
        try:
            return self._socket.recv(_LARGEST)
        except OSError:  # nothing there, or the server's port is closed
            return None


class UdpServer:
    """The robot's end: sends sensors to whoever sent the newest targets.

    Args:
        port: UDP port on this computer; 0 for a free one.
        host: Address to listen on. By default only this computer reaches it.

    Attributes:
        port: The port.
        peer: Address of the controller; None before the first packet.
        targets: (joint,) its newest targets, rad; None before the first.
    """

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, port))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self.peer: tuple[str, int] | None = None
        self._sent, self._newest = 0, -1
        self.targets: np.ndarray | None = None

    def receive(self) -> int:
        """Take the packets that arrived.

        Returns:
            Number of packets.
        """
        count = 0
        while True:
            try:
                packet, peer = self._socket.recvfrom(_LARGEST)
            except OSError:
                return count
            if (opened := _open(_TARGETS, packet)) is None:
                continue
            count += 1
            sequence, _, numbers = opened
            if peer != self.peer:
                self.peer, self._newest, self.targets = peer, -1, None
            if sequence > self._newest:
                self._newest = sequence
                if len(numbers) and np.isfinite(numbers).all():
                    self.targets = numbers.copy()

    def packet(self, sensors: Sensors) -> bytes:
        """The packet of a measurement at `sensors.time` on the robot's clock."""
        self._sent += 1
        lin_vel = np.full(3, np.nan) if sensors.lin_vel is None else sensors.lin_vel
        parts = [sensors.joint_pos, sensors.joint_vel, sensors.quat, sensors.gyro, lin_vel]
        if sensors.foot_switches is None:
            return _packet(_SENSORS, self._sent, sensors.time, np.concatenate(parts))
        parts = [np.array([len(sensors.joint_pos)]), *parts, sensors.foot_switches]
        return _packet(_WITH_SWITCHES, self._sent, sensors.time, np.concatenate(parts))

    def send(self, packet: bytes) -> None:
        """Send a packet to the controller, if there is one."""
        if self.peer is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto(packet, self.peer)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
