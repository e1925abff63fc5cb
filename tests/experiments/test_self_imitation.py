"""Self-imitation: a policy's own gait mined and learned from; stages that are done, interrupted or outdated."""

import json
import shutil
import signal

import numpy as np
import pytest

from wildrobot_gym.cli.main import main
from wildrobot_gym.env.rollout import ROLLOUT_SOURCE, SETTLING_STEPS, perform_walk
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.evaluation.benchmark import make_env
from wildrobot_gym.experiments.datasets import load_dataset
from wildrobot_gym.experiments.self_imitation import mining, run
from wildrobot_gym.experiments.self_imitation.stages import grounded_stage
from wildrobot_gym.motion.mining import Gates, mine
from wildrobot_gym.paths import POLICIES
from wildrobot_gym.task.walk import SUCCESS_VELOCITY_ERROR
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import yaml_io
from wildrobot_gym.training.policy import load_policy
from wildrobot_gym.training.run_directory import RunDirectory
from wildrobot_gym.training.train import TrainResult

TINY = ("n_envs=8", "n_steps=8", "batch_size=32", "checkpoint_every=64", "eval.every=0")
TINY += ("amp.discriminator_hidden=[16]", "amp.batch_size=64", "amp.held_out_fraction=0")
ROLLOUTS = ("--commands", "0.3", "0.6", "--seconds", "3")
SHIPPED = ("self-imitate", "--policy", "walk", *ROLLOUTS, "--set", *TINY, "--amp-steps", "128")


def printed(capsys) -> str:
    captured = capsys.readouterr()
    return " ".join((captured.out + captured.err).split())


def result(directory, signum=None) -> TrainResult:
    status = "finished" if signum is None else "stopped"
    return TrainResult(run=directory, status=status, num_timesteps=1, signum=signum)


