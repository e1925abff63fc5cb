"""``wildrobot bootstrap``: a policy's own walk mined and learned from; stages that are done, interrupted, or stale."""

import json
import shutil
import signal

import numpy as np
import pytest

from wildrobot_gym.cli.main import main
from wildrobot_gym.env.rollout import ROLLOUT_SOURCE, SETTLING_STEPS, perform_walk
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.evaluation.benchmark import make_env
from wildrobot_gym.experiments import self_imitation as bootstrap
from wildrobot_gym.experiments.datasets import load_dataset
from wildrobot_gym.motion.mining import Gates, mine
from wildrobot_gym.paths import POLICIES
from wildrobot_gym.task.walk import SUCCESS_VELOCITY_ERROR
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import yaml_io
from wildrobot_gym.training.policy import load_policy
from wildrobot_gym.training.run_directory import RunDirectory

TINY = ("n_envs=8", "n_steps=8", "batch_size=32", "checkpoint_every=64", "eval.every=0")
TINY += ("amp.discriminator_hidden=[16]", "amp.batch_size=64", "amp.held_out_fraction=0")
ROLLOUTS = ("--commands", "0.3", "0.6", "--seconds", "3")
SHIPPED = ("bootstrap", "--policy", "walk", *ROLLOUTS, "--set", *TINY, "--amp-steps", "128")


def said(capsys) -> str:
    captured = capsys.readouterr()
    return " ".join((captured.out + captured.err).split())


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """All that comes of the shipped policy as a baseline, for tests that put back what they change."""
    out = tmp_path_factory.mktemp("bootstrap") / "out"
    assert main([*SHIPPED, "--out", str(out)]) == 0
    return out


def test_the_shipped_policys_walk_is_mined(done):
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


def test_amp_begins_with_the_baseline_at_a_low_weight_that_rises(done):
    config = run_config.from_mapping(yaml_io.read(done / "amp" / "config.yaml"))
    assert config.reference.path == done / "reference.npz" and config.env.env_kwargs()[
        "reference"
    ] == str(done / "reference.npz")
    assert config.trained_agent == "walk" and config.n_timesteps == 128
    assert [config.amp.style_weight(steps) for steps in (0, 32, 64, 128)] == pytest.approx(
        [0.0, 0.05, 0.1, 0.1]
    )
    assert (done / "amp" / "final.zip").is_file()


def test_what_is_done_stays(done, capsys):
    before = {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()}
    assert main([*SHIPPED, "--out", str(done)]) == 0
    text = said(capsys)
    assert "reference: done" in text and "amp: done, 128 steps" in text
    assert {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()} == before


def test_the_last_stage_can_be_lengthened(done, capsys, monkeypatch):
    lengths = []
    monkeypatch.setattr(
        bootstrap,
        "train",
        lambda config, *_: lengths.append((config.n_timesteps, config.amp["schedule"])) or 0,
    )
    assert main([*SHIPPED, "--out", str(done), "--amp-steps", "256"]) == 0
    assert "amp: going on" in said(capsys)
    [(steps, schedule)] = lengths
    assert steps == 256 and schedule["ramp_end"] == 64.0  # as it was begun, with 128 steps


def test_stale_stages_are_refused(done, capsys, monkeypatch):
    out = ("--out", str(done))
    assert main([*SHIPPED, *out, "--seconds", "4"]) == 2
    text = said(capsys)
    assert (
        "mined from other rollouts" in text
        and "seconds: 3.0, asked 4.0" in text
        and "--force" in text
    )
    monkeypatch.setattr(bootstrap, "file_digest", lambda _: "of another file under the name")
    assert main([*SHIPPED, *out]) == 2
    assert "mined from other rollouts. sha256" in said(capsys)
    monkeypatch.undo()
    assert main([*SHIPPED, *out, "--set", "amp.weight=0.2"]) == 2
    assert "started with other settings" in said(capsys)
    hidden = done.with_name("hidden.npz")
    (done / "reference.npz").rename(hidden)
    assert (
        main([*SHIPPED, *out]) == 2
    )  # the AMP run's reference is gone: it is not mined anew under it
    assert "config.yaml exists" in said(capsys)
    hidden.rename(done / "reference.npz")


def test_force_mines_and_learns_anew(done, tmp_path, capsys, monkeypatch):
    runs = []
    monkeypatch.setattr(bootstrap, "train", lambda *arguments: runs.append(arguments) or 0)
    other = tmp_path / "out"
    (other / "amp").mkdir(parents=True)
    for name in ("reference.npz", "reference.report.json", "amp/config.yaml"):
        (other / name).write_bytes((done / name).read_bytes())
    assert main([*SHIPPED, "--out", str(other), "--commands", "0.3", "0.425", "--force"]) == 0
    assert {s.motion_id for s in load_dataset(str(other / "reference.npz"))[1]} == {
        "policy_0.3",
        "policy_0.425",
    }
    assert not (other / "amp").exists() and runs[0][1:3] == (RunDirectory(other / "amp"), False)


