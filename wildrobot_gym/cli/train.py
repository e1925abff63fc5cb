"""`wildrobot train`."""

from __future__ import annotations

from pathlib import Path

import tyro

from wildrobot_gym.console.error_handling import Text


def train(
    config: Text,
    /,
    set: tyro.conf.UseAppendAction[tuple[tuple[str, ...], ...]] = (),
    env: str | None = None,
    seed: int | None = None,
    out: Path | None = None,
    resume: bool = False,
    num_processes: int | None = None,
    process_id: int | None = None,
    coordinator: str | None = None,
    report: bool = True,
) -> int:
    """Train a policy into a run directory.

    The directory holds the settings, metrics, events, checkpoints, the best and the final policy.
    Ctrl-C stops with a checkpoint, and --resume continues from the newest one.

    Args:
        config: Name of a shipped config (walk_amp, walk_ppo, ...) or path of a YAML file.
        set: Settings that replace the config's, such as amp.weight=0.2 n_envs=512.
        env: Environment whose section of an rl-zoo file to take, such as WildRobot-v0.
        seed: Random seed for training and evaluation (default: the config's).
        out: Run directory (default: runs/<config>-s<seed>).
        resume: Continue the run in the run directory from its newest checkpoint.
        num_processes: Number of processes that train together (default: SLURM's or Open MPI's).
        process_id: Number of this process, from 0. Process 0 writes the files.
        coordinator: Address of process 0, as host:port.
        report: Write report.html at the end of a run that evaluates; --no-report leaves it out.
    """
    from wildrobot_gym.console.output import training_console
    from wildrobot_gym.console.reporter import ConsoleReporter
    from wildrobot_gym.reporting import SILENT
    from wildrobot_gym.training.processes import is_leader, joined
    from wildrobot_gym.training.train import train as train_run

    reporter = ConsoleReporter(training_console())
    with joined(coordinator, num_processes, process_id, reporter):
        leader = is_leader()
        result = train_run(
            config,
            seed=seed,
            overrides=[item for group in set for item in group],
            env_id=env,
            out=out,
            resume=resume,
            handle_signals=True,
            report=reporter if leader else SILENT,
        )
    if result.signum is None:
        if report and leader:
            from wildrobot_gym.experiments.report.report import report_training

            if page := report_training(result.directory, reporter):
                reporter.info(f"Report: {page}")
        return 0
    reporter.info("Continue with --resume.")
    return 128 + result.signum
