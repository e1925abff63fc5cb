"""Signals that stop a command, in processes of their own."""

import os
import signal
import subprocess
import sys

import pytest

from wildrobot_gym.console.signals import STOPPING, Interrupt, answered_signals, stop_signals

START = """
import signal, sys, time
from wildrobot_gym.console import signals
# Not what the tests themselves inherited: nohup ignores SIGHUP, and a job in the background SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
signals.GRACE_S = signals.CHECK_S = 0.2

def deaf(seconds):
    # As a library that catches every exception, or a long call into C.
    end, told = time.monotonic() + seconds, False
    while not told or time.monotonic() < end:
        try:
            if not told:
                told = True
                print("deaf", flush=True)
            time.sleep(0.05)
        except BaseException:
            pass
"""


def started(script, stdout=subprocess.PIPE, **popen):
    process = subprocess.Popen(
        [sys.executable, "-c", START + script],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        text=True,
        **popen,
    )
    if stdout == subprocess.PIPE:
        assert process.stdout.readline() == "deaf\n"
    return process


@pytest.mark.parametrize("signum", STOPPING)
def test_a_command_that_does_not_listen_ends(signum):
    process = started("with signals.answered_signals():\n    deaf(60)")
    process.send_signal(signum)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 128 + signum and output == "Interrupted.\n"


def test_a_command_that_would_lose_something_is_left_alone_until_it_would_not():
    process = started("""
lost = [True]
with signals.answered_signals(), signals.stop_signals(print, lambda: not lost[0]):
    deaf(2)
    print("saved", flush=True)
    lost[0] = False
    time.sleep(60)
""")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert [line.split()[0] for line in output.splitlines()] == ["15", "saved", "Interrupted."]


def test_a_command_that_takes_its_time_ends_by_itself():
    process = started("""
with signals.answered_signals(), signals.unhurried():
    deaf(1)
    print("done")
""")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[0] == "done\n" and process.returncode == 0


def test_a_command_whose_output_nobody_reads_ends_too():
    """As with `2>&1 | tee log`: Ctrl-C ends tee first."""
    process = started("with signals.answered_signals():\n    deaf(60)")
    process.stdout.close()
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 128 + signal.SIGINT


def test_a_command_that_has_answered_may_take_its_time():
    process = started("""
with signals.answered_signals():
    with signals.stop_signals(print):
        deaf(1)
    time.sleep(1)
    print("done")
""")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[0].splitlines()[-1] == "done"
    assert process.returncode == 0


def test_a_terminal_that_is_closed_costs_no_checkpoint():
    """Writing to it is an error from then on."""
    pty = pytest.importorskip("pty")
    terminal, theirs = pty.openpty()
    process = started(
        """
def stop(signum, frame):
    print("stopping", flush=True)
    sys.exit(7)
with signals.stop_signals(stop):
    print("deaf", flush=True)
    time.sleep(60)
""",
        stdout=theirs,
        start_new_session=True,  # the system would send a second signal
    )
    os.close(theirs)
    with open(terminal, "rb", buffering=0) as screen:
        # The whole line: until then the process is writing it.
        assert screen.readline() == b"deaf\r\n"
    process.send_signal(signal.SIGHUP)
    assert process.wait(30) == 7


def test_nohup_is_respected():
    process = started(
        """
signal.signal(signal.SIGHUP, signal.SIG_IGN)
with signals.answered_signals(), signals.stop_signals(print):
    deaf(1)
    print("done")
"""
    )
    process.send_signal(signal.SIGHUP)
    assert process.communicate(timeout=30)[0] == "done\n" and process.returncode == 0


def test_a_signal_in_a_place_that_drops_exceptions_arrives_after_it():
    process = started("""
class Dropping:
    def __del__(self):
        print("deaf", flush=True)
        time.sleep(0.5)

signals.GRACE_S = 60
try:
    with signals.answered_signals():
        Dropping()
        time.sleep(60)
except signals.Interrupt as interrupt:
    print("heard", interrupt)
""")
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[0] == "heard SIGTERM\n" and process.returncode == 0


def test_a_signal_while_an_extension_is_loaded_arrives_after_it():
    """MuJoCo makes an ImportError of it then, or aborts."""
    process = started("""
from importlib.machinery import ExtensionFileLoader

class Slow(ExtensionFileLoader):
    def create_module(self, spec):
        print("deaf", flush=True)
        time.sleep(0.5)
        print("loaded", flush=True)

signals.GRACE_S = 60
try:
    with signals.answered_signals():
        Slow("slow", "slow.so").create_module(None)
        time.sleep(60)
except signals.Interrupt as interrupt:
    print("heard", interrupt)
""")
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[0] == "loaded\nheard SIGTERM\n"
    assert process.returncode == 0


def test_handlers_are_put_back():
    before = [signal.getsignal(signum) for signum in STOPPING]
    with answered_signals(), pytest.raises(Interrupt, match="SIGTERM") as raised:
        os.kill(os.getpid(), signal.SIGTERM)
    assert raised.value.signum == signal.SIGTERM
    with stop_signals(lambda *_: None):
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(signum) for signum in STOPPING] == before
