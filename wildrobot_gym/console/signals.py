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
from importlib.machinery import ExtensionFileLoader
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
# How often `stop_signals` has answered: what follows is the command's orderly end.
_answered = [0]


@contextmanager
def stop_signals(handler: Handler, can_end: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Hand signals that stop a command to `handler` while the context is open.

    SIGHUP stays ignored where it was, as under `nohup`.

    Args:
        handler: Called in the main thread.
        can_end: Whether nothing would be lost if the process ended now. Called in another thread,
            only within `answered_signals`.
    """
    answers = 0

    def count(signum: int, frame: FrameType | None) -> None:
        nonlocal answers
        answers += 1
        handler(signum, frame)

    _can_end.append(can_end)
    try:
        # A shell lets its background jobs ignore Ctrl-C. `kill -INT` stops them all the same.
        with _handled(count, ignored=(signal.SIGINT, signal.SIGTERM)):
            yield
    finally:
        _can_end.pop()
        _answered[0] += answers


@contextmanager
def _handled(handler: Handler, ignored: tuple[int, ...] = ()) -> Iterator[None]:
    """Handle the signals that stop a command, but those that are ignored or not Python's.

    Args:
        handler: Called in the main thread.
        ignored: Signals that are handled where they are ignored, too.
    """

    def handle(signum: int, frame: FrameType | None) -> None:
        if signum == getattr(signal, "SIGHUP", None):
            _leave_terminal()
        handler(signum, frame)

    before = {signum: signal.getsignal(signum) for signum in STOPPING}
    before = {
        signum: old
        for signum, old in before.items()
        if old is not None and (old != signal.SIG_IGN or signum in ignored)
    }
    for signum in before:
        signal.signal(signum, handle)
    try:
        yield
    finally:
        for signum, old in before.items():
            signal.signal(signum, old)


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

    The main thread hears of a signal between two Python instructions only. XLA's compilation is
    one instruction that can take a minute, and some libraries catch every exception. So another
    thread ends a process that has not ended by itself, once nothing would be lost.
    """
    if threading.current_thread() is not threading.main_thread():  # signals are not ours
        yield
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        if _in_extension(frame):
            _send_again(signum)
        else:
            raise Interrupt(signum)

    unraisable = sys.unraisablehook

    def unless_dropped(dropped: sys.UnraisableHookArgs) -> None:
        """Send a signal whose exception Python dropped, as in the garbage collector's hooks."""
        if isinstance(dropped.exc_value, Interrupt):
            _send_again(dropped.exc_value.signum)
        else:
            unraisable(dropped)

    over = threading.Event()
    heard, told = socket.socketpair()
    told.setblocking(False)
    wakeup = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_end_late, args=(heard, over), daemon=True).start()
    sys.unraisablehook = unless_dropped
    try:
        with _handled(interrupt):
            yield
    finally:
        over.set()
        sys.unraisablehook = unraisable
        signal.set_wakeup_fd(wakeup)
        told.close()  # ends the thread


def _in_extension(frame: FrameType | None) -> bool:
    """Whether an extension module is being loaded.

    Some make an ImportError of any exception then, and some abort the process.
    """
    while frame is not None:
        if isinstance(frame.f_locals.get("self"), ExtensionFileLoader):
            return True
        frame = frame.f_back
    return False


def _send_again(signum: int) -> None:
    # By another thread, a moment later: this one is still where an exception would do harm.
    threading.Timer(0.02, _send, (signum,)).start()


def _send(signum: int) -> None:
    main = threading.main_thread()
    if (
        hasattr(signal, "pthread_kill") and main.ident is not None
    ):  # wakes the main thread where it sleeps
        signal.pthread_kill(main.ident, signum)
    else:
        signal.raise_signal(signum)


def _end_late(heard: socket.socket, over: threading.Event) -> None:
    """End the process `GRACE_S` after a signal, or as soon as nothing is lost by it."""
    with heard:
        while told := heard.recv(64):
            asked = [signum for signum in told if signum in STOPPING]
            answered, wait_s = _answered[0], GRACE_S
            while asked and not over.wait(wait_s) and _answered[0] == answered:
                if _nothing_is_lost():
                    with suppress(OSError):  # nobody reads it any more
                        os.write(2, b"Interrupted.\n")
                    os._exit(128 + asked[0])
                wait_s = CHECK_S


def _nothing_is_lost() -> bool:
    try:
        return _can_end[-1]()
    except Exception:  # in the middle of what it looks at
        return False


def _leave_terminal() -> None:
    """Write to nowhere from now on: a write to a terminal that is closed is an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        with suppress(OSError):  # there is none
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):  # isatty says no once it is closed
                os.dup2(nowhere, descriptor)
    os.close(nowhere)
