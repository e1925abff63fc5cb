"""WildRobot: a Gymnasium environment of a real 3.4 kg biped on MuJoCo, and the motion it learns from.

Importing this package registers ``WildRobot-v0`` and ``WildRobotTrack-v0``.
"""

import ctypes
import os
import sys

if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    # MuJoCo picks its GL back end at import. GLFW cannot work without a screen, and where EGL is asked for but its library
    # is missing, `import mujoco` itself fails: then all but pictures must still work.
    try:
        ctypes.CDLL("libEGL.so.1")
    except OSError:
        os.environ.setdefault("MUJOCO_GL", "disable")
    else:
        os.environ.setdefault("MUJOCO_GL", "egl")

from wildrobot_gym.env.registration import register_envs

__version__ = "0.1.0"

register_envs()
