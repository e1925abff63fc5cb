"""Reference motion as a tracking policy performs it: in physics, with nothing that holds the robot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from jaxtyping import Float

from wildrobot_gym.config import TrackEnvConfig
from wildrobot_gym.contact import pad_speed
from wildrobot_gym.env.track_env import WildRobotTrackVectorEnv
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.motion.reference import load_clips
from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.motion.tracking.performance import Performance, Variant
from wildrobot_gym.robot import RobotModel

Policy = Callable[[Float[np.ndarray, "env obs"]], Float[np.ndarray, "env joint"]]
_RECORDED = ("qpos", "qvel", "pad_forces", "actuator_forces")


def perform(reference: str, policy: Policy, settings: Mapping[str, Any] | None = None) -> list[Performance]:
    """One performance of every clip of ``reference`` (a file or a shipped name), each from its first frame.

    Args:
        policy: from observations of WildRobotTrack-v0 to actions; called for all clips at once.
        settings: of the environment the policy was trained in.

    A performance ends with its clip, or where the robot falls or loses it.

    Raises:
        ConfigError: another control rate than that at which performances are kept.
    """
    settings = {**(settings or {}), "reference": reference}
    settings.pop("max_episode_steps", None)
    control_dt = settings.get("control_dt", CONTROL_DT)
    if control_dt != CONTROL_DT:
        raise ConfigError(f"Performances are kept every {CONTROL_DT} s; this policy's control_dt is {control_dt} s.")
    clips = load_clips(reference, RobotModel.load(str(settings.get("robot", TrackEnvConfig.robot))))
    env = WildRobotTrackVectorEnv(len(clips), None, autoreset_mode=AutoresetMode.DISABLED, **settings)
    last = np.unique(np.asarray(env.task.clips.last))
    obs = env.begin_at(np.concatenate([[0], last[:-1] + 1]))
    rows: list[dict[str, np.ndarray]] = []
    lengths, fell, over = np.zeros(len(clips), int), np.zeros(len(clips), bool), np.zeros(len(clips), bool)
    while not over.all():
        obs, _, terminated, truncated, _ = env.step(policy(obs))
        state = env.physics_state
        row = {name: np.array(getattr(state, name), np.float32) for name in _RECORDED}
        rows.append(row | {"pad_speed": np.asarray(pad_speed(state))})
        fell |= terminated & ~over
        lengths += ~over & ~terminated  # the fall itself is no part of it
        over |= terminated | truncated
    env.close()
    recorded = {name: np.stack([row[name] for row in rows], axis=1) for name in rows[0]}
    return [
        Performance(
            clip=clip,
            variant=Variant.of(clip),
            first_step=0,
            fell=bool(fell[i]),
            qpos=recorded["qpos"][i, :length],
            qvel=recorded["qvel"][i, :length],
            pad_forces=recorded["pad_forces"][i, :length],
            pad_speed=recorded["pad_speed"][i, :length],
            harness=np.zeros((length, 6), np.float32),
            harness_saturated=np.zeros(length, bool),
            torque=recorded["actuator_forces"][i, :length],
        )
        for i, (clip, length) in enumerate(zip(clips, lengths, strict=True))
    ]
