"""What a run reports of its discriminator, on the console and in its files."""

import re

import numpy as np
import pytest
from run_helpers import NO_EVAL, SMALL
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from amp_sbx.discriminator.verdict import Verdict
from amp_sbx.reference.layout import channel_columns
from wildrobot_gym.cli.main import main
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.evaluation.progress import read_columns
from wildrobot_gym.training.run_directory import RunDirectory


def test_verdicts_are_reported_and_kept(tmp_path, capsys, monkeypatch):
    """On the console, in events.jsonl, progress.csv and TensorBoard, and at the end."""
    monkeypatch.setattr("wildrobot_gym.console.progress_bar.PRINT_EVERY_S", 0.0)
    settings = ["n_timesteps=1280", "amp.disc_lr=1e-12", "n_epochs=1"]
    run = RunDirectory(tmp_path / "run")
    assert main(["train", "smoke", *SMALL, *NO_EVAL, *settings, "--out", str(run.path)]) == 0
    text = capsys.readouterr().out
    start = "960 steps: "  # 15 of 64 steps
    line = next(x for x in text.splitlines() if x.startswith(f"{start}discriminator frozen: "))
    assert "an iteration changes its parameters by" in line
    (event,) = run.events()
    assert f"{start}{event.text}" == line and event.num_timesteps == 960
    assert event.kind == "verdict" and event.fields == {"verdict": "frozen"}
    lines = [line for line in text.splitlines() if "min left" in line]
    assert len(lines) == 20 and all(
        line.endswith("  frozen" if i >= 15 else "  healthy") for i, line in enumerate(lines)
    )
    assert all(re.search(r"  amp \S+  acc \S+  auc \S+  ", line) for line in lines[1:])
    # Of those that were judged.
    assert "Verdicts on the discriminator, by iterations: frozen 100 %" in text
    verdicts = read_columns(run.progress)["amp/verdict"]
    expected = [0.0] * 14 + [Verdict.FROZEN.value] * 6
    assert verdicts[np.isfinite(verdicts)].tolist() == expected
    logged = EventAccumulator(str(run.tensorboard)).Reload()
    assert [scalar.value for scalar in logged.Scalars("amp/verdict")] == expected
    assert {
        "amp/held_out_auc",
        "amp/learned_auc",
        "amp/feature_auc",
        "amp/outside",
        "amp/still",
    } <= {*logged.Tags()["scalars"]}


@pytest.mark.slow
def test_contacts_that_are_always_zero_are_named(tmp_path, capsys, monkeypatch):
    """In the robot's own features, with a part of the reference held out."""
    step = WildRobotVectorEnv.step

    def without_contacts(env, actions):
        *rest, infos = step(env, actions)
        infos["amp_obs"][
            :, channel_columns(env.amp_layout, ["foot_contacts"], infos["amp_obs"].shape[1])
        ] = 0.0
        return *rest, infos

    monkeypatch.setattr(WildRobotVectorEnv, "step", without_contacts)
    settings = ["n_timesteps=1024", "n_epochs=1"]
    out = ["--out", str(tmp_path / "run")]
    assert main(["train", "smoke", *SMALL, *NO_EVAL, *settings, *out]) == 0
    assert re.search(
        r"960 steps: discriminator feature mismatch: foot_contacts\[0\], 1 frame back alone gives"
        r" AUC 0\.\d\d; the policy's values are always 0, the reference's vary\."
        r" Check how the environment computes this column",
        capsys.readouterr().out,
    )
