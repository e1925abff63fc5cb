"""The run configs of self-imitation, and what they must have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wildrobot_gym.config import build
from wildrobot_gym.env.rollout import rollout_id
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.evaluation.benchmark import POLICY_SETTINGS
from wildrobot_gym.experiments.settings import SelfImitateSettings
from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.task.walk import SUCCESS_VELOCITY_ERROR
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import Overrides, RunConfig
from wildrobot_gym.training.policy import LoadedPolicy
from wildrobot_gym.training.run_directory import RunDirectory

WEIGHT = 0.1  # of the style reward
GROUNDED = {  # a baseline that hops, as plain PPO's does, passes hardly a window of the gates
    "env_kwargs.rewards.flight": -10.0,
    "env_kwargs.rewards.short_double_support": -10.0,
    "env_kwargs.rewards.saturation": -2.0,
}
GROUNDED_STEPS = 3_000_000
RAMP_FRACTION = 0.5  # of the AMP run's steps, in which the weight rises from 0


def grounded_stage(baseline: RunConfig, plain: RunDirectory, steps: int) -> RunConfig:
    """Settings of the run in which the baseline learns not to hop.

    Args:
        baseline: Settings of the baseline.
        plain: Run directory of the baseline, whose networks it starts with.
        steps: Environment steps.

    Returns:
        The baseline's settings with the penalties of `GROUNDED`, or its own where heavier.
    """
    own = baseline.resolved()
    penalties = {key: min(value, own[key]) for key, value in GROUNDED.items()}
    changes = {**penalties, "trained_agent": str(plain.final), "n_timesteps": steps}
    return run_config.with_overrides(baseline, changes)


def amp_stage(
    settings: SelfImitateSettings,
    overrides: Overrides,
    reference: Path,
    agent: str,
    given: LoadedPolicy | None,
    run: RunDirectory | None,
) -> RunConfig:
    """Settings of the AMP run. It starts with the baseline's networks and a weight of 0.

    Args:
        settings: Settings of the experiment.
        overrides: Settings that replace all others.
        reference: The mined reference.
        agent: The policy whose networks the run starts with.
        given: That policy, if it was there before. The run is symmetric in its way, and its critic
            sees the same.
        run: The AMP run; if it has begun already, its schedule stays. None to begin again.
    """
    first = {
        "amp.reference": str(reference),
        "env_kwargs.reference": str(reference),
        "trained_agent": agent,
        "seed": settings.seed,
        "amp.weight": WEIGHT,
    }
    if given is not None:
        first["symmetric_policy"] = given.model.symmetric_policy
        first["critic_obs"] = given.model.critic_obs
    if settings.amp_steps is not None:
        first["n_timesteps"] = settings.amp_steps

    def with_schedule(schedule: Mapping[str, Any]) -> RunConfig:
        values = run_config.read_mapping(settings.config)
        for key, value in {**first, "amp.schedule": schedule}.items():
            run_config.override(values, key, value)
        run_config.override_all(values, overrides)
        return run_config.from_mapping(values)

    begun = run.read_config() if run is not None and run.holds_a_run() else {}
    schedule = (begun.get("amp") or {}).get("schedule")
    if schedule is None:
        ramp_end = RAMP_FRACTION * with_schedule({}).n_timesteps
        schedule = {"initial": 0.0, "ramp_start": 0.0, "ramp_end": ramp_end, "final": 1.0}
    return with_schedule(schedule)


def check_rollouts(commands: Sequence[float], seconds: float, single_motion: bool) -> None:
    """Raise ConfigError for rollouts that no reference can be mined from.

    Args:
        commands: Forward speeds to record, in m/s.
        seconds: Seconds of walking at each speed.
        single_motion: Whether AMP may learn from a single motion.
    """
    slowest = SUCCESS_VELOCITY_ERROR
    if not all(slowest < abs(speed) < math.inf for speed in commands):
        raise ConfigError(
            f"commands are {list(commands)}; allowed: more than {slowest:g} m/s either way."
            " A robot that stands would follow slower ones."
        )
    if len(commands) < (fewest := 1 if single_motion else 2):
        raise ConfigError(
            f"commands are {list(commands)}; allowed: {fewest} speed{'s' * (fewest > 1)} or more,"
            " each of which is a motion to learn from. --set amp.single_motion=true allows a"
            " single one."
        )
    if len({rollout_id(speed) for speed in commands}) < len(commands):
        raise ConfigError(f"commands are {list(commands)}; allowed: each speed once.")
    if not 1.0 <= seconds < math.inf:
        raise ConfigError(f"seconds is {seconds}; allowed: 1 or more at each speed.")


def check_fits(plain: RunConfig, amp: RunConfig) -> None:
    """Raise ConfigError if the AMP run cannot start with the networks of the baseline.

    Args:
        plain: Settings of the baseline.
        amp: Settings of the AMP run.
    """
    for name in ("policy_kwargs", "symmetric_policy", "critic_obs"):
        theirs, ours = getattr(plain.ppo, name), getattr(amp.ppo, name)
        if theirs != ours:
            raise ConfigError(
                f"{name} is {theirs!r} in the baseline and {ours!r} in the AMP run."
                " Use the same value in both."
            )
    check_same_task(plain.env.env_kwargs(), amp)


def check_same_task(env_kwargs: Mapping[str, Any], amp: RunConfig) -> None:
    """Raise ConfigError if a policy's observations or actions differ in the AMP run.

    Args:
        env_kwargs: Environment settings that the policy was trained with.
        amp: Settings of the AMP run.
    """
    theirs, ours = (
        build(EnvConfig, {name: values[name] for name in POLICY_SETTINGS if name in values})
        for values in (env_kwargs, amp.env.env_kwargs())
    )
    for name in POLICY_SETTINGS:
        if getattr(theirs, name) != getattr(ours, name):
            raise ConfigError(
                f"env_kwargs.{name} is {getattr(theirs, name)} in the baseline and"
                f" {getattr(ours, name)} in the AMP run. Use the same value in both;"
                f" --set env_kwargs.{name}=... changes the AMP run's."
            )
    if ours.control_dt != CONTROL_DT:
        raise ConfigError(
            f"env_kwargs.control_dt is {ours.control_dt}; allowed: {CONTROL_DT} s, at which"
            " segments are mined."
        )
