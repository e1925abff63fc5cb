"""`wildrobot motion`: files in, clips and datasets out, and what is said of files that cannot be used."""

import importlib.util
import io
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from wildrobot_gym.cli.main import main
from wildrobot_gym.cli.motion.printing import yield_table
from wildrobot_gym.errors import MotionError
from wildrobot_gym.experiments import datasets as motion_files
from wildrobot_gym.experiments import probe as motion_microtrain
from wildrobot_gym.experiments.datasets import report_file, write_dataset
from wildrobot_gym.experiments.motion import harness as motion_harness
from wildrobot_gym.experiments.motion import play as motion_play
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import load_clips, save_clips
from wildrobot_gym.motion.clip_names import without_images
from wildrobot_gym.motion.gait.build import walk_clip
from wildrobot_gym.motion.mining import Gates, MiningReport
from wildrobot_gym.motion.mining.mine import ClipYield
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import FeatureConfig


@pytest.fixture(scope="module")
def robot():
    return RobotModel.load("wildrobot")


@pytest.fixture(scope="module")
def walks(robot, tmp_path_factory):
    """A reference file of two slow walks, which the robot can perform."""
    return str(
        save_clips(
            tmp_path_factory.mktemp("walks") / "walks.npz",
            [walk_clip(robot, 0.2), walk_clip(robot, 0.3)],
        )
    )


@pytest.fixture(scope="module")
def mined(walks, tmp_path_factory):
    out = tmp_path_factory.mktemp("mined") / "segments.npz"
    arguments = [
        "--out",
        str(out),
        "--duration",
        "4",
        "--generations",
        "0",
        "--features",
        str(out.with_name("fields.npz")),
    ]
    assert main(["motion", "track", walks, *arguments]) == 0
    return out


def test_good_files_go_on_and_broken_ones_are_named(robot, tmp_path, capsys):
    good, broken, out = tmp_path / "good.npz", tmp_path / "broken.csv", tmp_path / "out"
    walk_clip(robot, 0.4).save(good)
    broken.write_text("nothing,of,use\n1,2,3\n")
    arguments = [
        "motion",
        "retarget",
        str(good),
        str(broken),
        str(tmp_path / "absent"),
        "--out",
        str(out),
    ]
    assert main(arguments) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "broken.csv" in said and "absent does not exist" in said
    clip = MotionClip.load(next(out.iterdir())).check(robot)
    np.testing.assert_allclose(clip.joint_pos, walk_clip(robot, 0.4).joint_pos, atol=1e-6)
    assert main(arguments[:3] + arguments[-2:]) == 1  # the clip is there already
    assert "overwrite it by --force" in " ".join(capsys.readouterr().out.split())
    assert main([*arguments[:3], *arguments[-2:], "--force"]) == 0


def test_no_files_at_all(tmp_path, capsys):
    assert main(["motion", "retarget"]) == 2
    assert "Name the motion files" in capsys.readouterr().err
    assert main(["motion", "track", str(tmp_path / "absent.npz")]) == 2
    assert "absent.npz does not exist" in capsys.readouterr().err


def test_what_is_mined_is_performed_motion_that_training_reads(mined, robot):
    segments = load_clips(mined, robot)
    assert len(segments) > 3
    for segment in segments:
        assert segment.qvel is not None and segment.pad_forces is not None
        assert segment.metadata["metrics"]["load_mean"] >= 0.85
        np.testing.assert_allclose(segment.root_pos[0, :2], 0.0, atol=1e-6)
    dataset = ReferenceDataset.load(
        mined, robot, FeatureConfig(channels=("joint_pos",), contacts="none")
    )
    with np.load(mined.with_name("fields.npz"), allow_pickle=False) as fields:
        assert len(fields["segment_scores"]) == len(segments) == len(fields["motion_id"])
        assert len(fields["features"]) == len(dataset)
    weights, motions = dataset.sampling()
    assert len(dataset.windows) == len(weights) and set(motions) == {0, 1}


def test_a_dataset_is_never_overwritten_unasked(mined, walks, capsys):
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
    figures, page = tmp_path / "a.json", tmp_path / "page.png"
    assert main(["motion", "analyze", str(mined), "--json", str(figures), "--plot", str(page)]) == 0
    said = capsys.readouterr().out
    assert "Clip: walk_0.20" in said and "mean(sum Fn) / mg" in said
    value = json.loads(figures.read_text())
    assert value["verdict"] in ("go", "caution", "stop") and value["advice"].split(",")[0] in said
    assert value["seconds"] == pytest.approx(
        sum(clip["mined_s"] for clip in value["report"]["clips"]), abs=0.01
    )
    assert page.stat().st_size > 10_000


