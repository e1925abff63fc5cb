"""Policies side by side: their table, names and settings, and the command."""

import json
import re
import shutil

import pytest
from compared_runs import Model, Reader, made_up

from amp_sbx import AMPConfig
from wildrobot_gym.cli.main import main
from wildrobot_gym.errors import RunError
from wildrobot_gym.experiments.compare import run as compared_run
from wildrobot_gym.experiments.compare.run import _settings, differences, names_of
from wildrobot_gym.experiments.compare.table import rows_of
from wildrobot_gym.experiments.evaluate import Evaluator
from wildrobot_gym.paths import POLICIES
from wildrobot_gym.training.config import dotted
from wildrobot_gym.training.events import RunEvent, append_event
from wildrobot_gym.training.policy import LoadedPolicy


@pytest.fixture(scope="module")
def run_path(tmp_path_factory):
    """The shipped policy as if it were a run of another seed."""
    path = tmp_path_factory.mktemp("compare") / "a&b"
    path.mkdir()
    shutil.copy(POLICIES / "walk" / "policy.zip", path / "final.zip")
    (path / "config.yaml").write_text(
        re.sub(r"(?m)^seed: \d+$", "seed: 99", (POLICIES / "walk" / "config.yaml").read_text())
    )
    rows = "".join(f"{step},,{int(step > 170) * 2}\n" for step in range(10, 210, 10))
    (path / "progress.csv").write_text(
        f"time/total_timesteps,eval/success,amp/verdict\n{rows}210,0.5,\n"
    )
    for steps, text in (
        (150, "discriminator healthy again"),
        (200, "discriminator shortcut: <foot>"),
    ):
        append_event(path / "events.jsonl", RunEvent(steps, "verdict", text))
    return path


def test_rows_mark_the_better_run_and_say_what_was_measured(tmp_path):
    slippery, firm = made_up(tmp_path, "a", slip=0.2), made_up(tmp_path, "b")
    firm.results["overall"]["drift_heading"]["n"] = 15
    rows = dict(rows_of([slippery, firm]))
    assert [cell.mark for cell in rows["slip"]] == ["", "better than 1"]
    assert rows["slip"][0].mean == "1.000"
    assert [cell.of for cell in rows["drift of heading, rad"]] == ["", "of 15 episodes"]
    assert rows["clearance, m"][0].mean == "-"
    assert dict(rows_of([slippery, firm], "0.4")).keys() == rows.keys()


def test_style_is_shown_if_the_results_have_it(tmp_path):
    style = {"two_sample_auc": {"mean": 0.75, "low": 0.7, "high": 0.8}, "dtw": None}
    rows = dict(
        rows_of(
            [
                made_up(tmp_path, "a", results={"style": style}),
                made_up(tmp_path, "b", results={"style": None}),
            ]
        )
    )
    assert [cell.mean for cell in rows["two-sample AUC"]] == ["0.750", "-"]
    assert not any("warping" in heading for heading in rows)
    assert not any("AUC" in heading for heading, _ in rows_of([made_up(tmp_path, "c")]))


def test_style_is_marked_only_if_it_was_measured_alike(tmp_path):
    def marked(**other):
        low, high = ({"mean": m, "low": m - 0.01, "high": m + 0.01} for m in (0.6, 0.9))
        style = {"reference": "r", "motions": ["a"]}
        worse = made_up(
            tmp_path, "a", results={"style": style | {"two_sample_auc": high, "dtw": high}}
        )
        features = {"features": other.pop("features", {})}
        better = made_up(
            tmp_path, "b", results={"style": style | {"two_sample_auc": low, "dtw": low} | other}
        )
        better.policy.env_kwargs.update(features)
        rows = dict(rows_of([worse, better]))
        return [
            rows[heading][1].mark for heading in ("two-sample AUC", "time warping distance, rad")
        ]

    assert marked() == ["better than 1"] * 2
    assert marked(features={"contacts": "none"}) == ["", "better than 1"]
    assert (
        marked(features={"contacts": "force"}) == ["better than 1"] * 2
    )  # the default, spelled out
    assert marked(reference="s") == marked(motions=["a", "b"]) == marked(held_out=False) == ["", ""]


def test_names(tmp_path):
    assert names_of(["walk", f"{tmp_path}/r/", "runs/x/final.zip"]) == ["walk", "r", "x/final"]
    assert names_of(["a/walk", "b/walk", "c"]) == ["a/walk", "b/walk", "c"]
    assert names_of(["runs/x", "other/x", "runs/x.zip"]) == ["runs/x", "other/x", "runs/x.zip"]
    with pytest.raises(RunError, match="named twice"):
        names_of(["walk", "walk"])


def test_differences_are_of_values():
    configs = [
        dotted(c)
        for c in ({"a": 1, "b": {"c": [1], "d": "x"}}, {"a": 1, "b": {"c": [1, 2]}, "e": None})
    ]
    with_amp, other, without = (
        {"amp.loss": "bce", "amp.weight": 0.4},
        {"amp.loss": "bce", "amp.weight": 0.2},
        {"amp": None},
    )
    assert differences([with_amp, without]) == {"amp": ["-", "null"]}
    assert differences([with_amp, without, other]).keys() == {"amp.weight", "amp"}
    assert differences(configs) == {"b.c": ["[1]", "[1, 2]"], "b.d": ["x", "-"], "e": ["-", "null"]}


