"""The metrics of a study's runs and arms, and its table."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from study_files import ARMS, words, write

from wildrobot_gym.cli.main import main
from wildrobot_gym.evaluation.progress import STEPS
from wildrobot_gym.experiments.study.config import load_study
from wildrobot_gym.experiments.study.metrics import (
    BENCHMARK,
    HEADINGS,
    SURVIVED,
    arm_metrics,
    run_metrics,
    training_metrics,
)
from wildrobot_gym.experiments.study.study import study_runs


def test_each_run_is_done_once_and_listed_in_the_table(here, fake, capsys):
    file = write(arms=ARMS | {"twin": {"eval.every": 0}})
    assert main(["study", file, "--jobs", "2"]) == 0
    assert sorted(words(fake)) == ["eval"] * 6 + ["train"] * 6  # base and twin are the same runs
    assert "base, twin, seed 0: done" in capsys.readouterr().out
    assert main(["study", file]) == 0
    assert (
        main(["study", write("other", arms={"mine": {}}, seeds=[2])]) == 0
    )  # another study's baseline
    assert len(fake.calls) == 12
    assert (
        main(["study", write("longer", arms={"mine": {}}, seeds=[2], episodes=3)]) == 0
    )  # evaluated again, not trained
    assert words(fake)[12:] == ["eval"]

    found = json.loads(Path("runs/studies/tiny/results.json").read_text())["arms"]
    assert found["base"]["over_seeds"]["success"] == {"mean": 1.0, "low": 0.0, "high": 2.0, "n": 3}
    assert found["bce"]["difference"]["success"] == {
        "mean": 10.0,
        "low": 10.0,
        "high": 10.0,
        "n": 3,
    }
    assert "success" in found["bce"]["differs"] and "minutes" not in found["bce"]["differs"]
    assert found["twin"]["differs"] == [] and found["twin"]["digest"] == found["base"]["digest"]
    assert found["base"]["runs"]["1"]["metrics"] == dict.fromkeys(BENCHMARK, 1.0) | {
        "measured": 0.5, "slip": None, "two_sample_auc": 0.75, "dtw": 1.0, "frechet": None,
        **dict.fromkeys(SURVIVED),
        "disc_acc_fraction": 1.0, "style_mean": None, "style_variance": None, "minutes": 1.0,
    }  # fmt: skip
    table = Path("runs/studies/tiny/table.md").read_text()
    assert (
        "| success | 1.000 (0.000 ... 2.000) | 11.000 (10.000 ... 12.000)<br>**+10.000\\*** |"
        in table
    )
    assert "| slip | - | - | - |" in table


def test_arms_compare_style_only_if_it_was_measured_alike(here, fake):
    other = {"amp.loss": "bce", "amp.reference": "walk_synthetic"}
    seen = {"amp.loss": "bce", "env_kwargs.features.contacts": "none"}
    assert (
        main(
            [
                "study",
                write(arms=ARMS | {"other": other, "seen": seen}, set={"amp.reference": "walk"}),
            ]
        )
        == 0
    )
    arms = json.loads(Path("runs/studies/tiny/results.json").read_text())["arms"]
    assert {"success", "dtw"} <= set(arms["bce"]["differs"])
    assert "success" in arms["other"]["differs"] and "dtw" not in arms["other"]["differs"]
    compared = {
        arm: [arms[arm]["difference"][name]["n"] for name in ("two_sample_auc", "dtw")]
        for arm in arms
    }
    assert compared == {"base": [3, 3], "bce": [3, 3], "other": [0, 0], "seen": [0, 3]}
    table = Path("runs/studies/tiny/table.md").read_text()
    assert "| time warping distance, rad | 1.000 (0.000 ... 2.000) |" in table


def test_the_table_option_runs_nothing(here, fake, capsys):
    assert main(["study", write(), "--table", "--out", "mine"]) == 0
    assert fake.calls == [] and not Path("runs").exists()
    assert "0 of 3" in Path("mine/table.md").read_text()
    assert "0 of 3" in capsys.readouterr().out
    assert main(["study", "history", "--table"]) == 0
    assert (
        capsys.readouterr().out.count("0 of 3") == 7
    )  # wider than the terminal, and nothing cut off


def test_a_study_may_run_all_suites(here, fake):
    assert main(["study", write(suite="all")]) == 0
    table = Path("runs/studies/tiny/table.md").read_text()
    assert "| survived, push | 0.500 (" in table and "| survived, delay | - |" in table
    metrics = json.loads(Path("runs/studies/tiny/results.json").read_text())["arms"]["base"]["runs"]
    assert metrics["0"]["metrics"]["survived_push"] == 0.5
    assert main(["study", write()]) == 0  # evaluated again, without the others
    assert "survived, push" not in Path("runs/studies/tiny/table.md").read_text()
    assert main(["study", write(suite="push")]) == 2


def test_training_metrics_by_hand():
    columns = {
        STEPS: np.arange(1.0, 11.0),
        "amp/disc_acc": np.array([np.nan, 0.7, 0.7, 0.9, 0.6, 0.55, 0.8, 0.81, 0.5, 0.7]),
        "amp/reward_mean": np.array([np.nan, 9, 9, 9, 9, 9, 9, 9, 0.2, 0.4]),
        "amp/reward_std": np.array([np.nan, 9, 9, 9, 9, 9, 9, 9, 0.1, 0.3]),
        "time/time_elapsed": np.array(
            [30, 60, 90, 120, 30, 60, 90, 120, 150, np.nan]
        ),  # resumed after the fourth
    }
    found = training_metrics(columns, ramp_end=4)
    assert found["disc_acc_fraction"] == pytest.approx(4 / 7)
    waited = columns | {
        "amp/ramp_waited": np.array([np.nan, 0, 0, 1, 2, 2, 2, 2, 2, 2])
    }  # the ramp ends at step 6
    assert training_metrics(waited, ramp_end=4)["disc_acc_fraction"] == pytest.approx(3 / 5)
    assert found["style_mean"] == pytest.approx(0.3)
    assert found["style_variance"] == pytest.approx((0.01 + 0.09) / 2)
    assert found["minutes"] == pytest.approx((120 + 150) / 60)
    assert all(math.isnan(value) for value in training_metrics({}, 0.0).values())


def test_a_damaged_progress_csv_loses_only_its_own_metrics(here, fake):
    file = write(arms={"base": {}}, seeds=[0])
    assert main(["study", file]) == 0
    run = study_runs(load_study(file)[1])["base"][0]
    run.folder.progress.write_text(f"{STEPS},time/time_elapsed\n1024,much\n")
    metrics = run_metrics(run)
    assert metrics["success"] == 0.0 and math.isnan(metrics["minutes"])


def test_arms_are_compared_by_equal_seeds():
    def runs(**by_seed):
        return {int(seed[1:]): dict.fromkeys(HEADINGS, value) for seed, value in by_seed.items()}

    base = runs(s0=1.0, s1=2.0, s2=3.0, s3=100.0)
    found = arm_metrics(runs(s0=2.0, s1=2.5, s2=5.0) | {3: None}, base)
    assert found.over_seeds["success"]["n"] == 3
    assert found.difference["success"] == {
        "mean": pytest.approx(3.5 / 3),
        "low": 0.5,
        "high": 2.0,
        "n": 3,
    }
    assert found.differs("success")
    assert not arm_metrics(runs(s0=2.0, s1=2.5), base).differs("success")  # two seeds alone
    assert not arm_metrics(runs(s0=2.0, s1=2.5, s2=2.5), base).differs("success")  # they disagree
    assert not arm_metrics(base, base).differs("success")
