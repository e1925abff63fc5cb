"""Training: from a run's settings to a run directory."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from stable_baselines3.common.logger import Logger

from amp_sbx import AMPPPO, GymnasiumVecEnv, InfoMetricsCallback
from amp_sbx.algorithm.compilation import LOGGER
from amp_sbx.common.errors import CheckpointError
from amp_sbx.common.memory import within_memory
from wildrobot_gym.console.signals import stop_signals
from wildrobot_gym.errors import RunError
from wildrobot_gym.evaluation.progress import STEPS
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.training.callbacks import WAITING, CheckpointCallback, Stopped
from wildrobot_gym.training.config import Overrides, RunConfig, load, with_overrides
from wildrobot_gym.training.config.sections import LOOP_SETTINGS
from wildrobot_gym.training.env_state import read_arrays, restore_environment
from wildrobot_gym.training.log_lines import forwarded
from wildrobot_gym.training.logger import make_logger
from wildrobot_gym.training.model import (
    make_model,
    make_reference,
    make_vec_env,
    start_from,
    warm_start,
)
from wildrobot_gym.training.processes import is_leader, lost_processes_named
from wildrobot_gym.training.progress import ProgressCallback
from wildrobot_gym.training.resume import check_amp, check_same_run
from wildrobot_gym.training.run_directory import RunDirectory, steps_of
from wildrobot_gym.training.selection import EvalCallback, best_score
from wildrobot_gym.training.verdicts import verdict_fractions, verdicts_text
from wildrobot_gym.training.wandb_run import check_wandb, wandb_run

GROUPS = ("gait", "reward")  # infos that are logged, by the start of their name
METRICS = ("forward_velocity", "velocity_error", "joint_error", "diverged")


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """What became of a run.

    Attributes:
        directory: The run directory, which knows the path of each file.
        status: "finished", or "stopped" by a signal with a checkpoint. "interrupted" means that a
            second signal stopped it without one.
        num_timesteps: Environment steps that the policy has learned for.
        signum: The signal that ended it; None where it is finished.
        verdicts: Fraction of the iterations with each verdict on the discriminator.
    """

    directory: RunDirectory
    status: Literal["finished", "stopped", "interrupted"]
    num_timesteps: int
    signum: int | None = None
    verdicts: Mapping[str, float] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether the run has all its steps."""
        return self.status == "finished"

    @property
    def path(self) -> Path:
        """The run directory's path."""
        return self.directory.path

    @property
    def policy(self) -> Path | None:
        """The final policy's file; None where the run is not finished."""
        return self.directory.final if self.finished else None


def train(
    config: str | Path | RunConfig,
    *,
    seed: int | None = None,
    overrides: Overrides = (),
    env_id: str | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    handle_signals: bool = False,
    report: Reporter = SILENT,
) -> TrainResult:
    """Train a policy into a run directory, or continue a run from its newest checkpoint.

    Args:
        config: A shipped config's name ("walk_amp"), a YAML file, or a `RunConfig`.
        seed: Random seed; the config's if None.
        overrides: Settings to replace, as `{"amp.weight": 0.2}` or `["amp.weight=0.2"]`.
        env_id: Which section of a file of rl-zoo's form; None takes the only one.
        out: The run directory; `runs/<config>-s<seed>` if None.
        resume: Continue the run in that directory.
        handle_signals: Stop with a checkpoint on SIGINT, SIGTERM and SIGHUP. It needs the main
            thread.
        report: Receives progress and messages.

    Returns:
        The run directory, and how the run ended.

    Raises:
        ConfigError: A setting is unknown or out of range.
        MotionError: The reference motion is damaged or does not fit the robot.
        RunError: The directory is not free, or holds another run.
        amp_sbx.AMPError: The algorithm refuses a setting, or training diverges.

    Example:
        ```python
        run = wr.train("walk_amp", seed=1, overrides={"n_timesteps": 4e6})
        policy = wr.load_policy(run.policy)
        ```
    """
    if isinstance(config, RunConfig):
        name, settings = "run", with_overrides(config, overrides, seed)
    else:
        name = Path(config).stem
        settings = load(str(config), overrides, seed, env_id)
    run = RunDirectory(Path("runs") / f"{name}-s{settings.seed}" if out is None else Path(out))
    report.info(f"process {os.getpid()}, run directory {run.path}")
    with contextlib.ExitStack() as held:
        held.enter_context(forwarded(LOGGER, report))
        if is_leader():
            check_wandb(settings)
        if resume:
            settings = check_same_run(run, settings)
            if is_leader():
                _claim(run, held, report)
        elif is_leader():
            run.check_free()  # now, not after minutes of preparation
        held.enter_context(within_memory(settings.env.n_envs))
        settings = settings.on_this_machine()
        report.info(f"physics backend: {settings.env.backend}")
        model, env = _prepare(settings, run, resume, held, report)
        try:
            return _learn(model, settings, run, handle_signals, report)
        finally:
            env.close()