def fake_training(monkeypatch) -> list:
    """In place of training: a list of the configs, directories and whether to resume."""
    calls = []

    def train(config, *, out, resume, **_):
        calls.append((config, out, resume))
        return result(RunDirectory(out))

    monkeypatch.setattr(run, "train", train)
    return calls


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The files made from the shipped policy. A test that changes them restores them."""
    out = tmp_path_factory.mktemp("self_imitate") / "out"
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


def test_a_trained_baseline(tmp_path, capsys, monkeypatch):
    """It is resumed, then trained without hops. If it does not walk, it is refused.

    AMP starts with the last policy. The training is replaced: the second call of a stage makes the
    shipped policy.
    """
    calls = []

    def train(config, *, out, resume, **_):
        directory = RunDirectory(out)
        calls.append((config.n_timesteps, out.name, resume))
        if not resume:
            directory.begin(config)
            return result(directory, signal.SIGINT)
        shutil.copy(POLICIES / "walk" / "policy.zip", directory.final)
        return result(directory)

    monkeypatch.setattr(run, "train", train)
    monkeypatch.setattr(mining, "SUCCESS_VELOCITY_ERROR", 0.0)  # nobody walks so well
    out = tmp_path / "out"
    command = [
        "self-imitate",
        *ROLLOUTS,
        "--baseline-steps",
        "1000000",
        "--grounded-steps",
        "5000",
        "--out",
        str(out),
    ]
    assert main(command) == 128 + signal.SIGINT
    assert "same command resumes" in printed(capsys)
    assert main(command) == 128 + signal.SIGINT
    text = printed(capsys)
    assert (
        "baseline: resuming walk_ppo" in text
        and "grounded: training walk_ppo to 5,000 steps" in text
    )
    plain, level = (
        run_config.from_mapping(RunDirectory(out / name).read_config())
        for name in ("baseline", "grounded")
    )
    assert (
        level.trained_agent == str(out / "baseline" / "final.zip") and plain.trained_agent is None
    )
    rewards = [config.env.env_kwargs()["rewards"] for config in (plain, level)]
    assert rewards[1] == rewards[0] | {
        "flight": -10.0,
        "short_double_support": -10.0,
        "saturation": -2.0,
    }
    assert main(command) == 2
    assert (
        "none of it within 0.0 m/s of its command. Train the baseline for longer (--grounded-steps"
        in printed(capsys)
    )
    assert main(command) == 2
    text = printed(capsys)
    assert "baseline: done" in text and "grounded: done" in text
    assert main([*command, "--baseline-steps", "7000000"]) == 2
    steps = RunDirectory(out / "baseline").final_steps()
    assert f"continued from a baseline of {steps:,} steps, but 7,000,000 are asked for" in printed(
        capsys
    )
    assert calls == [
        (1_000_000, "baseline", False),
        (1_000_000, "baseline", True),
        (5000, "grounded", False),
        (5000, "grounded", True),
    ]
    reference, amp = out / "reference.npz", RunDirectory(out / "amp")
    assert not reference.exists() and not amp.path.exists()
    monkeypatch.setattr(mining, "SUCCESS_VELOCITY_ERROR", SUCCESS_VELOCITY_ERROR)
    assert main(command) == 128 + signal.SIGINT
    begun = run_config.from_mapping(amp.read_config())
    assert calls[4:] == [(begun.n_timesteps, "amp", False)] and begun.trained_agent == str(
        out / "grounded" / "final.zip"
    )
    assert begun.reference.path == reference and load_dataset(str(reference))[1]
    assert main([*command, "--grounded-steps", "7000000"]) == 2
    assert (
        "was mined before the training that is asked for now" in printed(capsys) and len(calls) == 5
    )


def test_the_grounded_stage_can_be_left_out(tmp_path, monkeypatch):
    calls, agents = fake_training(monkeypatch), []
    monkeypatch.setattr(
        run, "load_policy", lambda agent: agents.append(agent) or load_policy("walk")
    )
    monkeypatch.setattr(run, "mine_gait", lambda *_: None)
    assert main(["self-imitate", "--grounded-steps", "0", "--out", str(tmp_path / "out")]) == 0
    assert [out.name for _, out, _ in calls] == ["baseline", "amp"]
    assert agents == [str(tmp_path / "out" / "baseline" / "final.zip")]


def test_penalties_of_the_grounded_stage_are_never_lighter(tmp_path):
    plain = run_config.load("walk_ppo", ["env_kwargs.rewards.flight=-20"])
    rewards = grounded_stage(plain, RunDirectory(tmp_path), 1000).env.env_kwargs()["rewards"]
    assert (rewards["flight"], rewards["short_double_support"], rewards["saturation"]) == (
        -20.0,
        -10.0,
        -2.0,
    )


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--policy", "wlak"), "Unknown policy 'wlak'"),
        (("--policy", "walk", "--baseline-steps", "100"), "--policy gives one"),
        (
            ("--policy", "walk", "--grounded-steps", "100"),
            "--grounded-steps is for a baseline that is trained",
        ),
        (("--grounded-steps", "-1"), "n_timesteps is -1"),
        (("--policy", "walk", "--seconds", "0.5"), "seconds is 0.5; allowed: 1 or more"),
        (("--policy", "walk", "--commands"), "commands are []"),
        (
            ("--policy", "walk", "--commands", "0.1", "0.4"),
            "more than 0.1 m/s either way. A robot that stands would follow slower ones",
        ),
        (("--policy", "walk", "--commands", "nan", "0.4"), "commands are [nan, 0.4]"),
        (("--policy", "walk", "--commands", "0.4"), "2 speeds or more, each of which is a motion"),
        (("--policy", "walk", "--commands", "0.3", "0.4", "0.3"), "each speed once"),
        (("--set", "amp=null"), "amp cannot be null"),
        (
            ("--set", "symmetric_policy=false"),
            "symmetric_policy is True in the baseline and False in the AMP run",
        ),
        (
            ("--set", "env_kwargs.robot=wildrobot_8dof"),
            "env_kwargs.robot is wildrobot in the baseline and wildrobot_8dof",
        ),
        (
            ("--policy", "walk", "--set", "env_kwargs.features.contacts=force"),
            "env_kwargs.features is",
        ),
    ],
)
def test_wrong_settings_are_refused_before_anything_runs(tmp_path, capsys, arguments, message):
    assert main(["self-imitate", "--out", str(tmp_path / "out"), *arguments]) == 2
    assert message in printed(capsys)
    assert not (tmp_path / "out").exists()


def test_rollouts_hold_what_physics_did(wildrobot):
    """Two robots side by side: one walks as the shipped policy does, the other's servos are driven to their limits."""
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
    moved = np.diff(one.qpos[:, 0]) / 0.02
    np.testing.assert_allclose(
        moved, one.qvel[1:, 0], atol=0.15
    )  # velocities are of the step's end, moves its mean
    assert moved.mean() == pytest.approx(0.4, abs=0.1)
    load = one.pad_forces.sum(axis=1).mean() / wildrobot.weight
    assert load == pytest.approx(1.0, abs=0.05) and not one.harness.any()
    report = mine(wildrobot, [one, other])
    assert report.clips[0].mined_s == 2.0 and report.clips[1].falls == 1
    env.close()
    with pytest.raises(ConfigError, match=r"kept every 0\.02 s"):
        perform_walk(make_env({"control_dt": 0.01}, 1), walker, np.array([0.4]))
