"""Signals that stop a command: each is answered within seconds, whatever the process is doing."""

from __future__ import annotations

import os
import signal
import socket
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

Handler = Callable[[int, FrameType | None], None]

# Ctrl-C, `kill` and batch systems, and a terminal that was closed. Windows has no SIGHUP.
STOPPING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
GRACE_S = 3.0
CHECK_S = 0.5


class Interrupt(KeyboardInterrupt):
    """A signal asks the command to stop.

    Attributes:
        signum: The signal.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


# Whether the process can end without a loss; the innermost context decides.
_can_end: list[Callable[[], bool]] = [lambda: True]


@contextmanager
def stop_signals(handler: Handler, can_end: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Hand signals that stop a command to `handler` while the context is open.

    SIGHUP stays ignored where it was, as under `nohup`.

    Args:
        handler: Called in the main thread.
        can_end: Whether nothing would be lost if the process ended now. Called in another thread,
            only within `answered_signals`.
    """

    def handle(signum: int, frame: FrameType | None) -> None:
        if signum == getattr(signal, "SIGHUP", None):
            _leave_terminal()
        handler(signum, frame)

    ignored = {signum for signum in STOPPING if signal.getsignal(signum) == signal.SIG_IGN}
    handled = [s for s in STOPPING if s in (signal.SIGINT, signal.SIGTERM) or s not in ignored]
    before = {signum: signal.signal(signum, handle) for signum in handled}
    _can_end.append(can_end)
    try:
        yield
    finally:
        _can_end.pop()
        for signum, handled_before in before.items():
            signal.signal(signum, handled_before)


@contextmanager
def unhurried() -> Iterator[None]:
    """While open, `answered_signals` ends no process: the command itself answers, in its time."""
    _can_end.append(lambda: False)
    try:
        yield
    finally:
        _can_end.pop()


@contextmanager
def answered_signals() -> Iterator[None]:
    """While open, signals that stop a command raise `Interrupt`, and work in any case.

    Python tells the main thread of a signal between two of its own instructions. A compilation of
    XLA is a single one that can take a minute, and libraries exist that catch every exception. So
    another thread ends a process that has not ended by itself, once nothing would be lost.
    """
    if threading.current_thread() is not threading.main_thread():  # signals are not ours
        yield
        return

    def interrupt(signum: int, _: FrameType | None) -> None:
        if signum == getattr(signal, "SIGHUP", None):
            _leave_terminal()
        raise Interrupt(signum)

    over = threading.Event()
    heard, told = socket.socketpair()
    told.setblocking(False)
    wakeup = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    before = {
        signum: signal.signal(signum, interrupt)
        for signum in STOPPING
        if signal.getsignal(signum) not in (signal.SIG_IGN, None)
    }
    threading.Thread(target=_end_late, args=(heard, over), daemon=True).start()
    unraisable, sys.unraisablehook = sys.unraisablehook, _send_again
    try:
        yield
    finally:
        over.set()
        sys.unraisablehook = unraisable
        signal.set_wakeup_fd(wakeup)
        told.close()  # ends the thread
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _send_again(unraisable: sys.UnraisableHookArgs) -> None:
    """Send a signal again whose exception Python dropped, as in the garbage collector's hooks."""
    if isinstance(unraisable.exc_value, Interrupt):
        # By another thread, a moment later: this one is still in the place that drops exceptions.
        threading.Timer(0.02, _send, (unraisable.exc_value.signum,)).start()
    else:
        sys.__unraisablehook__(unraisable)


def _send(signum: int) -> None:
    if hasattr(signal, "pthread_kill"):  # wakes the main thread where it sleeps
        signal.pthread_kill(threading.main_thread().ident or 0, signum)
    else:
        signal.raise_signal(signum)


def _end_late(heard: socket.socket, over: threading.Event) -> None:
    """End the process `GRACE_S` after a signal, or as soon as nothing is lost by it."""
    with heard:
        while told := heard.recv(64):
            if asked := [signum for signum in told if signum in STOPPING]:
                wait_s = GRACE_S
                while not over.wait(wait_s):
                    if _can_end[-1]():
                        os.write(2, b"Interrupted.\n")
                        os._exit(128 + asked[0])
                    wait_s = CHECK_S


def _leave_terminal() -> None:
    """Write to nowhere from now on: a write to a terminal that is closed is an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        with suppress(OSError):  # there is none
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):  # isatty says no once it is closed
                os.dup2(nowhere, descriptor)
    os.close(nowhere)