def _prepare(
    config: RunConfig,
    run: RunDirectory,
    resume: bool,
    held: contextlib.ExitStack,
    report: Reporter,
) -> tuple[AMPPPO, GymnasiumVecEnv]:
    """The algorithm as the newest checkpoint left it, or a new one in a new run directory."""
    newest = max(run.checkpoints(), key=steps_of, default=None) if resume else None
    if newest is not None:
        run.check_motions(config, newest)
    env = make_vec_env(config)
    reference = make_reference(config, env)
    if newest is not None:
        loop = {name: getattr(config.ppo, name) for name in LOOP_SETTINGS}
        model = AMPPPO.load(newest, env=env, reference=reference, **loop)
        check_amp(newest, model, config, run)
        restore_environment(model, read_arrays(newest.with_suffix(".npz")))
        report.info(f"resuming at {model.num_timesteps:,} steps from {newest}")
        return model, env
    model = make_model(config, env, reference)
    if config.trained_agent is None:
        warm_start(model, config, env, report)
    else:
        start_from(model, config.trained_agent, env, report)
    if resume:
        report.info("there is no checkpoint yet: starting from the beginning")
    elif is_leader():
        # Only now: settings that the algorithm refuses must not leave a directory behind.
        run.begin(config)
        _claim(run, held, report)
    return model, env


def _claim(run: RunDirectory, held: contextlib.ExitStack, report: Reporter) -> None:
    """Hold the run's lock, and clear up after a process that was killed."""
    held.enter_context(run.claimed())
    if swept := run.sweep():
        report.info(f"deleted what a killed process left: {', '.join(swept)}")


def _check_unfinished(config: RunConfig, run: RunDirectory, num_timesteps: int) -> None:
    left = config.n_timesteps - num_timesteps
    # A signal can stop a run between its last step and its last file. Then final.zip is missing, or
    # it has fewer steps because the run was shorter before.
    a_call = config.ppo.n_steps * config.env.n_envs * config.ppo.iterations_per_call
    at_its_end = -a_call < left <= 0
    if left <= 0 and run.final.is_file() and not (at_its_end and run.final_steps() < num_timesteps):
        raise RunError(
            f"{run.path} is finished: {num_timesteps:,} of {config.n_timesteps:,} steps."
            " Set a greater n_timesteps to continue it."
        )


def _learn(
    model: AMPPPO, config: RunConfig, run: RunDirectory, handle_signals: bool, report: Reporter
) -> TrainResult:
    left = config.n_timesteps - model.num_timesteps
    _check_unfinished(config, run, model.num_timesteps)
    leader = is_leader()  # the others only take part in learning and in gathering a checkpoint
    if leader:
        run.write_config(config)  # a resumed run can be longer than before
    progress = ProgressCallback(config.n_timesteps, run, report)
    checkpoints = CheckpointCallback(run, config, report)
    best = best_score(run, config.eval)
    evaluate = EvalCallback(run, config, report, best, lambda: checkpoints.asked_to_stop)
    logged = contextlib.ExitStack()
    wandb = logged.enter_context(wandb_run(config, run, report)) if leader else []
    model.set_logger(
        make_logger(run.progress, run.tensorboard, model.num_timesteps, report)
        if leader
        else Logger(None, [])
    )
    for metric, value in model.extra.pop(WAITING, {}).items():
        model.logger.record(metric, value)

    def learn() -> None:
        if left > 0:
            infos = InfoMetricsCallback(METRICS, groups=GROUPS)
            shown = [infos, progress, evaluate, *wandb] if leader else []
            # Without a reset of the count, SB3 adds the steps done so far to the number given.
            model.learn(left, [*shown, checkpoints], reset_num_timesteps=False)
        else:
            for callback in (evaluate, checkpoints):
                callback.init_callback(model)
        progress.stop()
        checkpoints.stop_if_asked()
        if config.eval.every and leader:
            evaluate.evaluate()
        model.logger.record(STEPS, model.num_timesteps)
        model.logger.dump(model.num_timesteps)  # the last update's metrics
        checkpoints.stop_if_asked()
        checkpoints.save()

    on_signals = checkpoints if handle_signals else None
    with logged:
        try:
            with lost_processes_named(str(run.path)):
                stopped = _until_stopped(learn, model, run, on_signals, report)
        finally:
            progress.stop()
            model.logger.close()
    return stopped or _finish(model, run, report)


def _until_stopped(
    learn: Callable[[], None],
    model: AMPPPO,
    run: RunDirectory,
    on_signals: CheckpointCallback | None,
    report: Reporter,
) -> TrainResult | None:
    """Learn; the result where a signal stopped it, else None."""
    if on_signals is None:
        learn()
        return None
    with stop_signals(on_signals.on_signal, on_signals.has_nothing_new):
        try:
            learn()
        except Stopped as stop:
            report.info(f"Stopped at {model.num_timesteps:,} steps. {stop.saved}")
            steps, signum = model.num_timesteps, stop.signum
            return TrainResult(directory=run, status="stopped", num_timesteps=steps, signum=signum)
        except KeyboardInterrupt:
            report.info("Stopped at once; the newest checkpoint is from before.")
            newest = max(map(steps_of, run.checkpoints()), default=0)
            return TrainResult(
                directory=run, status="interrupted", num_timesteps=newest, signum=signal.SIGINT
            )
    return None


def _finish(model: AMPPPO, run: RunDirectory, report: Reporter) -> TrainResult:
    steps = model.num_timesteps
    if not is_leader():
        return TrainResult(directory=run, status="finished", num_timesteps=steps)
    try:
        model.save(run.final, exclude=["replay_buffer"])
    except CheckpointError as error:
        raise RunError(
            f"final.zip was not written: {error} The run's checkpoints are in {run.path}."
        ) from error
    verdicts: dict[str, float] = {}
    with contextlib.suppress(RunError):  # a disk that was full for a while can have damaged it
        verdicts = verdict_fractions(run.progress)
    if verdicts:
        report.info(f"Verdicts on the discriminator, by iterations: {verdicts_text(verdicts)}")
    report.info(f"Done: {run.final}")
    return TrainResult(directory=run, status="finished", num_timesteps=steps, verdicts=verdicts)
