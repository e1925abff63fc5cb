"""Which of a run's policies is kept as the best."""

from types import SimpleNamespace

import numpy as np
import pytest

from amp_sbx import CheckpointError
from wildrobot_gym.reporting import SILENT
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.run_directory import RunDirectory
from wildrobot_gym.training.selection import LOGGED, EvalCallback, eval_score


def test_the_better_policy_succeeds_more_then_follows_closer_and_slips_less():
    def means(success, velocity_error, slip, survived=1.0):
        return {
            "success": success,
            "survived": survived,
            "velocity_error": velocity_error,
            "slip": slip,
        }

    ranked = [
        means(0.0, 0.0, 0.0, survived=0.1),
        means(0.0, 0.5, 0.9, survived=0.9),
        means(0.9, 0.0, 0.0),
        {"success": 1.0, "survived": 1.0, "velocity_error": 0.0},
        means(1.0, None, 0.0),
        means(1.0, 0.01, 0.10),
        means(1.0, 0.02, 0.04),  # slips less than half as much, and follows 0.01 m/s less closely
    ]
    scores = [eval_score(found) for found in ranked]
    assert scores == sorted(scores) and scores[-3] < scores[-2] < scores[-1]


def test_further_suites_count_as_much_as_the_walks():
    walks = {"success": 0.9, "survived": 1.0, "velocity_error": 0.02, "slip": 0.05}
    assert eval_score(walks | {"suites": {"stand": 0.6, "directions": 0.3}})[0] == pytest.approx(
        0.6
    )
    assert eval_score(walks | {"suites": {}}) == eval_score(walks)


def test_the_suites_of_a_run_are_measured():
    config = run_config.load("smoke", ["eval.suites=[directions]", "eval.episodes=1"])
    callback = EvalCallback(RunDirectory("unused"), config, SILENT)
    callback.model = SimpleNamespace(
        predict=lambda obs, deterministic: (np.zeros((len(obs), 9), np.float32), None)
    )
    # A robot that stands survives and follows some parts of each command.
    assert 0.25 < callback._shares()["directions"] < 0.9


def test_a_best_policy_that_was_not_written_is_not_the_best(tmp_path):
    class Model:
        num_timesteps, extra, kept = 64, {}, []
        logger = SimpleNamespace(output_formats=[])

        def save(self, path, exclude, extra):
            if self.num_timesteps == 64:
                raise CheckpointError("the disk is full")
            self.kept.append(extra["evaluation"]["success"])

    callback = EvalCallback(RunDirectory(tmp_path), run_config.load("smoke"), SILENT)
    callback.model = model = Model()
    for model.num_timesteps, success in ((64, 0.9), (128, 0.6), (192, 0.5)):
        overall = {name: {"mean": success} for name in LOGGED}
        to_json = {"overall": overall}
        callback._benchmark = SimpleNamespace(
            run=lambda _, found=to_json: SimpleNamespace(to_json=lambda: found)
        )
        callback.evaluate()
    assert model.kept == [0.6]
