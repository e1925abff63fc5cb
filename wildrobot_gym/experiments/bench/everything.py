"""Settings of an environment with everything that can be randomized, and all disturbances."""

from __future__ import annotations

from typing import Any

EVERYTHING: dict[str, Any] = {
    "randomization": {
        "link_mass": [0.8, 1.2],
        "link_inertia": [0.8, 1.2],
        "com_offset": [-0.015, 0.015],
        "payload": [0.0, 0.3],
        "floor_friction": [0.4, 1.2],
        "servo_kp": [0.8, 1.2],
        "servo_kv": [0.8, 1.2],
        "servo_force_limit": [0.75, 1.0],
        "supply_voltage": [0.8, 1.0],
        "joint_armature": [0.8, 1.2],
        "joint_friction": [0.5, 2.0],
        "joint_damping": [0.5, 2.0],
        "action_delay": [0.0, 0.04],
        "action_delay_jitter": [0.0, 0.004],
        "backlash": [0.0, 0.009],
        "joint_zero": [-0.035, 0.035],
        "imu_tilt": [-0.05, 0.05],
        "imu_drift": [-0.003, 0.003],
        "observation_delay": [0.0, 0.02],
        "stuck_switch": [0.0, 0.1],
    },
    "disturbances": {"push": {}, "force": {}, "payload_drop": {}, "friction_patch": {}},
}
