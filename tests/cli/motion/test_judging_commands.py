"""`wildrobot motion` check-features, probe and play."""

import json
from dataclasses import replace

import numpy as np
import pytest

from wildrobot_gym.cli.main import main
from wildrobot_gym.experiments import feature_report
from wildrobot_gym.motion.clip_files import save_clips
from wildrobot_gym.motion.gait.build import walk_clip


@pytest.fixture(scope="module")
def lifted(wildrobot, tmp_path_factory):
    """A walk 0.045 m above the floor, which no policy's features can match."""
    walk, path = walk_clip(wildrobot, 0.3), tmp_path_factory.mktemp("lifted") / "lifted.npz"
    high = replace(walk, root_pos=walk.root_pos + np.array([0.0, 0.0, 0.045]))
    return str(save_clips(path, [high]))


def test_check_features_names_a_shortcut(lifted, tmp_path, capsys, monkeypatch):
    for name, few in (("ENVS", 4), ("STEPS", 60)):
        monkeypatch.setattr(feature_report, name, few)
    metrics = tmp_path / "features.json"
    assert main(["motion", "check-features", lifted, "--json", str(metrics)]) == 0
    assert "SHORTCUT: root_height[z] alone is right for 100% of" in capsys.readouterr().out
    checks = json.loads(metrics.read_text())
    assert len(checks) == 29 and checks["root_height[z]"]["ks"] == 1.0


@pytest.mark.slow
def test_check_features_names_a_column_that_gives_the_policy_away(lifted, walks, tmp_path, capsys):
    metrics = tmp_path / "features.json"
    assert main(["motion", "check-features", lifted, "--json", str(metrics)]) == 0
    said = capsys.readouterr().out
    assert "SHORTCUT: root_height[z] alone is right for 100% of samples" in said
    assert (
        "SHORTCUT: joint_pos[left_knee_pitch]" not in said and "joint_pos[left_knee_pitch]" in said
    )
    checks = json.loads(metrics.read_text())
    assert len(checks) == 29 and checks["root_height[z]"]["ks"] == 1.0
    assert main(["motion", "check-features", walks, "--config", "walk_amp"]) == 0
    said = capsys.readouterr().out
    assert "root_height" not in said and "No shortcut" in said


SMALL_RUN = [
    "--steps",
    "2048",
    "--log-interval",
    "1024",
    "--set",
    "amp.warm_start=null",
    "n_steps=16",
]


@pytest.mark.slow
def test_probe_judges_a_dataset(walks, tmp_path, capsys):
    metrics = tmp_path / "probe.json"
    code = main(
        [
            "motion",
            "probe",
            walks,
            *SMALL_RUN,
            "--all-features",
            "--drop-height",
            "--json",
            str(metrics),
        ]
    )
    said, value = capsys.readouterr().out, json.loads(metrics.read_text())
    assert code == (0 if value["passed"] else 1) and ("PASS" if value["passed"] else "FAIL") in said
    assert "root_height" not in value["channels"] and "foot_contacts" in value["channels"]
    assert (
        0.0 <= value["auc"] <= 1.0 and value["steps"] == 2048 and value["log"] and value["held_out"]
    )


def test_probe_refuses_wrong_settings(walks, capsys):
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


def test_play_films_motions_side_by_side(mined, walks, tmp_path, capsys):
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
