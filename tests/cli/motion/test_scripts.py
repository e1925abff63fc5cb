"""The scripts with the seed documents' names, called with the flags printed there."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest


def script(name):
    path = Path(__file__).resolve().parents[3] / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_analysis_script(mined, tmp_path, capsys):
    metrics = tmp_path / "analysis.json"
    analyze = script("analyze_tier0plus_dataset")
    assert analyze.main([str(mined), "--json-output", str(metrics), "--verbose"]) == 0
    assert json.loads(metrics.read_text())["segments"] > 3
    assert analyze.main([str(tmp_path / "absent.npz")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_generation_script_passes_its_flags_on(monkeypatch):
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


@pytest.mark.slow
def test_judging_scripts_perform_and_compare(walks):
    """With the flags that the seed documents print."""
    harness = script("test_harness_contribution")
    assert harness.main(["--motion", walks, "--duration", "2", "--verbose"]) == 0
    assert script("validate_feature_consistency").main([walks, "--config", "walk_amp"]) == 0


def test_judging_scripts_call_the_commands(walks, mined, tmp_path, capsys):
    """With the flags that the seed documents print."""
    assert script("analyze_reference_velocities").main([walks]) == 0
    assert "stationary" in capsys.readouterr().out
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


def test_smoke_test_script_passes_its_flags_on(monkeypatch):
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


def test_component_test_script_runs_the_tests_of_amp(capsys):
    assert script("test_amp_components").main(["--collect-only", "-q"]) == 0
    assert "test_discriminator" in capsys.readouterr().out
