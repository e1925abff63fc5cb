"""`wildrobot motion` track, perform, analyze and harness."""

import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console
from variants_for_tests import few_variants

from wildrobot_gym.cli.main import main
from wildrobot_gym.cli.motion.printing import yield_table
from wildrobot_gym.env import rollout
from wildrobot_gym.errors import MotionError
from wildrobot_gym.experiments.motion import harness as motion_harness
from wildrobot_gym.experiments.motion import track
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.motion.mining import Gates, MiningReport
from wildrobot_gym.motion.mining.mine import ClipYield
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import FeatureConfig


def test_track_writes_performed_motion_that_training_reads(mined, wildrobot):
    segments = load_clips(mined, wildrobot)
    assert len(segments) > 3
    for segment in segments:
        assert segment.qvel is not None and segment.pad_forces is not None
        assert segment.metadata["metrics"]["load_mean"] >= 0.85
        np.testing.assert_allclose(segment.root_pos[0, :2], 0.0, atol=1e-6)
    dataset = ReferenceDataset.load(
        mined, wildrobot, FeatureConfig(channels=("joint_pos",), contacts="none")
    )
    with np.load(mined.with_name("fields.npz"), allow_pickle=False) as fields:
        assert len(fields["segment_scores"]) == len(segments) == len(fields["motion_id"])
        assert len(fields["features"]) == len(dataset)
    weights, motions = dataset.sampling()
    assert len(dataset.windows) == len(weights) and set(motions) == {0, 1}


def test_track_overwrites_only_with_force(mined, walks, capsys):
    before = mined.read_bytes()
    assert (
        main(
            ["motion", "track", walks, "--out", str(mined), "--duration", "4", "--generations", "0"]
        )
        == 2
    )
    assert "overwrite it by --force" in capsys.readouterr().err
    assert mined.read_bytes() == before


def test_analysis_of_a_mined_dataset(mined, tmp_path, capsys):
    metrics, page = tmp_path / "a.json", tmp_path / "page.png"
    assert main(["motion", "analyze", str(mined), "--json", str(metrics), "--plot", str(page)]) == 0
    said = capsys.readouterr().out
    assert "Clip: walk_0.20" in said and "mean(sum Fn) / mg" in said
    value = json.loads(metrics.read_text())
    assert value["verdict"] in ("go", "caution", "stop") and value["advice"].split(",")[0] in said
    assert value["seconds"] == pytest.approx(
        sum(clip["mined_s"] for clip in value["report"]["clips"]), abs=0.01
    )
    assert page.stat().st_size > 10_000


def test_analysis_of_clips_that_were_not_performed(walks, capsys):
    assert main(["motion", "analyze", walks]) == 0
    assert "NOT PERFORMED" in capsys.readouterr().out


def test_perform_refuses_a_walking_policy(walks, tmp_path, capsys):
    out = str(tmp_path / "none.npz")
    assert main(["motion", "perform", "walk", "--reference", walks, "--out", out]) == 2
    assert "is not a policy of WildRobotTrack-v0" in capsys.readouterr().err


def test_perform_imports_no_module_that_a_policy_names(walks, monkeypatch):
    built = []

    def environment(*_, **settings):
        built.append(settings)
        raise MotionError("stop here")

    monkeypatch.setattr(rollout, "WildRobotTrackVectorEnv", environment)
    with pytest.raises(MotionError, match="stop here"):
        rollout.perform(walks, lambda obs: obs, {"rewards": {"a:b": 1.0}, "horizon": [1]})
    assert "rewards" not in built[0] and built[0]["horizon"] == [1]


@pytest.mark.slow
def test_perform_with_a_tracking_policy_uses_no_harness(walks, wildrobot, tmp_path, capsys):
    """An untrained policy hardly changes the clips' own targets, so slow walks last a while."""
    run, out = tmp_path / "run", tmp_path / "performed.npz"
    small = [
        "n_envs=8",
        "n_steps=8",
        "batch_size=32",
        "n_timesteps=64",
        "n_epochs=1",
        "learning_rate=1e-6",
    ]
    assert (
        main(
            ["train", "track", "--set", *small, f"env_kwargs.reference={walks}", "--out", str(run)]
        )
        == 0
    )
    assert main(["motion", "perform", str(run), "--reference", walks, "--out", str(out)]) == 0
    assert "pass the gates" in capsys.readouterr().out
    assert main(["eval", str(run)]) == 2
    assert "Run it with `wildrobot motion perform`" in capsys.readouterr().err
    segments = load_clips(out, wildrobot)
    assert all(segment.metadata["metrics"]["harness_p95"] == 0.0 for segment in segments)
    assert sum(segment.duration_s for segment in segments) > 2.0


def test_track_refuses_one_file_for_two_outputs(walks, tmp_path, capsys):
    both = str(tmp_path / "t.npz")
    assert main(["motion", "track", walks, "--out", both, "--features", both]) == 2
    assert "--features and --out are both" in capsys.readouterr().err


def test_numbers_are_whole_in_a_narrow_terminal():
    name, spread = "walk_with_a_very_long_name_of_its_own" * 2, {"mean": 0.0, "std": 1.0}
    report = MiningReport(
        (), (ClipYield(name, 12345.6, 10, 1000, 900, {"slip": 100}, 200, 8888.8, spread),), Gates()
    )
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(yield_table(report))
    text = console.export_text()
    assert "…" not in text and all(
        number in text for number in ("12346", "1000", "900", "200", "8888.8", "slip 100")
    )


def test_seconds_per_motion(walks, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(track, "TrackSettings", few_variants)
    arguments = [
        "motion",
        "track",
        walks,
        "--duration",
        "4",
        "--generations",
        "0",
        "--seconds-per-motion",
    ]
    out = tmp_path / "few.npz"
    assert main([*arguments, "0", "--out", str(out)]) == 2
    assert (
        "seconds_per_motion is 0.0; allowed: 1 (a window of the gates) or more"
        in capsys.readouterr().err
    )
    assert main([*arguments, "0.99", "--out", str(out)]) == 2 and not out.exists()
    assert main([*arguments, "1", "--out", str(out)]) == 0
    kept = load_clips(out, RobotModel.load("wildrobot"))
    assert {clip.num_frames for clip in kept} == {50} and len(kept) == len(
        {clip.motion_id for clip in kept}
    )


def test_harness_compares_performances_with_and_without(walks, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")  # names fold in a narrow terminal
    metrics = tmp_path / "harness.json"
    assert main(["motion", "harness", walks, "--duration", "3", "--json", str(metrics)]) == 0
    assert "walk_0.20_plain" in capsys.readouterr().out
    of_clip = json.loads(metrics.read_text())["walk_0.20_plain"]
    assert 0.0 < of_clip["harness_mean"] < of_clip["harness_p95"] < 0.15
    assert (
        of_clip["falls_per_minute"] <= of_clip["falls_per_minute_without"]
        and not of_clip["carried"]
    )
    assert main(["motion", "harness", walks, "--json", str(metrics)]) == 2
    assert "overwrite it by --force" in capsys.readouterr().err
    at_once = SimpleNamespace(clips=[SimpleNamespace(performed={})])
    monkeypatch.setattr(motion_harness, "track", lambda *_: ())
    monkeypatch.setattr(motion_harness, "mine", lambda *_: at_once)
    assert main(["motion", "harness", walks]) == 1
    assert "is lost in its first step" in " ".join(capsys.readouterr().out.split())
