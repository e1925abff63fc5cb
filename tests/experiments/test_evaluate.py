"""Evaluation as a library function: settings, result, and the form of a results file."""

import json

import pytest
from compared_runs import made_up

from wildrobot_gym.errors import ConfigError
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
    assert found.keys() == shipped.keys()
    assert found["overall"].keys() == shipped["overall"].keys()
    assert found["policy"].keys() == shipped["policy"].keys()


def test_settings_are_changed_by_keyword():
    changed = change_settings(EvaluateSettings(seed=5), {"commands": [1, 2], "episodes": 3})
    assert changed == EvaluateSettings(commands=(1.0, 2.0), episodes=3, seed=5)
    with pytest.raises(ConfigError, match=r"setting 'comands'\. Did you mean 'commands'"):
        change_settings(EvaluateSettings(), {"comands": [0.4]})


def test_wrong_settings_are_refused_before_the_policy_is_loaded(tmp_path):
    with pytest.raises(ConfigError, match="episodes is 0; allowed"):
        evaluate(tmp_path / "none.zip", episodes=0)
