"""Seconds of one learning step, for each way of a symmetric policy, with and without AMP.

    python scripts/bench_learning.py [ROUNDS] [NUM_ENVS]

The cases take turns in one process, so that a machine whose speed drifts treats them alike.
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from stable_baselines3.common.logger import Logger

from amp_sbx.algorithm.symmetry import WAYS
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.model import make_model, make_reference, make_vec_env


def learning_step(way: str, with_amp: bool, num_envs: int) -> Callable[[], tuple[float, float]]:
    """Collect a rollout and compile; the function learns from it and returns CPU and wall time."""
    config = run_config.load("walk_amp", [f"symmetric_policy={way}", f"n_envs={num_envs}"])
    if not with_amp:
        config = replace(config, amp=None, reference=None)
    env = make_vec_env(config)
    model = make_model(config, env, make_reference(config, env))
    model.set_logger(Logger(None, []))
    _, callback = model._setup_learn(config.n_timesteps)
    model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)
    model.train()

    def run() -> tuple[float, float]:
        cpu, wall = time.process_time(), time.perf_counter()
        model.train()
        return time.process_time() - cpu, time.perf_counter() - wall

    return run


def main(rounds: int = 5, num_envs: int = 1024) -> None:
    """Measure and print medians."""
    cases = {
        f"{way}, {'with' if with_amp else 'without'} AMP": learning_step(way, with_amp, num_envs)
        for way in WAYS
        for with_amp in (True, False)
    }
    times = [{name: run() for name, run in cases.items()} for _ in range(rounds)]
    for name in cases:
        cpu, wall = (statistics.median(of[name][i] for of in times) for i in (0, 1))
        print(f"{name:28} {cpu:.3f} s CPU, {wall:.3f} s wall")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
