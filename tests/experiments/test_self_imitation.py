"""Self-imitation of the shipped policy: its gait is mined and learned from."""

import json

import numpy as np
import pytest
from self_imitation_runs import SHIPPED, fake_training, printed, result

from amp_sbx.common import archive as checkpoint
from wildrobot_gym import yaml_io
from wildrobot_gym.cli.main import main
from wildrobot_gym.env.rollout import ROLLOUT_SOURCE, SETTLING_STEPS, perform_walk
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.evaluation.benchmark import make_env
from wildrobot_gym.experiments.datasets import load_dataset
from wildrobot_gym.experiments.self_imitation import mining, run
from wildrobot_gym.motion.mining import Gates, mine
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.policy import load_policy
from wildrobot_gym.training.run_directory import RunDirectory


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The files made from the shipped policy. A test that changes them restores them.

    The AMP run is replaced by its files; `test_a_real_amp_run` trains one.
    """
    out = tmp_path_factory.mktemp("self_imitate") / "out"

    def train(config, *, out, **_):
        directory = RunDirectory(out)
        directory.begin(config)
        checkpoint.write(directory.final, {"counters": {"num_timesteps": config.n_timesteps}}, {})
        return result(directory)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "train", train)
        assert main([*SHIPPED, "--out", str(out)]) == 0
    return out


def test_the_gait_of_the_shipped_policy_is_mined(done):
    _, segments = load_dataset(str(done / "reference.npz"))
    assert {segment.motion_id for segment in segments} == {"policy_0.3", "policy_0.6"}
    for segment in segments:
        assert segment.command[0] == pytest.approx(float(segment.motion_id.split("_")[1]), abs=0.1)
        assert (
            segment.metadata["metrics"]["harness_p95"] == 0.0
            and segment.metadata["metrics"]["slip"] <= 0.15
        )
        assert segment.metadata["first_step"] >= SETTLING_STEPS and segment.source == ROLLOUT_SOURCE
    assert (
        sum(segment.num_frames for segment in segments) == 2 * 150
    )  # 3 s of each speed, all of it
    report = json.loads((done / "reference.report.json").read_text())
    assert report["origin"]["commands"] == [0.3, 0.6] and report["origin"]["num_timesteps"] > 0


def test_amp_starts_with_the_baseline_and_a_rising_weight(done):
    config = run_config.from_mapping(yaml_io.read(done / "amp" / "config.yaml"))
    assert config.reference.path == done / "reference.npz" and config.env.env_kwargs()[
        "reference"
    ] == str(done / "reference.npz")
    assert config.trained_agent == "walk" and config.n_timesteps == 128
    assert [config.amp.style_weight(steps) for steps in (0, 32, 64, 128)] == pytest.approx(
        [0.0, 0.05, 0.1, 0.1]
    )
    assert (done / "amp" / "final.zip").is_file()


@pytest.mark.slow
def test_a_real_amp_run(tmp_path):
    out = tmp_path / "out"
    assert main([*SHIPPED, "--out", str(out)]) == 0
    assert RunDirectory(out / "amp").final_steps() == 128
    assert load_policy(str(out / "amp")).model.num_timesteps == 128


def test_finished_stages_are_not_repeated(done, capsys):
    before = {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()}
    assert main([*SHIPPED, "--out", str(done)]) == 0
    text = printed(capsys)
    assert "reference: done" in text and "amp: done, 128 steps" in text
    assert {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()} == before


def test_the_amp_run_can_be_extended(done, capsys, monkeypatch):
    calls = fake_training(monkeypatch)
    assert main([*SHIPPED, "--out", str(done), "--amp-steps", "256"]) == 0
    assert "amp: resuming" in printed(capsys)
    [(config, _, resume)] = calls
    assert config.n_timesteps == 256 and resume
    assert config.amp.schedule.ramp_end == 64.0  # as it was begun, with 128 steps


def test_outdated_stages_are_refused(done, capsys, monkeypatch):
    out = ("--out", str(done))
    assert main([*SHIPPED, *out, "--seconds", "4"]) == 2
    text = printed(capsys)
    assert (
        "mined from other rollouts" in text
        and "seconds: 3.0, asked 4.0" in text
        and "--force" in text
    )
    monkeypatch.setattr(mining, "file_digest", lambda _: "of another file under the name")
    assert main([*SHIPPED, *out]) == 2
    assert "mined from other rollouts. sha256" in printed(capsys)
    monkeypatch.undo()
    assert main([*SHIPPED, *out, "--set", "amp.weight=0.2"]) == 2
    assert "started with other settings" in printed(capsys)
    hidden = done.with_name("hidden.npz")
    (done / "reference.npz").rename(hidden)
    assert (
        main([*SHIPPED, *out]) == 2
    )  # the AMP run's reference is gone, and no other one may take its place
    assert "config.yaml exists" in printed(capsys)
    hidden.rename(done / "reference.npz")


def test_force_repeats_mining_and_amp(done, tmp_path, capsys, monkeypatch):
    calls = fake_training(monkeypatch)
    other = tmp_path / "out"
    (other / "amp").mkdir(parents=True)
    for name in ("reference.npz", "reference.report.json", "amp/config.yaml"):
        (other / name).write_bytes((done / name).read_bytes())
    assert main([*SHIPPED, "--out", str(other), "--commands", "0.3", "0.425", "--force"]) == 0
    assert {s.motion_id for s in load_dataset(str(other / "reference.npz"))[1]} == {
        "policy_0.3",
        "policy_0.425",
    }
    assert not (other / "amp").exists() and calls[0][1:] == (other / "amp", False)


def test_why_nothing_was_mined(tmp_path, capsys, monkeypatch):
    """Gates that are too strict, by their fractions, and rollouts too short for one window."""
    monkeypatch.setattr(
        mining,
        "mine",
        lambda robot, performances: mine(robot, performances, Gates(load_mean=1.5)),
    )
    assert main([*SHIPPED, "--out", str(tmp_path / "out")]) == 2
    text = printed(capsys)
    assert (
        "6.0 s were performed, with 0 falls. Of 22 windows these fractions fail: load_mean 100%."
        in text
    )
    assert "reference.report.json" in text and "give a policy that walks (--policy)" in text
    monkeypatch.setattr(mining, "perform_walk", lambda *_: [])
    assert main([*SHIPPED, "--out", str(tmp_path / "out")]) == 2
    assert "nothing lasted 20 frames" in printed(capsys)


def test_rollouts_hold_the_physics(wildrobot):
    """One robot follows the shipped policy, the other's servos go to their limits."""
    walker = load_policy("walk")
    env = make_env(walker.env_kwargs, 2, num_steps=150)
    one, other = perform_walk(
        env, lambda obs: walker(obs) * [[1.0], [0.0]] + [[0.0], [1.0]], np.array([0.4, 0.5]), seed=1
    )
    assert (one.motion_id, one.num_frames, one.fell, one.first_step) == (
        "policy_0.4",
        100,
        False,
        SETTLING_STEPS,
    )
    assert other.fell and other.num_frames < 100
    moved = np.diff(one.qpos[:, :2], axis=0) / 0.02
    np.testing.assert_allclose(
        moved, one.qvel[1:, :2], atol=0.15
    )  # velocities are of the step's end, moves its mean
    assert np.linalg.norm(moved.mean(axis=0)) == pytest.approx(0.4, abs=0.1)  # in any heading
    load = one.pad_forces.sum(axis=1).mean() / wildrobot.weight
    assert load == pytest.approx(1.0, abs=0.05) and not one.harness.any()
    report = mine(wildrobot, [one, other])
    assert report.clips[0].mined_s == 2.0 and report.clips[1].falls == 1
    env.close()
    with pytest.raises(ConfigError, match=r"kept every 0\.02 s"):
        perform_walk(make_env({"control_dt": 0.01}, 1), walker, np.array([0.4]))
