"""Commands of `wildrobot` that do not yet have a file of their own."""

from __future__ import annotations

from pathlib import Path

import tyro

from wildrobot_gym.console.error_handling import Text


def bootstrap(
    policy: str | None = None,
    baseline: str = "walk_ppo",
    config: str = "walk_amp",
    set: tyro.conf.UseAppendAction[tuple[tuple[str, ...], ...]] = (),
    baseline_steps: int | None = None,
    grounded_steps: int | None = None,
    amp_steps: int | None = None,
    commands: tuple[float, ...] = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    seconds: float = 30.0,
    seed: int = 0,
    out: Path | None = None,
    force: bool = False,
) -> int:
    """Train PPO, keep the parts of its own gait that pass the quality gates, and continue with AMP on that reference.

    Called again it goes on where it stood: what is done is left as it is.

    Args:
        policy: A .zip file, a run folder, or a shipped policy, in place of a baseline that is trained.
        baseline: The run config of the baseline.
        config: The run config of the AMP run; its reference, weight (0.1, rising from 0) and beginning are set.
        set: Settings of the AMP run to change, e.g. --set amp.weight=0.2.
        baseline_steps: Environment steps of the baseline; its config's if not given.
        grounded_steps: Further steps in which the baseline learns not to hop, which the gates refuse; 3 M if not given, 0: none.
        amp_steps: Environment steps of the AMP run; its config's if not given.
        commands: Forward speeds that are recorded, m/s.
        seconds: Of walking recorded at each speed.
        seed: Of all runs and of the recording.
        out: The folder; runs/bootstrap-s<seed> if not given.
        force: Mine anew and train AMP anew where that is done already; a baseline is never trained anew.
    """
    from wildrobot_gym.experiments.self_imitation import run_bootstrap

    overrides = [item for group in set for item in group]
    return run_bootstrap(
        policy,
        baseline,
        config,
        overrides,
        baseline_steps,
        grounded_steps,
        amp_steps,
        commands,
        seconds,
        seed,
        out,
        force,
    )


def bench(
    json: Path | None = None, envs: int = 1024, quick: bool = False, config: str = "walk_amp"
) -> int:
    """Measure speed against bare physics and against what one would otherwise write.

    Args:
        json: Write the figures there.
        envs: Number of environments.
        quick: Few repeats; for a first look only.
        config: The run config whose training is measured.
    """
    from wildrobot_gym.cli.bench import run_bench

    return run_bench(json, envs, quick, config)


def study(file: Text, /, jobs: int = 1, table: bool = False, out: Path | None = None) -> int:
    """Train every arm of a study with every seed, judge the final policies, and put them into one table; go on with one.

    Args:
        file: A shipped study's name (amp, loss, history, ...) or a YAML file.
        jobs: Runs at a time, each in its own process.
        table: Only the table of what is done so far.
        out: Folder of the table; runs/studies/<study> if not given.
    """
    from wildrobot_gym.cli.study import run_study

    return run_study(file, jobs, table, out)


def doctor() -> int:
    """Say what works on this machine, what does not, and what to do about it."""
    from wildrobot_gym.cli.doctor import run_doctor

    return run_doctor()
