"""A tiny run, and what tests read of it."""

import csv

from wildrobot_gym.cli.main import main
from wildrobot_gym.evaluation.progress import STEPS

SMALL = (
    "--set",
    "n_envs=8",
    "n_steps=8",
    "batch_size=32",
    "n_timesteps=256",
    "checkpoint_every=64",
)
NO_EVAL = ("--set", "eval.every=0")
EVAL = ("--set", "eval.every=128", "eval.steps=20", "eval.episodes=1")
TINY = (
    "train",
    "smoke",
    "--no-report",
    "--seed",
    "3",
    *SMALL,
    *EVAL,
)  # the run of the fixture tiny_run


def progress_rows(run):
    with open(run.progress, newline="") as stream:
        return list(csv.DictReader(stream))


def evaluations(run):
    """By step, the metrics of each evaluation in progress.csv."""
    rows = progress_rows(run)
    metrics = [{name: row[name] for name in row if name.startswith("eval/")} for row in rows]
    return {
        row[STEPS]: found for row, found in zip(rows, metrics, strict=True) if found["eval/success"]
    }


def refused(capsys, *arguments: str) -> str:
    """The message of a command that must end with exit code 2 and without a traceback."""
    assert main(list(arguments)) == 2
    message = capsys.readouterr().err
    assert message.startswith("wildrobot: ")
    assert "Traceback" not in message
    return message
