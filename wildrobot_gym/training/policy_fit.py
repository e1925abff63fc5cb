"""Whether a policy fits an environment: the same robot's joints and the same observation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amp_sbx import CheckpointError
from amp_sbx.common import archive
from wildrobot_gym.config import build
from wildrobot_gym.evaluation.benchmark import evaluation_settings
from wildrobot_gym.task.config import EnvConfig, ObservationConfig


def check_fits(path: Path, env_kwargs: Mapping[str, Any], env: Any) -> None:
    """Raise CheckpointError where a policy is for other channels or for another robot.

    Args:
        path: The policy's file.
        env_kwargs: Environment settings that it was trained with.
        env: The `WildRobotVectorEnv` that it is to run in.
    """
    meta, robot = archive.read_meta(path), env.config.robot
    try:
        sizes = [meta[f"{name}_space"]["shape"][0] for name in ("observation", "action")]
    except (KeyError, IndexError, TypeError):
        return  # not of this package's environments; the algorithm says what is wrong
    settings = evaluation_settings(dict(env_kwargs) | {"robot": robot})
    stored: EnvConfig = build(EnvConfig, settings, "env_kwargs")
    theirs, ours = stored.observation, env.config.observation
    found = [env.single_observation_space.shape[0], env.single_action_space.shape[0]]
    if sizes == found and _columns(theirs) == _columns(ours):
        return
    trained_on = env_kwargs.get("robot", EnvConfig.robot)
    raise CheckpointError(
        f"{path} does not fit.\n"
        f"  The policy: robot {trained_on!r}, {_text(theirs, *sizes)}.\n"
        f"  The environment: robot {robot!r}, {_text(ours, *found)}.\n"
        "Use the policy's own robot and `observation`, or train one for these."
    )


def observed(observation: ObservationConfig) -> str:
    """What a policy observes, as text."""
    text, history = ", ".join(observation.channels), observation.history
    if history.frames == 1:
        return text
    steps = "a control step" if history.stride == 1 else f"{history.stride} control steps"
    return f"{text}, in {history.frames} frames {steps} apart"


def _text(observation: ObservationConfig, num_observed: int, num_joints: int) -> str:
    return f"{num_joints} joints, observing {num_observed} numbers: {observed(observation)}"


def _columns(observation: ObservationConfig) -> tuple[Any, ...]:
    """What the columns mean."""
    scales = {name: sensor.scale for name, sensor in observation.sensors.items() if sensor.scale}
    return observation.channels, observation.history, scales
