"""``wildrobot compare`` on made-up robots that stand, and on the shipped policy."""

import html.parser
import json
import re
import shutil

import numpy as np
import pytest

from amp_sbx import AMPConfig
from wildrobot_gym.cli.main import main
from wildrobot_gym.errors import RunError
from wildrobot_gym.evaluation.benchmark import WalkResult
from wildrobot_gym.evaluation.metrics import episode_metrics
from wildrobot_gym.evaluation.recording import Recording
from wildrobot_gym.experiments.compare import run as compared_run
from wildrobot_gym.experiments.compare.page import page
from wildrobot_gym.experiments.compare.run import ComparedRun, _settings, differences, names_of
from wildrobot_gym.experiments.compare.table import rows_of
from wildrobot_gym.experiments.evaluate import Evaluator
from wildrobot_gym.motion.gait.build import walk_clip
from wildrobot_gym.paths import POLICIES
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.training.config import dotted
from wildrobot_gym.training.policy import LoadedPolicy

HOSTILE = "<script src=https://evil.example/x.js>alert('&\"')</script>"
VOID = {"meta", "link", "br", "img"}


class Reader(html.parser.HTMLParser):
    """Checks that elements are closed in order, and keeps what a page is made of."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.ids = [], set(), [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


class Model:
    num_timesteps = 1234
    extra: dict = {}  # noqa: RUF012


def made_up(tmp_path, name, robot="wildrobot", slip=0.0, clips=(), **more):
    """A run whose 16 episodes, 8 at each of two commands, stand still; its feet slide with ``slip`` m/s."""
    model = RobotModel.load(robot)
    shape, feet = (260, 16), len(model.foot_names)
    wide = {"base_pos_w": 3, "base_lin_vel_w": 3, "base_ang_vel": 3}
    arrays = {key: np.zeros((*shape, width)) for key, width in wide.items()}
    arrays |= {
        key: np.zeros((*shape, model.num_joints))
        for key in ("joint_pos", "joint_vel", "torque", "action")
    }
    arrays |= {
        "alive": np.ones(shape, bool),
        "yaw": np.zeros(shape),
        "foot_pos_w": np.zeros((*shape, feet, 3)),
    }
    arrays |= {
        "foot_force": np.full((*shape, feet), 16.0),
        "foot_speed": np.full((*shape, feet), slip),
    }
    recording = Recording(**arrays, sole_height=np.zeros((*shape, feet)))
    metrics = episode_metrics(recording, np.zeros(16), model)
    result = WalkResult((0.0, 0.4), 8, 1, metrics, recording, model, 0.02)
    policy = LoadedPolicy(tmp_path / f"{name[:3]}.zip", Model(), {"robot": robot})
    known = {
        "config": {},
        "curves": {},
        "verdicts": None,
        "reference": None,
        "clips": list(clips),
        "missing": (),
    }
    return ComparedRun(
        name,
        policy,
        result,
        result.to_json() | {"backend": "native"} | more.pop("results", {}),
        **known | more,
    )


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
    (path / "discriminator.txt").write_text(
        "150 steps: discriminator healthy again\n200 steps: discriminator shortcut: <foot>\n"
    )
    return path


def test_a_page_loads_nothing_and_escapes_everything(tmp_path):
    points = np.array([[0.0, 0.5], [1e6, 1.0]])
    clips = [walk_clip(RobotModel.load("wildrobot"), 0.4)]
    first = made_up(
        tmp_path,
        HOSTILE,
        slip=0.2,
        clips=clips,
        reference=HOSTILE,
        config={"seed": HOSTILE, HOSTILE: 1},
        curves={"eval/success": points},
        missing=(HOSTILE,),
    )
    text = page([first, made_up(tmp_path, "other", "wildrobot_8dof", config={"seed": 2})])
    reader = Reader(text)
    assert not reader.tags & {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "image",
        "foreignobject",
        "base",
        "form",
    }
    assert "alert(" in text and "<script" not in text
    links = {
        value
        for name, value in reader.attributes
        if name in ("src", "href", "xlink:href", "data", "srcset", "poster")
    }
    assert all(link == "data:," or link.startswith("#") for link in links) and "@import" not in text
    assert set(re.findall(r"url\((.)", text)) <= {"#"}
    assert len(reader.ids) == len(set(reader.ids))
    assert (
        "default-src 'none'" in text
        and 'charset="utf-8"' in text
        and "prefers-color-scheme:dark" in text
    )
    assert text.count("<svg") == text.count('role="img" aria-label="')


def test_a_page_of_one_run_with_nothing_beside_it(tmp_path):
    text = page([made_up(tmp_path, "alone")])
    Reader(text)
    assert "No learning curves of alone" in text and "Settings that differ" not in text


def test_rows_mark_who_is_better_and_say_what_was_left_out(tmp_path):
    slippery, firm = made_up(tmp_path, "a", slip=0.2), made_up(tmp_path, "b")
    firm.results["overall"]["drift_heading"]["n"] = 15
    rows = dict(rows_of([slippery, firm]))
    assert [cell.mark for cell in rows["slip"]] == ["", "better than 1"]
    assert rows["slip"][0].mean == "1.000"
    assert [cell.of for cell in rows["drift of heading, rad"]] == ["", "of 15 episodes"]
    assert rows["clearance, m"][0].mean == "-"
    assert dict(rows_of([slippery, firm], "0.4")).keys() == rows.keys()


def test_style_is_shown_where_the_results_have_it(tmp_path):
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


def test_style_is_marked_only_where_it_was_measured_alike(tmp_path):
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


def test_settings_are_those_that_the_policy_learned_with():
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
    assert _settings({"n_timesteps": 1, "of another version": 2}, None) == {
        "n_timesteps": 1,
        "of another version": 2,
    }


def test_compare(run_path, tmp_path, capsys, monkeypatch):
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
    said = capsys.readouterr().out
    assert "1: a&b" in said and "2: walk" in said and "no progress.csv" in said
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
        f"style of a&b: compared with {against}" in said and text.count(f"<td>{against}</td>") == 2
    )
    assert text.count('<th scope="row">time warping distance, rad</th>') == 1 and "0.125" in text
    assert (
        "<td>healthy 50 %, shortcut 50 %; last event at 200 steps: discriminator shortcut: &lt;foot&gt;</td>"
        in text
    )
    assert asked[0] == asked[1] == ("walk", asked[0][1], 3)
    before = out.read_bytes()
    assert main(arguments) == 2
    assert "overwrite it by --force" in capsys.readouterr().err and out.read_bytes() == before


def test_a_damaged_folder_is_told_of_and_the_rest_goes_on(run_path, tmp_path):
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
        "no YAML" in no_settings
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
def test_senseless_runs_are_refused_before_anything_runs(
    runs, message, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(Evaluator, "evaluate", None)
    assert main(["compare", *runs, "--out", str(tmp_path / "c.html")]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
