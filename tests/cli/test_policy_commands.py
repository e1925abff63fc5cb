"""`wildrobot eval`, `record`, `plot` and `enjoy` on the policy of a tiny run."""

import io
import json
import shutil
from types import SimpleNamespace

import imageio.v2 as imageio
import mujoco
import numpy as np
import pytest
from rich.console import Console
from run_helpers import refused

from wildrobot_gym.cli.main import main
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.experiments.report.report import report_training
from wildrobot_gym.experiments.style_eval import prepare_style
from wildrobot_gym.training.policy import LoadedPolicy, load_policy
from wildrobot_gym.training.run_directory import RunDirectory


@pytest.fixture
def no_gl(monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("no GL here")

    monkeypatch.setattr(mujoco, "Renderer", refuse)


def test_eval_writes_table_and_json(tiny_run, tmp_path, capsys, monkeypatch):
    # It falls within a second.
    for name, value in (
        ("style.EPISODES", 4),
        ("metrics.SETTLING_S", 0.1),
        ("benchmark.DURATION_S", 0.6),
    ):
        monkeypatch.setattr(f"wildrobot_gym.evaluation.{name}", value)
    file = tmp_path / "new" / "results.json"
    arguments = ["--commands", "0.3", "0.5", "--episodes", "2", "--json", str(file), "--seed", "5"]
    assert main(["eval", str(tiny_run), *arguments]) == 0
    results = json.loads(file.read_text())
    assert results["seed"] == results["style"]["seed"] == 5
    assert results["protocol"] == "walk-1"
    assert list(results["commands"]) == ["0.3", "0.5"]
    assert {"mean", "low", "high"} <= set(results["overall"]["success"])
    assert results["policy"]["env_kwargs"]["features"]["history"]["frames"] == 2
    output = capsys.readouterr().out
    assert "velocity error" in output and "two-sample AUC" in output
    assert results["style"]["reference"] == "walk_synthetic" and results["style"]["held_out"]
    assert set(results["style"]) >= {
        "motions",
        "speeds",
        "two_sample_auc",
        "dtw",
        "frechet",
        "amp_reward",
        "other_motions",
    }
    assert 0.0 <= results["style"]["amp_reward"]["mean"] <= 1.0


def test_style_is_left_out_where_it_cannot_be_told(tiny_run, monkeypatch):
    policy, console = load_policy(str(tiny_run)), Console(width=10_000, file=io.StringIO())
    monkeypatch.setattr(LoadedPolicy, "reference", property(lambda _: None))
    assert prepare_style(policy, None, ConsoleReporter(console)) is None
    assert "names no reference" in console.file.getvalue()
    monkeypatch.setattr(LoadedPolicy, "reference", property(lambda _: "walk_gone"))
    assert prepare_style(policy, None, ConsoleReporter(console)) is None
    assert "No style metrics: Unknown reference motion 'walk_gone'" in console.file.getvalue()


def test_a_mistyped_reference_is_refused_before_the_benchmark(
    tiny_run, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("wildrobot_gym.experiments.evaluate.Evaluator.evaluate", None)
    for command in (
        ["eval", str(tiny_run)],
        ["compare", str(tiny_run), "--out", str(tmp_path / "c.html")],
    ):
        assert "Unknown reference motion 'walk_gnoe'" in refused(
            capsys, *command, "--reference", "walk_gnoe"
        )


def test_eval_of_what_is_no_policy(tiny_run, tmp_path, capsys):
    assert "Unknown policy" in refused(capsys, "eval", str(tmp_path / "none.zip"))
    assert "holds no policy" in refused(capsys, "eval", str(tmp_path))
    torn = tmp_path / "torn.zip"
    torn.write_bytes((tiny_run / "final.zip").read_bytes()[:5000])
    assert "damaged" in refused(capsys, "eval", str(torn))
    foreign = tmp_path / "foreign.zip"
    np.savez(foreign.open("wb"), data=np.zeros(3))
    assert "no amp_sbx checkpoint" in refused(capsys, "eval", str(foreign))


def test_another_robot_is_refused_with_both_named(tiny_run, capsys):
    message = refused(capsys, "eval", str(tiny_run), "--robot", "wildrobot_8dof")
    assert "trained on 'wildrobot', whose joints are waist_yaw, " in message
    assert "'wildrobot_8dof' has left_hip_pitch, " in message


def test_without_gl_everything_but_the_video_is_done(tiny_run, tmp_path, capsys, no_gl):
    assert (
        main(["record", str(tiny_run), "--out", str(tmp_path / "v.mp4"), "--seconds", "0.2"]) == 3
    )
    assert "MUJOCO_GL" in capsys.readouterr().err
    file = tmp_path / "results.json"
    arguments = [
        "--commands",
        "0.3",
        "--episodes",
        "1",
        "--json",
        str(file),
        "--video",
        str(tmp_path / "v.mp4"),
    ]
    arguments += ["--no-style"]
    assert main(["eval", str(tiny_run), *arguments]) == 3
    results = json.loads(file.read_text())
    assert results["protocol"] == "walk-1" and results["style"] is None
    assert "no video" in capsys.readouterr().out
    assert not (tmp_path / "v.mp4").exists()


@pytest.mark.filterwarnings("ignore:os.fork")
def test_record_and_plot(tiny_run, tmp_path, capsys):
    video, strip = tmp_path / "v.mp4", tmp_path / "strip.png"
    code = main(
        ["record", str(tiny_run), "--out", str(video), "--seconds", "0.2", "--strip", str(strip)]
    )
    if code == 3:
        pytest.skip("no OpenGL on this machine")
    assert code == 0
    with imageio.get_reader(video) as reader:
        assert reader.get_meta_data()["size"] == (640, 480)
    assert imageio.imread(strip).shape[0] == 480
    assert main(["plot", str(tiny_run / "best.zip"), "--out", str(tmp_path / "plots")]) == 0
    assert {p.name for p in (tmp_path / "plots").iterdir()} == {
        "gait_0.4.png",
        "learning_curves.png",
    }


def test_report_is_one_page_with_a_video(tiny_run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("wildrobot_gym.evaluation.benchmark.DURATION_S", 0.6)
    page = tmp_path / "new" / "report.html"
    arguments = ["--commands", "0.4", "--episodes", "1", "--no-style", "--seconds", "0.1"]
    assert main(["report", str(tiny_run), "--out", str(page), *arguments]) == 0
    text = page.read_text()
    assert 'src="data:video/mp4;base64,AAAA' in text and "<script" not in text
    for heading in ("Evaluation", "Health of the discriminator", "Learning curves", "Gait"):
        assert f"<h2>{heading}</h2>" in text
    assert "velocity error" in text and "amp.weight" in text
    assert "--force" in refused(capsys, "report", str(tiny_run), "--out", str(page))


def test_a_run_ends_with_a_report(tiny_run, tmp_path, monkeypatch, no_gl):
    monkeypatch.setattr("wildrobot_gym.evaluation.benchmark.DURATION_S", 0.6)
    run = RunDirectory(shutil.copytree(tiny_run, tmp_path / "run"))
    page = report_training(run)
    assert page == run.path / "report.html"
    assert "No video: Cannot render offscreen" in page.read_text()
    run.final.unlink()
    run.best.unlink()
    shutil.rmtree(run.path / "checkpoints")
    page.unlink()
    assert report_training(run) is None and not page.exists()


def test_a_report_never_fails_a_training(tmp_path, monkeypatch):
    def broken(self):
        raise ZeroDivisionError("by nobody")

    monkeypatch.setattr(RunDirectory, "read_config", broken)
    warnings: list[str] = []
    assert report_training(RunDirectory(tmp_path), SimpleNamespace(warning=warnings.append)) is None
    assert "ZeroDivisionError('by nobody')" in warnings[0] and "wildrobot report" in warnings[0]


def test_enjoy_without_a_screen_says_what_to_do(tiny_run, capsys, monkeypatch):
    monkeypatch.setattr("wildrobot_gym.experiments.view.view.has_screen", lambda: False)
    assert "wildrobot record" in refused(capsys, "enjoy", str(tiny_run))


def test_view_refuses_what_cannot_work_at_once(tiny_run, tmp_path, capsys, monkeypatch):
    taken = tmp_path / "page.html"
    taken.touch()
    assert "--force" in refused(capsys, "view", str(tiny_run), "--export", str(taken))
    assert "port is 0" in refused(capsys, "view", str(tiny_run), "--web", "--port", "0")
    monkeypatch.setattr("wildrobot_gym.experiments.view.view.has_screen", lambda: False)
    assert "--web" in refused(capsys, "view", str(tiny_run))


def test_view_exports_a_page_that_plays(tiny_run, tmp_path, capsys):
    page = tmp_path / "new" / "page.html"
    assert main(["view", str(tiny_run), "--export", str(page), "--seconds", "0.2"]) == 0
    text = page.read_text()
    assert '"walks":[{"label":"0 m/s"' in text and text.count('"label"') == 5
    assert str(page) in capsys.readouterr().out
