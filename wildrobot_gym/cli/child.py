"""`python -m wildrobot_gym.cli.child`: a command that stops when its standard input ends."""

from __future__ import annotations

import os
import signal
import sys
import threading

from wildrobot_gym.cli.main import main


def _stop_at_end_of_input() -> None:
    # Not through sys.stdin: a thread that holds its lock breaks the interpreter's end.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    sys.exit(main())
