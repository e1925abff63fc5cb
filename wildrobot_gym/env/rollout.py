"""Motion that a policy performs in physics, by its servos alone: a tracking or a walking policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from jaxtyping import Float

from wildrobot_gym.env.robot_vector_env import RobotVectorEnv
from wildrobot_gym.env.track_env import WildRobotTrackVectorEnv
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.motion.tracking.performance import ONCE, Performance, Variant
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import TrackEnvConfig

Policy = Callable[[Float[np.ndarray, "env obs"]], Float[np.ndarray, "env joint"]]
SETTLING_STEPS = 50  # control steps from the home pose into the gait, which are cut off
ROLLOUT_SOURCE = "rollouts of a walking policy"
_RECORDED = ("qpos", "qvel", "pad_forces", "actuator_forces")


def perform(
    reference: str, policy: Policy, settings: Mapping[str, Any] | None = None
) -> list[Performance]:
    """Perform every clip of a reference once, from its first frame.

    A performance ends with its clip, or where the robot falls or loses the clip. The robot is the
    nominal one, undisturbed, on a level floor.

    Args:
        reference: A file or a shipped name.
        policy: From observations of `WildRobotTrack-v0` to actions, for all clips at once.
        settings: Of the environment that the policy was trained in.

    Raises:
        ConfigError: the control rate is not the one of performances.
    """
    settings = {**nominal(settings or {}), "reference": reference}
    _check_rate(settings.get("control_dt", CONTROL_DT))
    clips = load_clips(reference, RobotModel.load(str(settings.get("robot", TrackEnvConfig.robot))))
    env = WildRobotTrackVectorEnv(
        len(clips), None, autoreset_mode=AutoresetMode.DISABLED, **settings
    )
    last = np.unique(np.asarray(env.task.clips.last))
    obs = env.begin_at(np.concatenate([[0], last[:-1] + 1]))
    about = [
        {
            "motion_id": c.motion_id,
            "variant": Variant.of(c),
            "source": c.source,
            "licence": c.licence,
            "commands": None if c.commands is None else _at_steps(c),
        }
        for c in clips
    ]
    performances = _performed(env, policy, obs, about)
    env.close()
    return performances


def nominal(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of an undisturbed robot on a level floor, without rewards.

    Rewards and randomization could name a module, and a policy's file must not import one.

    Args:
        settings: Of the environment that a policy was trained in.
    """
    unused = ("max_episode_steps", "rewards", "randomization", "disturbances", "terrain")
    return {name: value for name, value in settings.items() if name not in unused}


def perform_walk(
    env: WildRobotVectorEnv, policy: Policy, speeds: Float[np.ndarray, " env"], seed: int = 0
) -> list[Performance]:
    """Walk once in every environment, straight ahead from the home pose.

    A performance is cut by its first second, and ends with the episode or a fall. Performances of
    one speed belong to one motion.

    Args:
        env: `WildRobot-v0` with a time limit, and with autoreset DISABLED.
        policy: From its observations to actions, for all environments at once.
        speeds: (env,) commanded speeds, m/s.
        seed: Of the reset.

    Raises:
        ConfigError: the control rate is not the one of performances.
    """
    _check_rate(env.config.control_dt)
    obs = env.begin_with(
        np.stack([speeds, np.zeros_like(speeds), np.zeros_like(speeds)], axis=1), seed
    )
    about = [
        {"motion_id": rollout_id(v), "variant": ONCE, "source": ROLLOUT_SOURCE, "licence": ""}
        for v in speeds
    ]
    return [
        _without_beginning(performance, SETTLING_STEPS)
        for performance in _performed(env, policy, obs, about)
    ]


def rollout_id(speed: float) -> str:
    """Name of the motion that all rollouts at this speed belong to."""
    return f"policy_{speed:g}"


def _check_rate(control_dt: float) -> None:
    if control_dt != CONTROL_DT:
        raise ConfigError(
            f"Performances are kept every {CONTROL_DT} s; this policy's control_dt is"
            f" {control_dt} s."
        )


def _performed(
    env: RobotVectorEnv, policy: Policy, obs: np.ndarray, about: Sequence[Mapping[str, Any]]
) -> list[Performance]:
    """What every environment does until its episode is over.

    `about` has the known fields of each performance.
    """
    rows: list[dict[str, np.ndarray]] = []
    count = env.num_envs
    lengths, fell, over = np.zeros(count, int), np.zeros(count, bool), np.zeros(count, bool)
    while not over.all():
        obs, _, terminated, truncated, _ = env.step(policy(obs))
        state = env.physics_state
        row = {name: np.array(getattr(state, name), np.float32) for name in _RECORDED}
        rows.append(row | {"pad_speed": np.asarray(state.pad_speed)})
        fell |= terminated & ~over
        lengths += ~over & ~terminated  # without the fall itself
        over |= terminated | truncated
    recorded = {name: np.stack([row[name] for row in rows], axis=1) for name in rows[0]}
    return [
        Performance(
            **_first(known, length),
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
        for i, (known, length) in enumerate(zip(about, lengths, strict=True))
    ]


def _first(known: Mapping[str, Any], length: int) -> dict[str, Any]:
    """What is known of a performance that is `length` steps long."""
    return {k: v[:length] if isinstance(v, np.ndarray) else v for k, v in known.items()}


def _at_steps(clip: MotionClip) -> Float[np.ndarray, "step 3"]:
    """Commands of the states after each control step from a clip's first frame on."""
    return clip.commands_at(1.0 / CONTROL_DT)[1:]


def _without_beginning(performance: Performance, steps: int) -> Performance:
    """A performance without its first control steps; a shorter one becomes empty."""
    arrays: dict[str, Any] = {
        name: value[steps:]
        for name, value in vars(performance).items()
        if isinstance(value, np.ndarray)
    }
    return replace(performance, first_step=steps, **arrays)
