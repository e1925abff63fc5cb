"""A machine without EGL can do everything but draw pictures."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import sys

def refuse_egl(event, args):
    if event == "ctypes.dlopen" and args[0] and "EGL" in str(args[0]):
        raise OSError("no libEGL here")

sys.addaudithook(refuse_egl)
import gymnasium as gym
import wildrobot_gym
from wildrobot_gym.errors import PhysicsError

env = gym.make("WildRobot-v0", render_mode="rgb_array").unwrapped
env.reset(seed=0)
env.step(env.action_space.sample())
try:
    env.render()
except PhysicsError as error:
    assert "apt install libegl1" in str(error), error
    print("stepped without GL")
"""


def test_stepping_needs_no_gl_and_rendering_says_what_to_install() -> None:
    hidden = ("MUJOCO_GL", "PYOPENGL_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")
    environment = {k: v for k, v in os.environ.items() if k not in hidden}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "stepped without GL" in run.stdout, run.stderr
