"""Train PPO, keep the parts of its gait that pass the quality gates, and continue with AMP.

The directory `out` has these files:

- `baseline/`: PPO's run. There is none if a policy is given.
- `grounded/`: The baseline, trained further with penalties for hops. Likewise.
- `reference.npz`: The mined segments.
- `reference.report.json`: What became of every rollout.
- `amp/`: The AMP run.

A stage that is done is not repeated, and one that was interrupted is resumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wildrobot_gym.errors import ConfigError, RunError
from wildrobot_gym.experiments.self_imitation.mining import mine_gait
from wildrobot_gym.experiments.self_imitation.stages import (
    GROUNDED_STEPS,
    amp_stage,
    check_fits,
    check_rollouts,
    check_same_task,
    grounded_stage,
)
from wildrobot_gym.experiments.settings import SelfImitateSettings
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import Overrides, RunConfig
from wildrobot_gym.training.policy import load_policy
from wildrobot_gym.training.resume import check_same_run
from wildrobot_gym.training.run_directory import RunDirectory
from wildrobot_gym.training.train import train


@dataclass(frozen=True)
class Stage:
    """One training run of the experiment: its name, its config and its run directory."""

    name: str
    config_name: str
    config: RunConfig
    run: RunDirectory


@dataclass(frozen=True)
class SelfImitationResult:
    """What a self-imitation made.

    Attributes:
        reference: The mined reference.
        amp: Run directory of the AMP run.
        signum: The signal that stopped it; None if all stages are done.
    """

    reference: Path
    amp: RunDirectory
    signum: int | None = None


def self_imitate(
    settings: SelfImitateSettings | None = None,
    *,
    overrides: Overrides = (),
    out: Path | None = None,
    force: bool = False,
    handle_signals: bool = False,
    report: Reporter = SILENT,
) -> SelfImitationResult:
    """Run all stages that are not done yet.

    Args:
        settings: Settings of the experiment.
        overrides: Settings of the AMP run that replace all others.
        out: Directory for all files; runs/self-imitate-s<seed> by default.
        force: Repeat the mining and the AMP run. A baseline is never trained again.
        handle_signals: Stop with a checkpoint on SIGINT, SIGTERM and SIGHUP. It needs the main
            thread.
        report: Receives messages and progress.

    Returns:
        The reference and the AMP run.

    Raises:
        ConfigError: A setting is wrong; before anything is trained.
        MotionError: Nothing of the policy's gait passes the gates.
        RunError: A stage was run with other settings.
    """
    s = settings or SelfImitateSettings()
    folder = (Path("runs") / f"self-imitate-s{s.seed}" if out is None else out).resolve()
    plain, grounded, amp = (RunDirectory(folder / name) for name in ("baseline", "grounded", "amp"))
    reference = folder / "reference.npz"
    # The last policy: the evaluation, which picks the best one, does not penalize hops.
    agent = s.policy or str((plain if s.grounded_steps == 0 else grounded).final)
    given = None if s.policy is None else load_policy(s.policy)
    amp_config = amp_stage(s, overrides, reference, agent, given, None if force else amp)
    if amp_config.amp is None:
        raise ConfigError("amp cannot be null: the last stage learns from the mined reference.")
    check_rollouts(s.commands, s.seconds, amp_config.amp.single_motion)
    amp_config.env.settings.rewards.terms()  # a missing module is found before the baseline
    for stage in _baseline_stages(s, amp_config, plain, grounded, reference, force):
        signum = _train(stage, handle_signals, report)
        if signum is not None:
            return SelfImitationResult(reference, amp, signum)
    if s.policy is not None:
        report.info(f"baseline: {s.policy}")
    walker = load_policy(agent) if given is None else given
    check_same_task(walker.env_kwargs, amp_config)
    mine_gait(walker, s, reference, amp, force, report)
    signum = _train(Stage("amp", s.config, amp_config, amp), handle_signals, report)
    return SelfImitationResult(reference, amp, signum)


def _baseline_stages(
    s: SelfImitateSettings,
    amp_config: RunConfig,
    plain: RunDirectory,
    grounded: RunDirectory,
    reference: Path,
    force: bool,
) -> list[Stage]:
    """The training of the baseline, checked against what is there; none if a policy is given."""
    if s.policy is not None:
        if s.baseline_steps is not None or s.grounded_steps is not None:
            name = "--grounded-steps" if s.baseline_steps is None else "--baseline-steps"
            raise ConfigError(
                f"{name} is for a baseline that is trained, but --policy gives one."
                " Omit one of them."
            )
        return []
    settings = [] if s.baseline_steps is None else [f"n_timesteps={s.baseline_steps}"]
    config = run_config.load(s.baseline, settings, s.seed)
    check_fits(config, amp_config)
    stages = [Stage("baseline", s.baseline, config, plain)]
    if s.grounded_steps != 0:
        steps = GROUNDED_STEPS if s.grounded_steps is None else s.grounded_steps
        further = grounded_stage(config, plain, steps)
        stages.append(Stage("grounded", s.baseline, further, grounded))
        if grounded.holds_a_run() and (begun := plain.final_steps()) < config.n_timesteps:
            raise RunError(
                f"{grounded.path} continued from a baseline of {begun:,} steps, but"
                f" {config.n_timesteps:,} are asked for. Use the same number, or another --out."
            )
    longer = any(stage.run.final_steps() < stage.config.n_timesteps for stage in stages)
    if reference.is_file() and not force and longer:
        raise RunError(
            f"{reference} was mined before the training that is asked for now. Use the steps that"
            " were trained (--grounded-steps 0 for none of that stage), another --out, or --force"
            " to mine and learn again."
        )
    return stages


def _train(stage: Stage, handle_signals: bool, report: Reporter) -> int | None:
    """Begin or resume a run, or leave it as it is if it is done; the signal that stopped it.

    Raises:
        RunError: It was begun with other settings.
    """
    run, config = stage.run, stage.config
    begun = run.holds_a_run()
    if begun:
        check_same_run(run, config)
    done = run.final_steps() if begun else 0
    if done >= config.n_timesteps:
        report.info(f"{stage.name}: done, {done:,} steps in {run.path}")
        return None
    verb = "resuming" if begun else "training"
    report.info(
        f"{stage.name}: {verb} {stage.config_name} to {config.n_timesteps:,} steps in {run.path}"
    )
    result = train(config, out=run.path, resume=begun, handle_signals=handle_signals, report=report)
    return result.signum
