"""Runs that are stopped, continued, made longer, or trained twice at once."""

import os
import shutil
import signal

import numpy as np
import pytest
from run_helpers import EVAL, NO_EVAL, SMALL, TINY, evaluations, progress_rows, refused

from amp_sbx.common import archive
from wildrobot_gym import yaml_io
from wildrobot_gym.cli.main import main
from wildrobot_gym.errors import RunError
from wildrobot_gym.evaluation.progress import STEPS
from wildrobot_gym.physics import backends
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.callbacks import CheckpointCallback
from wildrobot_gym.training.resume import check_same_run
from wildrobot_gym.training.run_directory import RunDirectory
from wildrobot_gym.training.selection import EvalCallback
from wildrobot_gym.training.train import _check_unfinished


@pytest.fixture
def run(tiny_run, tmp_path):
    """A copy of the finished run."""
    return RunDirectory(shutil.copytree(tiny_run, tmp_path / "run"))


def resumed(run, *settings):
    return [*TINY, *settings, "--out", str(run.path), "--resume"]


def stop_at(monkeypatch, kills):
    """Send this process a signal after the iteration that reaches each number of steps."""

    def kill(self):
        if self.num_timesteps in kills:
            os.kill(os.getpid(), kills.pop(self.num_timesteps))

    monkeypatch.setattr(CheckpointCallback, "_on_rollout_end", kill)


@pytest.mark.slow
@pytest.mark.parametrize(
    "critic", [(), ("critic_obs=true", "env_kwargs.privileged=[root_lin_vel]")]
)
@pytest.mark.parametrize("loop", [(), ("env_kwargs.backend=native-jax", "collect=fused")])
def test_a_stopped_and_resumed_run_equals_one_that_never_stopped(
    loop, critic, tmp_path, monkeypatch, capsys
):
    arguments = ["train", "smoke", *SMALL, *NO_EVAL, *loop, *critic, "--out"]
    straight, broken = RunDirectory(tmp_path / "straight"), RunDirectory(tmp_path / "broken")
    assert main([*arguments, str(straight.path)]) == 0

    stop_at(monkeypatch, {64: signal.SIGTERM, 192: signal.SIGINT})
    assert main([*arguments, str(broken.path)]) == 128 + signal.SIGTERM
    assert "step_000000000064.zip" in capsys.readouterr().out.replace("\n", "")
    assert main([*arguments, str(broken.path), "--resume"]) == 128 + signal.SIGINT
    assert main([*arguments, str(broken.path), "--resume"]) == 0

    a, b = (archive.read(run.checkpoint(256))[1] for run in (straight, broken))
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    a, b = (dict(np.load(run.checkpoint(256).with_suffix(".npz"))) for run in (straight, broken))
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    rows, other = (
        [{k: v for k, v in row.items() if not k.startswith("time/") or k == STEPS} for row in found]
        for found in map(progress_rows, (broken, straight))
    )
    assert rows == other  # also the metrics of the updates between a row and a stop
    assert {row[STEPS] for row in rows} == {"64", "128", "192", "256"}


def test_a_resumed_run_continues_where_a_checkpoint_left_it(run):
    """A copy resumes from 192 steps and must reach the networks of the run that never stopped."""
    before = archive.read(run.checkpoint(256))[1]
    recorded = evaluations(run)
    for path in (run.final, run.checkpoint(256)):
        path.unlink()
    assert main(resumed(run)) == 0
    after = archive.read(run.checkpoint(256))[1]
    assert before.keys() == after.keys()
    for name in before:
        np.testing.assert_array_equal(before[name], after[name], err_msg=name)
    # An evaluation joins its iteration's row before the checkpoint that a run resumes from.
    assert evaluations(run) == recorded and list(recorded) == ["128", "256"]


def test_a_signal_during_an_evaluation_is_answered_at_once(tiny_run, tmp_path, monkeypatch):
    """The evaluation is given up, and made by the resumed run."""
    run, acted, act = RunDirectory(tmp_path / "run"), [], EvalCallback._act

    def stopping(self, obs):
        acted.append(self.model.num_timesteps)
        if len(acted) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return act(self, obs)

    monkeypatch.setattr(EvalCallback, "_act", stopping)
    assert main([*TINY, "--out", str(run.path)]) == 128 + signal.SIGINT
    assert acted == [128] * 3 or acted == [128] * 4
    assert [path.name for path in run.checkpoints()][-1] == "step_000000000128.zip"
    assert main(resumed(run)) == 0
    straight = RunDirectory(tiny_run)
    assert evaluations(run) == evaluations(straight)
    a, b = (archive.read(each.checkpoint(256)) for each in (run, straight))
    for name in b[1]:
        np.testing.assert_array_equal(a[1][name], b[1][name], err_msg=name)
    assert a[0]["extra"] == b[0]["extra"]


