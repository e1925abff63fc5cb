"""``wildrobot``: one command line for training, judging and looking at walking robots.

Each command's work is imported only when it is called, so that help and typing errors answer at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import tyro

from wildrobot_gym.cli.compare import compare
from wildrobot_gym.cli.enjoy import enjoy, plot
from wildrobot_gym.cli.evaluate import evaluate
from wildrobot_gym.cli.motion import commands as motion_cli
from wildrobot_gym.cli.record import record
from wildrobot_gym.console.error_handling import TYRO_CONFIG, Text, guarded

PROG = "wildrobot"


def train(
    config: Text,
    /,
    set: tyro.conf.UseAppendAction[tuple[tuple[str, ...], ...]] = (),
    seed: int | None = None,
    out: Path | None = None,
    resume: bool = False,
) -> int:
    """Train a policy into a run folder: checkpoints, best by evaluation, final, TensorBoard, progress.csv.

    Args:
        config: A shipped config's name (walk_amp, walk_ppo, ...) or a YAML file.
        set: Settings to change, e.g. --set amp.weight=0.2 n_envs=512.
        seed: Replaces the config's.
        out: The run folder; runs/<config>-s<seed> if not given.
        resume: Go on with the run in that folder from its newest checkpoint.
    """
    from wildrobot_gym.training.train import run_train

    return run_train(config, [item for group in set for item in group], seed, out, resume)


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
    """Path B of the data-first plan: plain PPO, taught not to hop, what of its walk passes the gates mined, then AMP from there.

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


def robot(xml: Annotated[Path, tyro.conf.Positional], /) -> int:
    """Write robot_config.yaml beside a robot's MJCF, from the compiled model.

    Args:
        xml: The MJCF file.
    """
    from wildrobot_gym.robot import write_robot_config

    print(f"Wrote {write_robot_config(xml)}")
    return 0


def motion() -> int:
    """Make, retarget, perform and judge reference motion; `wildrobot motion --help` lists its commands."""
    return 0  # never called: main() hands what follows to the motion commands


SUBCOMMANDS = {
    "train": train,
    "bootstrap": bootstrap,
    "eval": evaluate,
    "compare": compare,
    "enjoy": enjoy,
    "record": record,
    "plot": plot,
    "bench": bench,
    "study": study,
    "doctor": doctor,
    "robot": robot,
    "motion": motion,
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the process's exit code.

    0: done. 1: judged and not passed, or not all could be done. 2: bad input, told in one message (``--debug`` shows where
    it arose). 3: no picture could be drawn. 130, 143: stopped by a signal.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    commands: Any = SUBCOMMANDS  # tyro's stubs want functions that never return
    prog = PROG
    if arguments[:1] == ["motion"]:
        commands, prog, arguments = motion_cli.COMMANDS, f"{PROG} motion", arguments[1:]
    return guarded(
        lambda: tyro.extras.subcommand_cli_from_dict(
            commands, prog=prog, args=arguments, config=TYRO_CONFIG
        ),
        PROG,
        debug,
    )


if __name__ == "__main__":
    sys.exit(main())
