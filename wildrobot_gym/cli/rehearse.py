"""`wildrobot rehearse`: an exported policy on a simulated robot, as on the real one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from wildrobot_gym.console.error_handling import Text
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.console.signals import unhurried
from wildrobot_gym.evaluation.protocol import COMMANDS, EPISODES
from wildrobot_gym.experiments.rehearse.settings import Disturbances, RehearseSettings

if TYPE_CHECKING:
    from wildrobot_gym.experiments.rehearse.run import Stage


def rehearse(
    folder: Text,
    /,
    settings: tyro.conf.OmitArgPrefixes[RehearseSettings] = RehearseSettings(),
    disturbances: tyro.conf.OmitArgPrefixes[Disturbances] = Disturbances(),
    window: bool = False,
    log: Path | None = None,
    benchmark: bool = False,
    commands: tuple[float, ...] = COMMANDS,
    episodes: int = EPISODES,
    json: Path | None = None,
    serve: int | None = None,
) -> int:
    """Run an exported policy in plain MuJoCo, on any MJCF.

    The control loop of a real robot runs: soft start, policy, safety, damped stop. The exit code is
    1 where it stopped the robot early.

    Args:
        folder: Folder that `wildrobot export` wrote.
        window: Show the robot in a window, in real time. Keys change the command.
        log: Write every control step to this .npz file.
        benchmark: Run the walk benchmark in place of a single run.
        commands: Forward speeds of the benchmark, in m/s.
        episodes: Number of the benchmark's episodes at each speed.
        json: Write the benchmark's results to this JSON file.
        serve: Be the robot for a control loop elsewhere, on this UDP port of this computer; 0 takes
            a free one.
    """
    from wildrobot_gym.experiments.rehearse.run import Stage

    reporter = ConsoleReporter()
    stage = Stage(folder, settings, disturbances)
    for difference in stage.differences():
        reporter.warning(difference)
    if serve is not None:
        return _serve(stage, serve, reporter)
    if benchmark:
        return _benchmark(stage, commands, episodes, json, reporter)
    if window:
        from wildrobot_gym.experiments.rehearse.keys import HELP

        reporter.info(HELP)
    with unhurried():  # an interrupted run ends with the damped stop, and keeps its log
        result = stage.run(window)
        if log is not None:
            result.log.save(log)
            reporter.info(f"Log: {log}")
    speed = result.forward_velocity
    walked = "" if speed is None else f" Its mean forward velocity was {speed:.3f} m/s."
    reporter.info(f"The run ended: {result.reason}.{walked}")
    return 0 if result.reason in ("done", "interrupted") else 1


def _benchmark(
    stage: Stage,
    commands: tuple[float, ...],
    episodes: int,
    json: Path | None,
    reporter: ConsoleReporter,
) -> int:
    from wildrobot_gym.cli.evaluate import walk_table
    from wildrobot_gym.experiments.rehearse.walk import benchmark_json, run_benchmark
    from wildrobot_gym.files import write_json

    with reporter.progress("episodes", len(commands) * episodes) as advance:
        result = run_benchmark(stage, commands, episodes, lambda: advance(1))
    reporter.console.print(walk_table(result))
    if json is not None:
        write_json(json, benchmark_json(stage, result))
        reporter.info(f"Results: {json}")
    return 0


def _serve(stage: Stage, port: int, reporter: ConsoleReporter) -> int:
    from wildrobot_gym.experiments.rehearse.serve import open_server, serve

    server = open_server(port)
    reporter.info(f"The robot is at 127.0.0.1:{server.port}. Ctrl-C ends it.")
    try:
        serve(stage.simulated(), server, lambda: False, lost=stage.disturbances.lost)
    except KeyboardInterrupt:
        reporter.info("The robot is off.")
    finally:
        server.close()
    return 0