def test_analysis_of_clips_that_were_not_performed(walks, capsys):
    assert main(["motion", "analyze", walks]) == 0
    assert "NOT PERFORMED" in capsys.readouterr().out


def test_a_tracking_policy_performs_without_a_harness(walks, robot, tmp_path, capsys):
    """A policy that has hardly learned anything leaves the clips' own targets nearly as they are: slow walks last a while."""
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
    assert (
        main(
            ["motion", "perform", "walk", "--reference", walks, "--out", str(tmp_path / "none.npz")]
        )
        == 2
    )
    assert "is not a policy of WildRobotTrack-v0" in capsys.readouterr().err
    assert main(["eval", str(run)]) == 2
    assert "it is run by `wildrobot motion perform`" in capsys.readouterr().err
    segments = load_clips(out, robot)
    assert all(segment.metadata["metrics"]["harness_p95"] == 0.0 for segment in segments)
    assert sum(segment.duration_s for segment in segments) > 2.0


def test_clips_are_made_endless(robot, walks, mined, tmp_path, capsys):
    out = tmp_path / "loops.npz"
    assert (
        main(
            ["motion", "loop", walks, "--out", str(out), "--duration", "8", "--warps", "0.9", "1.0"]
        )
        == 0
    )
    assert "8 variants of 2 motions, 64 s" in capsys.readouterr().out
    clips = load_clips(out, robot)
    assert {clip.motion_id for clip in clips} == {"walk_0.20_plain", "walk_0.30_plain"}
    assert main(["motion", "loop", walks, "--out", str(out)]) == 2
    assert "overwrite it by --force" in capsys.readouterr().err
    assert main(["motion", "loop", walks, walks, "--out", str(tmp_path / "twice.npz")]) == 2
    assert "Several clips are called" in capsys.readouterr().err
    # What is mined from a performance is no longer performed once it is looped.
    assert (
        main(["motion", "loop", str(mined), "--out", str(out), "--loops", "neutral", "--force"])
        == 0
    )
    capsys.readouterr()
    assert main(["motion", "analyze", str(out)]) == 0
    assert "NOT PERFORMED" in capsys.readouterr().out


def test_other_walks_of_the_generator_need_a_place_of_their_own(robot, tmp_path, capsys):
    assert main(["motion", "build", "--speeds", "0.3"]) == 2
    assert "Name it with --out" in capsys.readouterr().err
    assert main(["motion", "build"]) == 2  # the shipped walks are not written anew unasked
    assert "walk_synthetic.npz exists" in capsys.readouterr().err
    out = tmp_path / "walks.npz"
    assert main(["motion", "build", "--speeds", "0.3", "--no-mirror", "--out", str(out)]) == 0
    assert [clip.command[0] for clip in load_clips(out, robot)] == pytest.approx([0.3] * 3)
    assert main(["motion", "build", "--speeds", "0.3", "--out", str(out)]) == 2
    assert main(["motion", "build", "--speeds", "5", "--out", str(tmp_path / "fast.npz")]) == 2
    assert "allowed: 0.1 to 1.1 m/s" in capsys.readouterr().err


def test_some_motions_become_a_dataset_of_their_own(walks, robot, tmp_path, capsys):
    out = tmp_path / "slow.npz"
    clips = load_clips(walks, robot)
    names = [clip.motion_id for clip in clips]
    assert len(set(names)) == 2
    assert main(["motion", "select", walks, names[0][:-1] + "?", "--out", str(out)]) == 0
    assert "s of 1 motions, in 1 segments" in capsys.readouterr().out
    (chosen,) = load_clips(out, robot)
    assert chosen.description() == clips[0].description()
    np.testing.assert_array_equal(chosen.joint_pos, clips[0].joint_pos)
    np.testing.assert_array_equal(chosen.pad_forces, clips[0].pad_forces)
    before = out.read_bytes()
    assert (
        main(["motion", "select", walks, "*", "--out", str(out)]) == 2
        and out.read_bytes() == before
    )
    assert "overwrite it by --force" in " ".join(capsys.readouterr().err.split())
    assert (
        main(["motion", "select", walks, names[0], "runs_*", "--out", str(tmp_path / "none.npz")])
        == 2
    )
    assert f"Allowed: {', '.join(sorted(names))}" in " ".join(capsys.readouterr().err.split())
    assert main(["motion", "select", walks, "--out", str(tmp_path / "none.npz")]) == 2
    assert not (tmp_path / "none.npz").exists()
    report_file(out).write_text("{}")  # of how a dataset of that name was mined before
    assert main(["motion", "select", walks, "*", "--out", str(out), "--force"]) == 0
    assert len(load_clips(out, robot)) == 2 and not report_file(out).exists()