def test_settings_are_the_ones_that_the_policy_learned_with():
    old = {
        "n_timesteps": 1024,
        "amp": {"reference": "walk_synthetic"},
    }  # it does not say, and the default was another then
    settings = _settings(old, AMPConfig(normalization="spectral"))
    assert (
        settings["amp.normalization"] == "spectral"
        and settings["amp.reference"] == "walk_synthetic"
    )
    assert settings["env_kwargs.control_dt"] == 0.02
    # A run directory of someone else may name any module: it is not imported.
    own = {"n_timesteps": 1, "env_kwargs": {"rewards": {"no_such_module:term": 1.0}}}
    assert _settings(own, None)["env_kwargs.rewards.no_such_module:term"] == 1.0
    assert "env_kwargs.rewards.alive" in _settings(own, None)
    assert _settings({"n_timesteps": 1, "of another version": 2}, None) == {
        "n_timesteps": 1,
        "of another version": 2,
    }


@pytest.mark.parametrize("real", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_compare(run_path, tmp_path, capsys, monkeypatch, real):
    if not real:
        walk = made_up(tmp_path, "made_up").result
        monkeypatch.setattr(Evaluator, "_run", lambda *_: walk)
        monkeypatch.setattr(Evaluator, "_benchmark", lambda *_: None)
        monkeypatch.setattr(Evaluator, "_style_env", lambda *_: None)
    asked = []
    measured = {
        "motions": ["walk_0.20_long"],
        "speeds": [0.2],
        "held_out": True,
        "episodes": 64,
        "seed": 3,
    }
    measured |= {
        name: {"mean": 0.125, "low": 0.1, "high": 0.15}
        for name in ("two_sample_auc", "dtw", "frechet", "amp_reward")
    }

    def evaluate_style(_, test, env, seed, report):
        asked.append((test.name, env, seed))
        return {"reference": test.name, **measured}

    monkeypatch.setattr("wildrobot_gym.experiments.evaluate.evaluate_style", evaluate_style)
    out, metrics = tmp_path / "c.html", tmp_path / "c.json"
    arguments = [
        "compare",
        str(run_path),
        "walk",
        "--commands",
        "0.4",
        "--episodes",
        "2",
        "--seed",
        "3",
        "--out",
        str(out),
    ]
    assert main([*arguments, "--json", str(metrics)]) == 0
    printed = capsys.readouterr().out
    assert "1: a&b" in printed and "2: walk" in printed and "no progress.csv" in printed
    text = out.read_text()
    Reader(text)
    assert (
        "a&amp;b" in text
        and "a&b" not in text
        and "Settings that differ" in text
        and "evaluation: success" in text
    )
    results = json.loads(metrics.read_text())
    assert (
        results["a&b"]["overall"] == results["walk"]["overall"]
    )  # one policy, in one environment used twice
    against = "walk: walk_0.20_long (0.20 m/s), held out from the discriminator"
    assert (
        f"style of a&b: compared with {against}" in printed
        and text.count(f"<td>{against}</td>") == 2
    )
    assert text.count('<th scope="row">time warping distance, rad</th>') == 1 and "0.125" in text
    assert (
        "<td>healthy 50 %, shortcut 50 %;"
        " last event at 200 steps: discriminator shortcut: &lt;foot&gt;</td>" in text
    )
    assert asked[0] == asked[1] == ("walk", asked[0][1], 3)
    before = out.read_bytes()
    assert main(arguments) == 2
    assert "overwrite it by --force" in capsys.readouterr().err and out.read_bytes() == before


def test_a_damaged_run_directory_is_reported(run_path, tmp_path):
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for name, content in {
        "final.zip": (run_path / "final.zip").read_bytes(),
        "config.yaml": b"a: [",
        "progress.csv": b"time/total_timesteps,eval/success\n100,much\n",
    }.items():
        (damaged / name).write_bytes(content)
    whole = made_up(tmp_path, "whole")
    policy = LoadedPolicy(damaged / "final.zip", Model(), {"reference": "gone"})
    run = compared_run.gather("d", policy, whole.result, whole.results)
    assert (run.config, run.curves, run.reference, run.clips) == ({}, {}, None, [])
    no_settings, no_curves, no_motion = run.missing
    assert (
        "is not valid YAML" in no_settings
        and "could not convert" in no_curves
        and "gone does not exist" in no_motion
    )
    stray = LoadedPolicy(tmp_path / "stray.zip", Model(), {})
    assert (
        "has no run directory"
        in compared_run.gather("s", stray, whole.result, whole.results).missing[0]
    )


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([], "0 runs are named"),
        (["walk"] * 9, "9 runs are named"),
        (["walk", "walk"], "named twice"),
        (["walk", "wakl"], "Unknown policy 'wakl'"),
    ],
)
def test_wrong_runs_are_refused_before_anything_runs(runs, message, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Evaluator, "evaluate", None)
    assert main(["compare", *runs, "--out", str(tmp_path / "c.html")]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
