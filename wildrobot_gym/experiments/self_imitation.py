"""``wildrobot bootstrap``: Path B of the data-first plan. Plain PPO learns to walk, what of its walk passes the gates is mined,
and AMP goes on from there with that as its reference.

    out/baseline/        the run of plain PPO (none where a policy is given)
    out/grounded/        the same, on from there under penalties for what the gates refuse: hops (likewise)
    out/reference.npz    the mined segments; reference.report.json: what became of every rollout, and whose they are
    out/amp/             the run of AMP

A stage that is done is not done again, and one that was interrupted goes on.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from wildrobot_gym.config import EnvConfig, build
from wildrobot_gym.console.output import training_console
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.env.rollout import SETTLING_STEPS, perform_walk, rollout_id
from wildrobot_gym.errors import ConfigError, MotionError, RunError
from wildrobot_gym.evaluation.benchmark import POLICY_SETTINGS, make_env
from wildrobot_gym.experiments.datasets import read_report, write_dataset
from wildrobot_gym.files import check_free, file_digest
from wildrobot_gym.motion.analysis import STOP_S
from wildrobot_gym.motion.mining import mine
from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.task.walk import SUCCESS_VELOCITY_ERROR
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import RunConfig
from wildrobot_gym.training.model import NETWORK_SETTINGS
from wildrobot_gym.training.policy import LoadedPolicy, load_policy
from wildrobot_gym.training.resume import check_same_run
from wildrobot_gym.training.run_directory import RunDirectory
from wildrobot_gym.training.train import train

WEIGHT = 0.1  # of the style reward (data-first plan, Path B)
GROUNDED = {  # a baseline that hops, as plain PPO's does, passes hardly a window of the gates
    "env_kwargs.rewards.flight": -10.0,
    "env_kwargs.rewards.short_double_support": -10.0,
    "env_kwargs.rewards.saturation": -2.0,
}
GROUNDED_STEPS = 3_000_000
RAMP_SHARE = 0.5  # of AMP's steps, in which that weight rises from 0
EPISODE_S = 10.0  # a rollout lasts no longer; more seconds are more robots
_ADVICE = (
    "Train the baseline on for longer (--grounded-steps; with --force where something was mined), ask for speeds that it walks at"
    " (--commands), or give a policy that walks (--policy)."
)


def run_bootstrap(
    policy: str | None,
    baseline: str,
    config: str,
    overrides: Sequence[str],
    baseline_steps: int | None,
    grounded_steps: int | None,
    amp_steps: int | None,
    commands: Sequence[float],
    seconds: float,
    seed: int,
    out: Path | None,
    force: bool,
) -> int:
    """All stages that are not done yet; the exit code: 0, or 130 and 143 after a signal.

    Raises:
        ConfigError, RunError: before anything is trained. MotionError: nothing of the baseline's walk passes the gates.
    """
    console = training_console()
    folder = (Path("runs") / f"bootstrap-s{seed}" if out is None else out).resolve()
    plain, grounded, amp = (RunDirectory(folder / name) for name in ("baseline", "grounded", "amp"))
    grounds = grounded_steps != 0
    # The last policy, not the best by evaluation, which does not ask for load on the floor.
    reference, agent = (
        folder / "reference.npz",
        policy or str((grounded if grounds else plain).final),
    )
    amp_config = amp_stage(
        config, reference, agent, amp_steps, overrides, seed, None if force else amp
    )
    if amp_config.amp is None:
        raise ConfigError("The last stage learns from what was mined; amp cannot be null there.")
    _check_rollouts(commands, seconds, amp_config.amp.single_motion)
    if policy is None:
        settings = [] if baseline_steps is None else [f"n_timesteps={baseline_steps}"]
        plain_config = run_config.load(baseline, settings, seed)
        _check_fits(plain_config, amp_config)
        stages = [("baseline", plain_config, plain)]
        if grounds:
            steps = GROUNDED_STEPS if grounded_steps is None else grounded_steps
            stages.append(("grounded", grounded_stage(plain_config, plain, steps), grounded))
            if grounded.holds_a_run() and (begun := plain.final_steps()) < plain_config.n_timesteps:
                raise RunError(
                    f"{grounded.path} went on from a baseline of {begun:,} steps, but {plain_config.n_timesteps:,} are asked for."
                    " Ask for the same, or choose another --out."
                )
        if (
            reference.is_file()
            and not force
            and any(run.final_steps() < asked.n_timesteps for _, asked, run in stages)
        ):
            raise RunError(
                f"{reference} was mined before the training that is asked for now. Ask for what was trained (--grounded-steps 0:"
                " not on without hops), choose another --out, or mine and learn anew by --force."
            )
        for stage, stage_config, run in stages:
            if code := _train(stage, baseline, stage_config, run, console):
                return code
    elif baseline_steps is not None or grounded_steps is not None:
        name = "--grounded-steps" if baseline_steps is None else "--baseline-steps"
        raise ConfigError(
            f"{name} is for a baseline that is trained, but --policy gives one. Leave one of the two out."
        )
    else:
        console.print(f"baseline: {policy}", highlight=False, markup=False)
    walker = load_policy(agent)
    _check_same_task(walker.env_kwargs, amp_config)
    _mine(walker, commands, seconds, seed, reference, amp, force, console)
    return _train("amp", config, amp_config, amp, console)


def grounded_stage(baseline: RunConfig, plain: RunDirectory, steps: int) -> RunConfig:
    """The baseline's settings for ``steps`` more, from its networks, with :data:`GROUNDED`'s penalties or heavier."""
    own = baseline.resolved()
    penalties = {key: min(value, own[key]) for key, value in GROUNDED.items()}
    changes = {**penalties, "trained_agent": str(plain.final), "n_timesteps": steps}
    return run_config.with_overrides(baseline, changes)


def amp_stage(
    config: str,
    reference: Path,
    agent: str,
    steps: int | None,
    overrides: Sequence[str],
    seed: int,
    run: RunDirectory | None,
) -> RunConfig:
    """The last stage: it begins with the baseline's networks, at the plan's low weight, which rises from 0.

    ``overrides`` come last, so that they may change any of it. The weight rises as it does in ``run``, where that is begun
    already, however long it is to go on.
    """
    first = {
        "amp.reference": str(reference),
        "env_kwargs.reference": str(reference),
        "trained_agent": agent,
        "seed": seed,
    }
    first |= {"amp.weight": WEIGHT} | ({} if steps is None else {"n_timesteps": steps})

    def settled(more: Mapping[str, Any]) -> RunConfig:
        values = run_config.read_mapping(config)
        for key, value in {**first, **more}.items():
            run_config.override(values, key, value)
        run_config.override_all(values, overrides)
        return run_config.from_mapping(values)

    begun = run.read_config() if run is not None and run.holds_a_run() else {}
    schedule = (begun.get("amp") or {}).get("schedule")
    if schedule is None:
        ramp_end = RAMP_SHARE * settled({"amp.schedule": {}}).n_timesteps
        schedule = {"initial": 0.0, "ramp_start": 0.0, "ramp_end": ramp_end, "final": 1.0}
    return settled({"amp.schedule": schedule})


def _train(stage: str, name: str, config: RunConfig, run: RunDirectory, console: Console) -> int:
    """A run begun, gone on with, or left as it is where it has the steps asked for; the exit code.

    Raises:
        RunError: it was begun with other settings.
    """
    begun = run.holds_a_run()
    if begun:
        check_same_run(run, config)
    done = run.final_steps() if begun else 0
    if done >= config.n_timesteps:
        text = f"{stage}: done, {done:,} steps in {run.path}"
        console.print(text, highlight=False, soft_wrap=True, markup=False)
        return 0
    verb = "going on with" if begun else "training"
    text = f"{stage}: {verb} {name} to {config.n_timesteps:,} steps in {run.path}"
    console.print(text, highlight=False, soft_wrap=True, markup=False)
    report = ConsoleReporter(console)
    result = train(config, out=run.path, resume=begun, handle_signals=True, report=report)
    if result.signum is not None:
        console.print("`wildrobot bootstrap` goes on with it when it is called as before.")
        return 128 + result.signum
    return 0


def _mine(
    walker: LoadedPolicy,
    commands: Sequence[float],
    seconds: float,
    seed: int,
    reference: Path,
    amp: RunDirectory,
    force: bool,
    console: Console,
) -> None:
    """What passes the gates of the policy's rollouts, into ``reference``. ``force``: in place of what is there, and of the AMP
    run that learned from it, once there is something.

    Raises:
        RunError: it is there, of other rollouts; or an AMP run that learned from another. MotionError: nothing passes, or
            only where the robot does not walk as it is asked to: the gates would let it stand.
    """
    asked = {"commands": list(commands), "seconds": seconds, "seed": seed}
    path = walker.path.resolve()
    origin = {
        "policy": str(path),
        "sha256": file_digest(path),
        "num_timesteps": walker.model.num_timesteps,
        **asked,
    }
    if reference.is_file() and not force:
        was = (read_report(reference) or {}).get("origin") or {}
        if differing := [name for name in origin if was.get(name) != origin[name]]:
            detail = "; ".join(
                f"{name}: {was.get(name)!r}, asked {origin[name]!r}" for name in differing
            )
            raise RunError(
                f"{reference} was mined from other rollouts. {detail}. Ask for the same, choose another --out (--policy takes a"
                " baseline along), or overwrite it and the AMP run by --force."
            )
        console.print(
            f"reference: done, {reference}", highlight=False, soft_wrap=True, markup=False
        )
        return
    check_free([amp.config], force)  # it learned from a reference that is gone
    robots = math.ceil(seconds / EPISODE_S)
    steps = SETTLING_STEPS + round(seconds / robots / CONTROL_DT)
    asked_mps = np.asarray(commands, np.float32)
    text = f"reference: recording {seconds:g} s of {walker.path} at each of {len(commands)} speeds"
    console.print(text, highlight=False, soft_wrap=True, markup=False)
    env = make_env(walker.env_kwargs, len(asked_mps) * robots, num_steps=steps)
    try:
        report = mine(env.robot, perform_walk(env, walker, np.repeat(asked_mps, robots), seed))
    finally:
        env.close()
    wanted = {rollout_id(speed): speed for speed in asked_mps}
    walked = [
        s
        for s in report.segments
        if abs(s.command[0] - wanted[s.motion_id]) <= SUCCESS_VELOCITY_ERROR
    ]
    if force and walked and amp.holds_a_run():
        with amp.claimed():  # not while another process trains it
            shutil.rmtree(amp.path)
    try:
        write_dataset(reference, report, walked, origin)
        kept = sum(segment.seconds for segment in walked)
        text = f"{reference}: {len(walked)} segments, {kept:.1f} s of {report.mined_s:.1f} s that pass the gates"
        console.print(text, highlight=False, soft_wrap=True, markup=False)
    except MotionError as error:
        if walked:
            raise
        slow = f"{report.mined_s:.1f} s passed the gates, but none of it within {SUCCESS_VELOCITY_ERROR} m/s of its command."
        slow += (
            f" {reference} is as it was." if reference.is_file() else ""
        )  # by force; then what is there stays
        raise MotionError(f"{slow if report.segments else error} {_ADVICE}") from None
    kept = sum(segment.seconds for segment in walked)
    if kept < STOP_S:
        text = f"[yellow]That is little:[/] the plan stops under {STOP_S:g} s. More --seconds give more. {_ADVICE}"
        console.print(text, highlight=False, soft_wrap=True)


def _check_rollouts(commands: Sequence[float], seconds: float, single_motion: bool) -> None:
    slowest = SUCCESS_VELOCITY_ERROR
    if not all(slowest < abs(speed) < math.inf for speed in commands):
        raise ConfigError(
            f"commands are {list(commands)}; allowed: more than {slowest:g} m/s either way, at which standing is no answer."
        )
    if len(commands) < (fewest := 1 if single_motion else 2):
        raise ConfigError(
            f"commands are {list(commands)}; allowed: {fewest} speed{'s' * (fewest > 1)} or more, each of which is a motion to"
            " learn from. --set amp.single_motion=true allows a single one."
        )
    if len({rollout_id(speed) for speed in commands}) < len(commands):
        raise ConfigError(f"commands are {list(commands)}; allowed: each speed once.")
    if not 1.0 <= seconds < math.inf:
        raise ConfigError(f"seconds is {seconds}; allowed: 1 or more at each speed.")


def _check_fits(plain: RunConfig, amp: RunConfig) -> None:
    """Raise ConfigError where the second run cannot begin with the networks of the first: now, not after its training."""
    for name in NETWORK_SETTINGS:
        theirs, ours = getattr(plain.ppo, name), getattr(amp.ppo, name)
        if theirs != ours:
            raise ConfigError(
                f"{name} is {theirs!r} in the baseline and {ours!r} in the AMP run. Ask for the same in both."
            )
    _check_same_task(plain.env.env_kwargs(), amp)


def _check_same_task(env_kwargs: Mapping[str, Any], amp: RunConfig) -> None:
    """Raise ConfigError where a policy trained with ``env_kwargs`` would see or do something else in the AMP run."""
    theirs, ours = (
        build(EnvConfig, {name: values[name] for name in POLICY_SETTINGS if name in values})
        for values in (env_kwargs, amp.env.env_kwargs())
    )
    for name in POLICY_SETTINGS:
        if getattr(theirs, name) != getattr(ours, name):
            raise ConfigError(
                f"env_kwargs.{name} is {getattr(theirs, name)} in the baseline and {getattr(ours, name)} in the AMP run."
                f" Ask for the same in both; --set env_kwargs.{name}=... changes the AMP run's."
            )
    if ours.control_dt != CONTROL_DT:
        raise ConfigError(
            f"env_kwargs.control_dt is {ours.control_dt}; segments are mined at {CONTROL_DT} s, and only there."
        )
