"""Tiny self-imitations, and training that is replaced."""

from wildrobot_gym.experiments.self_imitation import run
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
    return TrainResult(directory=directory, status=status, num_timesteps=1, signum=signum)


def fake_training(monkeypatch) -> list:
    """In place of training: a list of the configs, directories and whether to resume."""
    calls = []

    def train(config, *, out, resume, **_):
        calls.append((config, out, resume))
        return result(RunDirectory(out))

    monkeypatch.setattr(run, "train", train)
    return calls