def test_a_finished_run_can_be_completed_and_made_longer_by_one_process(run, capsys):
    run.final.unlink()
    assert main(resumed(run)) == 0
    assert archive.read(run.final)[0]["counters"]["num_timesteps"] == 256
    longer = resumed(run, "n_timesteps=320")
    with run.claimed():
        assert "Another process is training" in refused(capsys, *longer)
    assert main(longer) == 0
    assert archive.read(run.final)[0]["counters"]["num_timesteps"] == 320
    assert yaml_io.read(run.config)["n_timesteps"] == 320
    assert main(resumed(run)) == 2  # 256 steps are done; the refusal changes nothing
    assert yaml_io.read(run.config)["n_timesteps"] == 320


@pytest.mark.slow
def test_a_longer_run_that_is_stopped_at_its_end_gets_its_final_policy(run, monkeypatch):
    """And the evaluation at its end, too."""
    longer = resumed(run, "n_timesteps=384")
    with monkeypatch.context() as stopped:
        stop_at(stopped, {384: signal.SIGINT})
        assert main(longer) == 128 + signal.SIGINT
    assert run.final_steps() == 256 and run.checkpoint(384).is_file()
    assert "384" not in evaluations(run)
    assert main(longer) == 0
    assert run.final_steps() == 384
    assert list(evaluations(run)) == ["128", "256", "384"]
    assert main(longer) == 2  # finished


@pytest.mark.slow
def test_a_shorter_length_does_not_end_a_longer_run(run, monkeypatch, capsys):
    with monkeypatch.context() as stopped:
        stop_at(stopped, {384: signal.SIGINT})
        assert main(resumed(run, "n_timesteps=512")) == 128 + signal.SIGINT
    message = refused(capsys, *resumed(run)).replace("\n", " ")
    assert "is finished: 384 of 256 steps" in message
    assert run.final_steps() == 256 and yaml_io.read(run.config)["n_timesteps"] == 512


def test_a_run_is_unfinished_until_its_final_policy_has_all_its_steps(tiny_run):
    run = RunDirectory(tiny_run)  # final.zip: 256 steps

    def asked(n_timesteps):
        settings = [*SMALL[1:], *EVAL[1:], f"n_timesteps={n_timesteps}"]
        return run_config.load("smoke", settings, seed=3)

    _check_unfinished(asked(384), run, 256)  # made longer
    _check_unfinished(asked(384), run, 384)  # stopped between its last step and its last file
    with pytest.raises(RunError, match="is finished: 384 of 256 steps"):
        _check_unfinished(asked(256), run, 384)  # a shorter length does not end a longer run
    with pytest.raises(RunError, match="is finished: 256 of 256 steps"):
        _check_unfinished(asked(256), run, 256)


@pytest.fixture
def gpu(monkeypatch):
    """A machine where 'auto' stands for MJX."""
    backends._automatic.cache_clear()
    monkeypatch.setattr(backends, "_platform", lambda: "gpu")
    yield
    backends._automatic.cache_clear()


def test_a_run_records_its_engine_and_keeps_it_on_another_machine(run, gpu):
    assert yaml_io.read(run.config)["env_kwargs"]["backend"] == "native"
    values = run.read_config()
    del values["env_kwargs"]["backend"]
    asked = run_config.from_mapping(values)
    assert asked.env.backend == "auto" and asked.env.on_this_machine().backend == "mjx"
    assert check_same_run(run, asked).env.on_this_machine().backend == "native"


@pytest.mark.parametrize(
    ("settings", "backend"),
    [
        ([], "native"),
        (["n_timesteps=2e6"], "native-jax"),
        (["n_timesteps=2e6", "collect=host"], "native"),
        (["collect=fused"], "native-jax"),
        (["n_timesteps=2e6", "env_kwargs.backend=native"], "native"),
    ],
)
def test_a_long_training_on_a_cpu_is_fused(settings, backend):
    assert run_config.load("smoke", settings).on_this_machine().env.backend == backend


def test_a_run_does_not_continue_on_another_engine(run, capsys):
    message = refused(capsys, *resumed(run, "env_kwargs.backend=mjx")).replace("\n", " ")
    assert "env_kwargs.backend: run 'native', asked 'mjx'" in message