def test_a_dataset_that_cannot_be_written_leaves_the_older_one_its_own_report(
    tmp_path, monkeypatch
):
    def full(*_):
        raise MotionError("no space left")

    out = tmp_path / "mined.npz"
    report_file(out).write_text("the older one's")
    monkeypatch.setattr(motion_files, "save_clips", full)
    with pytest.raises(MotionError, match="no space"):
        write_dataset(out, MiningReport((), (), Gates()), [object()])
    assert report_file(out).read_text() == "the older one's"


def test_a_dataset_stays_where_nothing_comes_in_its_place(tmp_path):
    out = tmp_path / "mined.npz"
    out.write_text("the older one")
    report_file(out).write_text("its report")
    with pytest.raises(MotionError, match=r"Not one window passed the gates.*is unchanged"):
        write_dataset(out, MiningReport((), (), Gates()), [])
    assert out.read_text() == "the older one" and report_file(out).read_text() == "its report"


def test_two_files_of_one_name_are_refused(walks, tmp_path, capsys):
    both = str(tmp_path / "t.npz")
    assert main(["motion", "track", walks, "--out", both, "--features", both]) == 2
    assert "--features and --out are both" in capsys.readouterr().err


def test_mirror_images_are_not_made_twice(walks, robot, tmp_path):
    pair, out = tmp_path / "pair.npz", tmp_path / "loops.npz"
    walk = load_clips(walks, robot)[0]
    save_clips(pair, [walk, walk.mirrored(robot)])
    arguments = [
        "motion",
        "loop",
        str(pair),
        "--out",
        str(out),
        "--duration",
        "4",
        "--warps",
        "1.0",
        "--force",
    ]
    for more, originals in (
        ((), 1),
        (("--no-mirror",), 2),
    ):  # variants of two clips, which may have been turned alike
        assert main([*arguments, *more]) == 0
        clips = load_clips(out, robot)
        assert len(clips) == len({clip.name for clip in clips}) == 2
        assert len(without_images(clips)) == originals  # loops, too, may be looped or performed


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


def test_seconds_per_motion(walks, tmp_path, capsys):
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


