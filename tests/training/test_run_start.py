"""What a run starts from, and settings that are refused."""

import errno
from unittest.mock import Mock

import jax
import numpy as np
import pytest
from run_helpers import NO_EVAL, SMALL, refused

from amp_sbx import AMPPPO
from amp_sbx.common import archive
from wildrobot_gym import yaml_io
from wildrobot_gym.cli.main import main
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.callbacks import CheckpointCallback
from wildrobot_gym.training.model import make_model, make_reference, make_vec_env, start_from
from wildrobot_gym.training.policy import find_policy, load_policy
from wildrobot_gym.training.run_directory import RunDirectory


@pytest.mark.slow
def test_warm_start(tmp_path, capsys):
    """The new policy is fitted to the reference; a resumed one is not fitted again."""
    settings = ["--set", "amp.warm_start={steps: 50}", "n_timesteps=64"]
    arguments = ["train", "smoke", *SMALL, *NO_EVAL, *settings, "--out", str(tmp_path / "run")]
    assert main(arguments) == 0
    assert "50 steps of behavior cloning" in capsys.readouterr().out
    assert main([*arguments, "--set", "n_timesteps=128", "--resume"]) == 0
    assert "cloning" not in capsys.readouterr().out


def test_a_failed_warm_start_leaves_no_directory(tmp_path, capsys):
    settings = ["--set", "amp.warm_start={steps: 50, learning_rate: 1.0e+30}"]
    out = ["--out", str(tmp_path / "run")]
    assert "diverged" in refused(capsys, "train", "smoke", *SMALL, *NO_EVAL, *settings, *out)
    assert not (tmp_path / "run").exists()


def test_a_run_that_does_not_fit_the_memory_says_what_would(tmp_path, capsys, monkeypatch):
    """Whatever allocates: here, a run's preparation."""

    def full(*_):
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes.")

    monkeypatch.setattr("wildrobot_gym.training.train._prepare", full)
    message = refused(capsys, "train", "smoke", *SMALL, "--out", str(tmp_path / "run"))
    assert "8 environments do not fit the memory; about 4 would" in message


def test_a_schedule_that_never_ends_is_refused(tmp_path, capsys):
    ramp = "amp.schedule={initial: 0.0, ramp_start: 0, ramp_end: 1e6, final: 1.0}"
    message = refused(capsys, "train", "smoke", *SMALL, ramp, "--out", str(tmp_path / "run"))
    assert (
        "ramp_end 1,000,000 is 999,744 environment steps after the end of this training at 256"
        in message
    )
    assert "raise that" in message
    waits = (
        "amp.schedule={initial: 0.0, ramp_end: 100, final: 1.0, wait_auc: [0.6, 0.85],"
        " wait_at_most: 1e6}"
    )
    message = refused(capsys, "train", "smoke", *SMALL, waits, "--out", str(tmp_path / "run"))
    late = "is 999,844 environment steps after the end of this training at 256"
    assert f"ramp_end 100 with wait_at_most 1,000,000 {late}" in message


def test_a_damaged_motion_is_refused(tmp_path, capsys):
    motion = tmp_path / "torn.npz"
    motion.write_bytes(b"PK\x03\x04 torn")
    settings = ["--set", f"amp.reference={motion}", *SMALL[1:]]
    message = refused(capsys, "train", "smoke", *settings, "--out", str(tmp_path / "run"))
    assert "torn.npz" in message
    assert not (tmp_path / "run").exists()


def test_a_run_starts_from_a_trained_policy(tiny_run, tmp_path):
    """It takes the networks and no more. Plain PPO does, too, which has no discriminator."""
    settings = ["n_envs=8", "n_steps=8", "batch_size=32", "amp=null", f"trained_agent={tiny_run}"]
    config = run_config.load("smoke", settings)
    env = make_vec_env(config)
    model = make_model(config, env, None)
    start_from(model, config.trained_agent, env)
    env.close()
    stored = archive.read(tiny_run / "best.zip")[1]
    given = model.get_parameters()
    assert set(given) == {"actor", "critic"}
    # The trained policy's seed was 3.
    assert model.seed == config.seed != 3 and model.env._seeds[0] == config.seed
    for part in given:
        for name, array in given[part].items():
            np.testing.assert_array_equal(array, stored[f"{part}/params/{name}"])
    assert model.num_timesteps == 0


