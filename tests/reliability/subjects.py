"""What is interrupted: commands that write files, each with what it must have written at last."""

from __future__ import annotations

import csv
import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TRAINING = ("n_envs=8", "n_steps=8", "batch_size=32", "n_timesteps=1024", "checkpoint_every=64")
EVALUATION = ("eval.every=256", "eval.steps=20", "eval.episodes=1")
STUDY = """config: smoke
seeds: [0, 1]
commands: [0.4]
episodes: 2
set: {n_envs: 8, n_steps: 8, batch_size: 32, n_timesteps: 256, checkpoint_every: 64, eval.every: 0}
arms: {base: {}}
"""
# Differ between two runs that learned the same.
CLOCKS = ("time/",)
NOT_COMPARED = ("versions", "seconds", "wall")


@dataclass(frozen=True)
class Subject:
    """A command that is interrupted and started again.

    Attributes:
        arguments: Of `wildrobot`, which runs in a folder. The second argument says whether it was
            begun there.
        results: The files that count, below that folder.
        prepare: Writes what the command reads.
    """

    arguments: Callable[[Path, bool], list[str]]
    results: tuple[str, ...]
    prepare: Callable[[Path], object] = lambda folder: None

    def digests(self, folder: Path, curves: bool = True) -> dict[str, str]:
        """One digest of each array, metric and text that must be the same.

        Args:
            folder: Where the command has written.
            curves: Compare the metrics of each iteration, too.
        """
        found: dict[str, str] = {}
        for pattern in self.results:
            for path in sorted(folder.glob(pattern)):
                if path.suffix != ".csv" or curves:
                    name = path.relative_to(folder)
                    found |= {f"{name}: {key}": text for key, text in contents(path).items()}
        assert found, f"{folder} holds none of {self.results}"
        return found


def contents(path: Path) -> dict[str, str]:
    """What a file says, without when and how fast."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return {
                name: hashlib.sha256(archive.read(name)).hexdigest()
                for name in archive.namelist()
                if name.endswith(".npy")
            }
    if path.suffix == ".npz":
        arrays = np.load(path)
        return {name: _digest(arrays[name]) for name in arrays.files}
    if path.suffix == ".csv":
        with path.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        steps = "time/total_timesteps"
        return {
            f"{row[steps]} {key}": value
            for row in rows
            for key, value in row.items()
            if key == steps or not key.startswith(CLOCKS)
        }
    if path.suffix == ".json":
        values = json.loads(path.read_text())
        return {
            key: json.dumps(value, sort_keys=True)
            for key, value in values.items()
            if not key.startswith(NOT_COMPARED)
        }
    return {"bytes": hashlib.sha256(path.read_bytes()).hexdigest()}


def _digest(array: np.ndarray) -> str:
    return f"{array.dtype} {array.shape} {hashlib.sha256(array.tobytes()).hexdigest()}"


def _train(folder: Path, begun: bool) -> list[str]:
    resume = ["--resume"] if (folder / "run" / "config.yaml").is_file() else []
    settings = ["--set", *TRAINING, *EVALUATION]
    return ["train", "smoke", "--no-report", "--seed", "3", *settings, "--out", "run", *resume]


def _evaluate(folder: Path, begun: bool) -> list[str]:
    protocol = ["--commands", "0.4", "--episodes", "1"]
    return ["eval", "walk", *protocol, "--json", "results.json"]


def _study(folder: Path, begun: bool) -> list[str]:
    return ["study", "tiny.yaml", "--out", "out", "--jobs", "2"]


def _imitate(folder: Path, begun: bool) -> list[str]:
    tiny = [setting for setting in TRAINING if not setting.startswith("n_timesteps")]
    tiny += ["eval.every=0", "amp.discriminator_hidden=[16]", "amp.batch_size=64"]
    sizes = ["--commands", "0.3", "0.6", "--seconds", "3", "--amp-steps", "128"]
    settings = [*sizes, "--set", *tiny, "amp.held_out_fraction=0"]
    return ["self-imitate", "--policy", "walk", *settings, "--out", "imitation"]


def _track(folder: Path, begun: bool) -> list[str]:
    force = ["--force"] if begun else []
    return ["motion", "track", "clips.npz", "--out", "segments.npz", *force]


def _clips(folder: Path) -> None:
    from wildrobot_gym.motion.clip_files import load_clips, save_clips
    from wildrobot_gym.robot import RobotModel

    clips = load_clips("walk_synthetic", RobotModel.load("wildrobot"))[:1]
    save_clips(folder / "clips.npz", clips)


def _export(folder: Path, begun: bool) -> list[str]:
    force = ["--force"] if begun else []
    return ["export", "walk", "--format", "npz", "--out", "export", *force]


SUBJECTS = {
    "train": Subject(
        _train, ("run/final.zip", "run/best.zip", "run/checkpoints/*", "run/progress.csv")
    ),
    "eval --json": Subject(_evaluate, ("results.json",)),
    "study": Subject(
        _study,
        ("out/*.md", "runs/**/final.zip"),
        lambda folder: (folder / "tiny.yaml").write_text(STUDY),
    ),
    "self-imitate": Subject(_imitate, ("imitation/**/final.zip", "imitation/*.npz")),
    "motion track": Subject(_track, ("segments.npz",), _clips),
    "export": Subject(_export, ("export/*.npz", "export/policy.json")),
}
