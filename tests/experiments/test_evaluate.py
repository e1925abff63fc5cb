"""Evaluation as a library function: settings, result, and the form of a results file."""

import json
from dataclasses import replace

import numpy as np
import pytest
from compared_runs import made_up

from wildrobot_gym.errors import ConfigError, RunError
from wildrobot_gym.evaluation.suites.catalog import STAND
from wildrobot_gym.evaluation.suites.results import RowResult, SuiteResult, flat_result
from wildrobot_gym.experiments.evaluate import Evaluator, change_settings, evaluate
from wildrobot_gym.experiments.settings import EvaluateSettings
from wildrobot_gym.paths import POLICIES


def test_the_result_has_metrics_by_speed_and_the_form_of_a_results_file(tmp_path, monkeypatch):
    run = made_up(tmp_path, "made_up")
    monkeypatch.setattr(Evaluator, "_benchmark", lambda *_: None)
    monkeypatch.setattr(Evaluator, "_run", lambda *_: run.result)
    result = evaluate(run.policy, commands=[0.0, 0.4], episodes=8, style=False)
    assert list(result.commands) == [0.0, 0.4]
    assert result.commands[0.4]["velocity_error"]["mean"] == 0.0
    assert result.overall["survived"] == {"mean": 1.0, "low": 1.0, "high": 1.0, "n": 16}
    assert result.style is None and result.policy is run.policy
    shipped = json.loads((POLICIES / "walk" / "results.json").read_text())
    found = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert found.keys() == shipped.keys() | {"suites"}
    assert found["suites"]["flat"]["bars"] and set(found["suites"]) == {"flat"}
    assert found["overall"].keys() == shipped["overall"].keys()
    assert found["policy"].keys() == shipped["policy"].keys()


def test_a_suite_alone_has_rows_and_verdicts(tmp_path, monkeypatch):
    run = made_up(tmp_path, "made_up")
    row = RowResult(STAND.rows[0], {bar.metric: np.ones(8) for bar in STAND.bars}, {})
    done = SuiteResult(STAND, 8, 1, (row,))
    monkeypatch.setattr(Evaluator, "_run_suite", lambda *_: done)
    result = evaluate(run.policy, suite="stand", episodes=8)  # its reference is not looked for
    assert result.walk is None and result.overall == {} and result.style is None
    with pytest.raises(RunError, match="The suite flat was not run"):
        result.flat  # noqa: B018
    found = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert found["protocol"] == "walk-2" and "commands" not in found
    assert [bar["met"] for bar in found["suites"]["stand"]["bars"]].count(True) == 2
    with pytest.raises(ConfigError, match="suite 'flatt'"):
        evaluate(run.policy, suite="flatt")


def test_the_flat_suite_has_the_figures_of_version_1(tmp_path):
    walk = made_up(tmp_path, "made_up", slip=0.2).result
    result = flat_result(walk)
    assert [row.row.name for row in result.rows] == ["0 m/s", "0.4 m/s"]
    row = result.rows[1].summary
    for name in ("survived", "support_double", "slip", "saturation"):
        assert row[name]["mean"] == walk.by_command[0.4][name]["mean"]
    small = flat_result(replace(walk, speed_scale=0.5)).rows[1].summary
    assert small["error_vx"]["mean"] == pytest.approx(0.2)  # it stands
    slip = next(verdict for verdict in result.verdicts if verdict.bar.metric == "slip")
    assert (slip.row, slip.value, slip.met) == ("0.4 m/s", 1.0, False)


def test_settings_are_changed_by_keyword():
    changed = change_settings(EvaluateSettings(seed=5), {"commands": [1, 2], "episodes": 3})
    assert changed == EvaluateSettings(commands=(1.0, 2.0), episodes=3, seed=5)
    with pytest.raises(ConfigError, match=r"setting 'comands'\. Did you mean 'commands'"):
        change_settings(EvaluateSettings(), {"comands": [0.4]})


def test_wrong_settings_are_refused_before_the_policy_is_loaded(tmp_path):
    with pytest.raises(ConfigError, match="episodes is 0; allowed"):
        evaluate(tmp_path / "none.zip", episodes=0)