def test_a_run_may_start_from_a_shipped_policy():
    """The policy has the networks of its recipe, and observes the same."""
    config = run_config.load("walk_directions", ["n_envs=4", "n_steps=4", "batch_size=16"])
    env = make_vec_env(config)
    model = make_model(config, env, make_reference(config, env))
    start_from(model, "walk_directions", env)
    env.close()
    shipped = load_policy("walk_directions")
    observed = shipped.env_kwargs["observation"]
    assert observed["channels"] == list(config.env.settings.observation.channels)
    assert "root_lin_vel" not in observed["channels"]
    obs = np.zeros((2, *model.observation_space.shape), np.float32)
    np.testing.assert_allclose(model.predict(obs, deterministic=True)[0], shipped(obs), atol=1e-6)


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ("policy_kwargs.log_std_init=-2.0", True),
        ("env_kwargs.features.history.frames=4", True),
        ("env_kwargs.privileged=[root_lin_vel]", False),
        ("policy_kwargs.net_arch={pi: [256, 128], vf: [64]}", False),
        ("critic_obs=false", False),
    ],
)
def test_a_policy_is_taken_without_a_critic_that_sees_something_else(change, kept):
    small = ["n_envs=4", "n_steps=4", "batch_size=16"]
    seen = load_policy("walk_directions").env_kwargs["privileged"]
    same = f"env_kwargs.privileged=[{', '.join(seen)}]"
    config = run_config.load("walk_directions", [*small, same, change])
    env = make_vec_env(config)
    model = make_model(config, env, make_reference(config, env))
    before = model.get_parameters()["critic"]
    report = Mock()
    start_from(model, "walk_directions", env, report)
    env.close()
    (said,) = report.info.call_args.args
    assert said.endswith("and its critic" if kept else "and a new critic")
    after, stored = (
        model.get_parameters(),
        AMPPPO.load(find_policy("walk_directions")).get_parameters(),
    )
    for name, array in after["actor"].items():
        np.testing.assert_array_equal(array, stored["actor"][name])
    for name, array in after["critic"].items():
        np.testing.assert_array_equal(array, (stored["critic"] if kept else before)[name])


def test_a_trained_policy_that_does_not_fit_is_refused(tiny_run, tmp_path, capsys):
    def message(*settings: str) -> str:
        out = tmp_path / "run"
        text = refused(capsys, "train", "smoke", *SMALL, *NO_EVAL, *settings, "--out", str(out))
        assert not out.exists()
        return text

    agent = f"trained_agent={tiny_run}"
    assert "activation_fn elu, not tanh" in message(agent, "policy_kwargs.activation_fn=tanh")
    layers = "policy_kwargs.net_arch=[8]"
    assert "net_arch.pi" in message(agent, layers)
    assert "symmetric_policy none, not equivariant" in message(agent, "symmetric_policy=true")
    assert "wildrobot_8dof" in message(
        agent, "env_kwargs.robot=wildrobot_8dof", "amp.reference=walk_synthetic_8dof"
    )
    assert "Unknown policy 'wlak'" in message("trained_agent=wlak")


def test_a_full_disk_keeps_the_old_checkpoint_and_training_continues(
    tiny_run, tmp_path, monkeypatch, capsys
):
    """On a run that starts from a trained policy, whose config.yaml names it."""
    run = RunDirectory(tmp_path / "run")
    written = archive._write_zip
    saves = []

    def full(stream, meta, arrays):
        saves.append(meta["counters"]["num_timesteps"])
        if saves[-1] in (128, 192):
            stream.write(b"half a file")
            raise OSError(errno.ENOSPC, "No space left on device")
        written(stream, meta, arrays)

    monkeypatch.setattr(archive, "_write_zip", full)
    old = {}
    save = CheckpointCallback.save

    def watched_save(self):
        message = save(self)
        if self.model.num_timesteps == 128:
            old.update({p.name: p.read_bytes() for p in run.checkpoints()})
        return message

    monkeypatch.setattr(CheckpointCallback, "save", watched_save)
    agent = f"trained_agent={tiny_run}"
    assert main(["train", "smoke", *SMALL, *NO_EVAL, agent, "--out", str(run.path)]) == 0
    output = capsys.readouterr().out.replace("\n", " ")
    assert "No checkpoint was written" in output and "No space left" in output
    assert list(old) == ["step_000000000064.zip"]
    assert [p.name for p in run.checkpoints()] == ["step_000000000064.zip", "step_000000000256.zip"]
    assert run.checkpoint(64).read_bytes() == old["step_000000000064.zip"]
    assert not list(run.path.rglob("*.tmp"))
    assert yaml_io.read(run.config)["trained_agent"] == str(tiny_run)
