"""Record a policy's gait and keep the parts of it that pass the quality gates."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from wildrobot_gym.env.rollout import SETTLING_STEPS, perform_walk, rollout_id
from wildrobot_gym.errors import MotionError, RunError
from wildrobot_gym.evaluation.benchmark import make_env
from wildrobot_gym.experiments.datasets import read_report, write_dataset
from wildrobot_gym.experiments.settings import SelfImitateSettings
from wildrobot_gym.files import check_free, file_digest
from wildrobot_gym.motion.analysis import STOP_S
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.mining import MiningReport, mine
from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.reporting import Reporter
from wildrobot_gym.task.walk import SUCCESS_VELOCITY_ERROR
from wildrobot_gym.training.policy import LoadedPolicy
from wildrobot_gym.training.run_directory import RunDirectory

EPISODE_S = 10.0  # a rollout lasts no longer; more seconds need more robots
_ADVICE = (
    "Train the baseline for longer (--grounded-steps; with --force where something was mined),"
    " choose speeds that it walks at (--commands), or give a policy that walks (--policy)."
)


def mine_gait(
    policy: LoadedPolicy,
    settings: SelfImitateSettings,
    reference: Path,
    amp: RunDirectory,
    force: bool,
    report: Reporter,
) -> None:
    """Write the parts of a policy's rollouts that pass the gates as a reference.

    Args:
        policy: The policy.
        settings: Which speeds to record, for how long, with which seed.
        reference: The file to write.
        amp: The AMP run that learns from the reference.
        force: Replace a reference that exists, and delete the AMP run that learned from it.
        report: Receives messages.

    Raises:
        MotionError: Nothing passes the gates at the commanded speed.
        RunError: The reference exists and comes from other rollouts, or an AMP run exists.
    """
    origin = _origin(policy, settings)
    if reference.is_file() and not force:
        _check_same_origin(reference, origin)
        report.info(f"reference: done, {reference}")
        return
    check_free([amp.config], force)  # it learned from a reference that no longer exists
    speeds = np.asarray(settings.commands, np.float32)
    report.info(
        f"reference: recording {settings.seconds:g} s of {policy.path} at each of"
        f" {len(speeds)} speeds"
    )
    mined = _record(policy, speeds, settings)
    wanted = {rollout_id(speed): speed for speed in speeds}
    walked = [
        segment
        for segment in mined.segments
        if abs(segment.command[0] - wanted[segment.motion_id]) <= SUCCESS_VELOCITY_ERROR
    ]
    if force and walked and amp.holds_a_run():
        with amp.claimed():  # not while another process trains it
            shutil.rmtree(amp.path)
    _write(reference, mined, walked, origin)
    kept = sum(segment.seconds for segment in walked)
    report.info(
        f"{reference}: {len(walked)} segments, {kept:.1f} s of {mined.mined_s:.1f} s that pass"
        " the gates"
    )
    if kept < STOP_S:
        report.warning(
            f"{kept:.1f} s are little; {STOP_S:g} s or more are better. Record more with --seconds."
            f" {_ADVICE}"
        )


def _origin(policy: LoadedPolicy, settings: SelfImitateSettings) -> dict[str, Any]:
    """What the reference depends on, as its report holds it."""
    path = policy.path.resolve()
    return {
        "policy": str(path),
        "sha256": file_digest(path),
        "num_timesteps": policy.model.num_timesteps,
        "commands": list(settings.commands),
        "seconds": settings.seconds,
        "seed": settings.seed,
    }


def _check_same_origin(reference: Path, origin: dict[str, Any]) -> None:
    was = (read_report(reference) or {}).get("origin") or {}
    if differing := [name for name in origin if was.get(name) != origin[name]]:
        detail = "; ".join(
            f"{name}: {was.get(name)!r}, asked {origin[name]!r}" for name in differing
        )
        raise RunError(
            f"{reference} was mined from other rollouts. {detail}. Use the same settings, or"
            " another --out (--policy takes a baseline along). --force overwrites the reference and"
            " the AMP run."
        )


def _record(
    policy: LoadedPolicy, speeds: np.ndarray, settings: SelfImitateSettings
) -> MiningReport:
    robots = math.ceil(settings.seconds / EPISODE_S)
    steps = SETTLING_STEPS + round(settings.seconds / robots / CONTROL_DT)
    env = make_env(policy.env_kwargs, len(speeds) * robots, num_steps=steps)
    try:
        rollouts = perform_walk(env, policy, np.repeat(speeds, robots), settings.seed)
        return mine(env.robot, rollouts)
    finally:
        env.close()


def _write(
    reference: Path, mined: MiningReport, walked: list[MotionClip], origin: dict[str, Any]
) -> None:
    try:
        write_dataset(reference, mined, walked, origin)
    except MotionError as error:
        if walked:
            raise
        reason = str(error)
        if mined.segments:
            reason = (
                f"{mined.mined_s:.1f} s passed the gates, but none of it within"
                f" {SUCCESS_VELOCITY_ERROR} m/s of its command."
            )
            if reference.is_file():
                reason += f" {reference} is unchanged."
        raise MotionError(f"{reason} {_ADVICE}") from None
