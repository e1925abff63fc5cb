"""Self-imitation with a baseline that is trained, and settings that are refused."""

import shutil
import signal

import pytest
from self_imitation_runs import ROLLOUTS, fake_training, printed, result

from wildrobot_gym.cli.main import main
from wildrobot_gym.experiments.datasets import load_dataset
from wildrobot_gym.experiments.self_imitation import mining, run
from wildrobot_gym.experiments.self_imitation.stages import grounded_stage
from wildrobot_gym.paths import POLICIES
from wildrobot_gym.task.walk import SUCCESS_VELOCITY_ERROR
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.policy import load_policy
from wildrobot_gym.training.run_directory import RunDirectory


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
            "symmetric_policy is 'equivariant' in the baseline and 'none' in the AMP run",
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
