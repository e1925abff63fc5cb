"""WildRobot: a Gymnasium environment of a real 3.4 kg biped on MuJoCo, and the motion it learns from.

Importing this package registers ``WildRobot-v0``.
"""

import os
import sys

if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    # MuJoCo picks its GL back end at import and would take GLFW, which cannot work without a screen.
    os.environ.setdefault("MUJOCO_GL", "egl")

from wildrobot_gym.env.registration import register_envs

__version__ = "0.1.0"

register_envs()