def test_a_trained_baseline(tmp_path, capsys, monkeypatch):
    """Interrupted it goes on, then on again without hops; one that does not walk is refused; AMP begins with the last. The
    training itself is left out: the shipped policy is what comes of it, on the second call.
    """
    calls = []

    def train(config, folder, resume, console):
        calls.append((config.n_timesteps, folder.path.name, resume))
        if not resume:
            folder.begin(config)
            return 128 + signal.SIGINT
        shutil.copy(POLICIES / "walk" / "policy.zip", folder.final)
        return 0

    monkeypatch.setattr(bootstrap, "train", train)
    monkeypatch.setattr(bootstrap, "SUCCESS_VELOCITY_ERROR", 0.0)  # nobody walks so well
    out = tmp_path / "out"
    command = [
        "bootstrap",
        *ROLLOUTS,
        "--baseline-steps",
        "1000000",
        "--grounded-steps",
        "5000",
        "--out",
        str(out),
    ]
    assert main(command) == 128 + signal.SIGINT
    assert "goes on with it when it is called as before" in said(capsys)
    assert main(command) == 128 + signal.SIGINT
    text = said(capsys)
    assert (
        "baseline: going on with walk_ppo" in text
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
        "none of it within 0.0 m/s of its command. Train the baseline on for longer (--grounded-steps"
        in said(capsys)
    )
    assert main(command) == 2
    text = said(capsys)
    assert "baseline: done" in text and "grounded: done" in text
    assert main([*command, "--baseline-steps", "7000000"]) == 2
    steps = RunDirectory(out / "baseline").final_steps()
    assert f"went on from a baseline of {steps:,} steps, but 7,000,000 are asked for" in said(
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
    monkeypatch.setattr(bootstrap, "SUCCESS_VELOCITY_ERROR", SUCCESS_VELOCITY_ERROR)
    assert main(command) == 128 + signal.SIGINT
    begun = run_config.from_mapping(amp.read_config())
    assert calls[4:] == [(begun.n_timesteps, "amp", False)] and begun.trained_agent == str(
        out / "grounded" / "final.zip"
    )
    assert begun.reference_path == reference and load_dataset(str(reference))[1]
    assert main([*command, "--grounded-steps", "7000000"]) == 2
    assert "was mined before the training that is asked for now" in said(capsys) and len(calls) == 5


def test_a_baseline_that_is_not_to_go_on(tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr(
        bootstrap, "train", lambda config, folder, *_: begun.append(folder.path.name) or 0
    )
    monkeypatch.setattr(
        bootstrap, "load_policy", lambda agent: begun.append(agent) or load_policy("walk")
    )
    monkeypatch.setattr(bootstrap, "_mine", lambda *_: None)
    assert main(["bootstrap", "--grounded-steps", "0", "--out", str(tmp_path / "out")]) == 0
    assert begun == ["baseline", str(tmp_path / "out" / "baseline" / "final.zip"), "amp"]


def test_the_grounded_stages_penalties_are_no_lighter_than_the_baselines(tmp_path):
    plain = run_config.load("walk_ppo", ["env_kwargs.rewards.flight=-20"])
    rewards = bootstrap.grounded_stage(plain, RunDirectory(tmp_path), 1000).env.env_kwargs()[
        "rewards"
    ]
    assert (rewards["flight"], rewards["short_double_support"], rewards["saturation"]) == (
        -20.0,
        -10.0,
        -2.0,
    )


def test_what_stopped_the_rollouts_is_told(tmp_path, capsys, monkeypatch):
    """Gates that ask for too much, by their shares; and rollouts too short for one window."""
    monkeypatch.setattr(
        bootstrap,
        "mine",
        lambda robot, performances: mine(robot, performances, Gates(load_mean=1.5)),
    )
    assert main([*SHIPPED, "--out", str(tmp_path / "out")]) == 2
    text = said(capsys)
    assert (
        "6.0 s were performed, with 0 falls; of 22 windows these shares fail: load_mean 100%."
        in text
    )
    assert "reference.report.json" in text and "give a policy that walks (--policy)" in text
    monkeypatch.setattr(bootstrap, "perform_walk", lambda *_: [])
    assert main([*SHIPPED, "--out", str(tmp_path / "out")]) == 2
    assert "no stretch lasted 20 frames" in said(capsys)


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
            "more than 0.1 m/s either way, at which standing is no answer",
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
def test_what_cannot_work_is_refused_before_anything_is_done(tmp_path, capsys, arguments, message):
    assert main(["bootstrap", "--out", str(tmp_path / "out"), *arguments]) == 2
    assert message in said(capsys)
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
