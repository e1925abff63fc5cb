"""A headless Chromium that tests drive by its DevTools protocol."""

from __future__ import annotations

import base64
import io
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imageio.v2 as imageio
import numpy as np

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--window-size=1000,700",
    "--hide-scrollbars",
    # A tab behind another one goes on drawing.
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
]
PATIENCE_S = 240.0


def until(true: Callable[[], Any], what: str, patience: float = PATIENCE_S) -> Any:
    """Wait for something; its value."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if value := true():
            return value
        time.sleep(0.1)
    raise AssertionError(f"waited {patience:g} s in vain for {what}")


class Tab:
    """One page in the browser."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self.errors: list[str] = []
        self.call("Runtime.enable")
        self.call("Page.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE_S))
            if message.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(message["params"])[:2000])
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    def evaluate(self, expression: str) -> Any:
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def key(self, name: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name)

    def picture(self) -> np.ndarray:
        """What the tab shows, (height, width, 3) uint8."""
        self.call("Page.bringToFront")
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        return imageio.imread(io.BytesIO(data))[..., :3]


@contextmanager
def browser(folder: Path, *urls: str) -> Iterator[list[Tab]]:
    """Open the pages, a tab each."""
    from websockets.sync.client import connect

    profile = folder / "profile"
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sockets = []
    try:
        port_file = profile / "DevToolsActivePort"
        until(lambda: port_file.is_file() and port_file.read_text().strip(), "Chromium")
        port = port_file.read_text().splitlines()[0]
        tabs = []
        for url in urls:
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/json/new?{url}", method="PUT"
            )
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                address = json.loads(answer.read())["webSocketDebuggerUrl"]
            sockets.append(connect(address, max_size=None, open_timeout=PATIENCE_S, proxy=None))
            tabs.append(Tab(sockets[-1]))
        yield tabs
    finally:
        for socket in sockets:
            socket.close()
        process.terminate()
        process.wait(timeout=30)


def orange(picture: np.ndarray) -> int:
    """Number of pixels in the color of the robot's shell."""
    red, green, blue = (picture[..., i].astype(int) for i in range(3))
    return int(((red > 150) & (red - green > 40) & (green - blue > 30)).sum())