def test_the_harness_is_measured_by_going_without(walks, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")  # names fold in a narrow terminal
    figures = tmp_path / "harness.json"
    assert main(["motion", "harness", walks, "--duration", "3", "--json", str(figures)]) == 0
    assert "walk_0.20_plain" in capsys.readouterr().out
    of_clip = json.loads(figures.read_text())["walk_0.20_plain"]
    assert 0.0 < of_clip["harness_mean"] < of_clip["harness_p95"] < 0.15
    assert (
        of_clip["falls_per_minute"] <= of_clip["falls_per_minute_without"]
        and not of_clip["carried"]
    )
    assert main(["motion", "harness", walks, "--json", str(figures)]) == 2
    assert "overwrite it by --force" in capsys.readouterr().err
    at_once = SimpleNamespace(clips=[SimpleNamespace(performed={})])
    monkeypatch.setattr(motion_harness, "track", lambda *_: ())
    monkeypatch.setattr(motion_harness, "mine", lambda *_: at_once)
    assert main(["motion", "harness", walks]) == 1
    assert "is lost in its first step" in " ".join(capsys.readouterr().out.split())


def test_a_dimension_that_gives_the_policy_away_is_named(robot, walks, tmp_path, capsys):
    figures, lifted = tmp_path / "features.json", tmp_path / "lifted.npz"
    walk = walk_clip(robot, 0.3)
    save_clips(lifted, [replace(walk, root_pos=walk.root_pos + np.array([0.0, 0.0, 0.1]))])
    assert main(["motion", "check-features", str(lifted), "--json", str(figures)]) == 0
    said = capsys.readouterr().out
    assert "SHORTCUT: root_height[z] alone is right for 100% of samples" in said
    assert (
        "SHORTCUT: joint_pos[left_knee_pitch]" not in said and "joint_pos[left_knee_pitch]" in said
    )
    checks = json.loads(figures.read_text())
    assert len(checks) == 29 and checks["root_height[z]"]["ks"] == 1.0
    assert main(["motion", "check-features", walks, "--config", "walk_amp"]) == 0
    said = capsys.readouterr().out
    assert "root_height" not in said and "No shortcut" in said


MICRO = ["--steps", "2048", "--log-interval", "1024", "--set", "amp.warm_start=null", "n_steps=16"]


def test_a_micro_train_judges_a_dataset(walks, tmp_path, capsys):
    figures = tmp_path / "micro.json"
    code = main(
        [
            "motion",
            "probe",
            walks,
            *MICRO,
            "--all-features",
            "--drop-height",
            "--json",
            str(figures),
        ]
    )
    said, value = capsys.readouterr().out, json.loads(figures.read_text())
    assert code == (0 if value["passed"] else 1) and ("PASS" if value["passed"] else "FAIL") in said
    assert "root_height" not in value["channels"] and "foot_contacts" in value["channels"]
    assert (
        0.0 <= value["auc"] <= 1.0 and value["steps"] == 2048 and value["log"] and value["held_out"]
    )


def test_what_a_micro_train_refuses(walks, capsys):
    for more, message in (
        (["--config", "walk_ppo"], "has no amp section"),
        (["--set", "amp=null"], "has no amp section"),
        (["--set", "n_envs=4"], "n_envs cannot be set"),
        (["--steps", "0"], "steps is 0; allowed: 1 or more"),
        (
            ["--set", "env_kwargs.features.channels=[root_height]", "--drop-height"],
            "No channel is left",
        ),
    ):
        assert main(["motion", "probe", walks, *more]) == 2
        assert message in capsys.readouterr().err


def test_whole_motions_are_held_out(robot):
    walk = walk_clip(robot, 0.2)
    parts = [replace(walk, metadata={"motion_id": f"m{i // 2}"}) for i in range(20)]
    learned, held_out = motion_microtrain.hold_out(parts)
    assert {clip.motion_id for clip in held_out} == {"m3", "m6"} and len(learned) == 16
    learned, held_out = motion_microtrain.hold_out(parts[:4])
    assert {clip.motion_id for clip in held_out} == {"m0"} and len(learned) == 2
    learned, held_out = motion_microtrain.hold_out(parts[:2])
    assert held_out is learned


@pytest.mark.parametrize(
    ("auc", "variance", "passed", "advice"),
    [
        (0.75, 0.08, True, "Continue"),
        (0.95, 0.08, False, "too easily"),
        (0.55, 0.08, False, "cannot tell"),
        (0.75, 0.01, False, "nearly constant"),
        (float("nan"), 0.08, False, "not finite"),
    ],
)
def test_the_plans_gate(auc, variance, passed, advice):
    verdict = motion_microtrain.DiscriminatorMetrics(auc, 0.5, variance)
    assert verdict.passed is passed and advice in verdict.advice


def test_motions_side_by_side(mined, walks, tmp_path, capsys):
    out, strip = tmp_path / "play.mp4", tmp_path / "play.png"
    arguments = [
        "motion",
        "play",
        walks,
        str(mined),
        "--out",
        str(out),
        "--strip",
        str(strip),
        "--size",
        "64",
        "48",
    ]
    assert main([*arguments, "--motion", "jump"]) == 2
    assert "Unknown motion 'jump'" in capsys.readouterr().err
    assert main(["motion", "play", "--out", str(out)]) == 2
    assert "a panel each" in capsys.readouterr().err
    code = main([*arguments, "--seconds", "0.2", "--motion", "walk_0.30_plain"])
    if code == 3:
        pytest.skip("this machine cannot draw")
    assert code == 0 and out.stat().st_size > 500 and strip.stat().st_size > 500
    assert "walk_0.30_plain (walks.npz)" in capsys.readouterr().out
    assert main(arguments) == 2
    assert "overwrite it by --force" in capsys.readouterr().err


def test_the_plainest_clip_is_shown(robot):
    walk = walk_clip(robot, 0.3)
    plain = {"loop": "cycle", "warp": 1.0, "turn": 0.0, "mirrored": False, "start_s": 0.0}
    clips = [
        replace(
            walk, name="a", metadata={"motion_id": "walk", "variant": {**plain, "mirrored": True}}
        ),
        replace(walk, name="b", metadata={"motion_id": "walk", "variant": plain, "first_step": 50}),
        replace(walk, name="c", metadata={"motion_id": "walk", "variant": plain, "first_step": 0}),
    ]
    assert motion_play.plainest_clip(clips, "walk", "x").name == "c"
    assert motion_play.plainest_clip(clips, "a", "x").name == "a"


def script(name):
    path = Path(__file__).resolve().parents[2] / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_plans_analysis_script(mined, tmp_path, capsys):
    figures = tmp_path / "analysis.json"
    analyze = script("analyze_tier0plus_dataset")
    assert analyze.main([str(mined), "--json-output", str(figures), "--verbose"]) == 0
    assert json.loads(figures.read_text())["segments"] > 3
    assert analyze.main([str(tmp_path / "absent.npz")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_the_plans_generation_script_hands_its_flags_on(monkeypatch):
    generate = script("generate_tier0plus_segments")
    asked = []
    monkeypatch.setattr(generate, "track_files", lambda *a, **k: asked.append((a, k)))
    monkeypatch.setattr(generate, "print_mined", lambda *_: 0)
    flags = [
        "--multi-start-interval",
        "50",
        "--max-window-frames",
        "150",
        "--harness-cap",
        "0.12",
        "--verbose",
    ]
    assert (
        generate.main(
            ["clip.npz", *flags, "--max-harness-p95", "0.12", "--min-load-support", "0.9"]
        )
        == 0
    )
    (files, chosen), named = asked[0]
    settings, gates = named["tracking"], named["gates"]
    assert (files, chosen.robot) == (("clip.npz",), "wildrobot")
    assert (settings.start_interval_s, settings.harness.cap) == (1.0, 0.12)
    assert (gates.longest, gates.harness_p95, gates.load_mean) == (150, 0.12, 0.9)
    assert generate.main(["clip.npz", "--max-window-frames", "10"]) == 2  # shorter than a window


def test_the_plans_judging_scripts_call_the_commands(walks, mined, tmp_path, capsys):
    """Each with the flags that the plan prints."""
    assert script("analyze_reference_velocities").main([walks]) == 0
    assert "stationary" in capsys.readouterr().out
    assert (
        script("test_harness_contribution").main(
            ["--motion", walks, "--duration", "2", "--verbose"]
        )
        == 0
    )
    assert script("validate_feature_consistency").main([walks, "--config", "walk_amp"]) == 0
    assert script("diagnose_amp_features").main(["--config", "walk_amp"]) == 0
    assert "joint_pos[waist_yaw]" in capsys.readouterr().out
    out = tmp_path / "direction.npz"
    assert script("convert_ref_data_normalized_velocity").main([str(mined), "--out", str(out)]) == 0
    with np.load(out) as fields:
        columns = fields["features"][:, 18:21]
    lengths = np.linalg.norm(columns, axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-4) | (lengths == 0))
    assert script("convert_ref_data_normalized_velocity").main([str(mined), "--out", str(out)]) == 2
    assert (
        script("convert_ref_data_normalized_velocity").main(
            [walks, "--out", str(tmp_path / "none.npz")]
        )
        == 2
    )
    assert "was not performed and gated" in capsys.readouterr().err
    assert script("diagnose_amp_features").main(["--config", "walk_ppo"]) == 2


def test_the_plans_smoke_test_hands_its_flags_on(monkeypatch):
    smoke, asked = script("micro_train_smoke_test"), {}
    monkeypatch.setattr(
        smoke,
        "probe",
        lambda dataset, settings, **_: asked.update(vars(settings), dataset=dataset) or 1,
    )
    assert (
        smoke.main(
            [
                "--dataset",
                "a.npz",
                "--steps",
                "5000",
                "--drop-contacts",
                "--drop-height",
                "--log-interval",
                "100",
            ]
        )
        == 1
    )
    assert (
        asked["dataset"] == "a.npz"
        and asked["drop_contacts"]
        and asked["drop_height"]
        and asked["all_features"]
    )
    assert (asked["steps"], asked["log_interval"]) == (5000, 100)


def test_the_seeds_component_test_runs_these_tests(capsys):
    assert script("test_amp_components").main(["--collect-only", "-q"]) == 0
    assert "test_amp_discriminator" in capsys.readouterr().out
