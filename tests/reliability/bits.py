"""One hash for one training, whatever the machine does: `make bits`, on Linux.

The default recipe in small, on both loops: with one thread for the physics and with all, with other
work beside it, and continued from checkpoints that are drawn. With another number of CPU cores, XLA
splits some sums in another way; that hash is shown, and may differ.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from subjects import Subject  # noqa: E402

ITERATIONS, ENVS = 8, 128
SETTINGS = (
    f"n_envs={ENVS}",
    f"n_timesteps={ITERATIONS * ENVS * 24}",
    "batch_size=768",
    f"checkpoint_every={ENVS * 24}",
    "keep_checkpoints=99",
    "eval.every=0",
    "amp.warm_start.steps=50",
)
LOOPS = {
    "on the host": ("collect=host", "env_kwargs.backend=native"),
    "on the device": ("collect=fused", "env_kwargs.backend=native-jax"),
}
RESULTS = Subject(lambda folder, begun: [], ("final.zip", "progress.csv"))


def train(run: Path, loop: tuple[str, ...], cores: int | None = None) -> str:
    """Train a run, or continue it, and give the hash of what it has learned and logged.

    Args:
        run: The run directory.
        loop: Settings.
        cores: Number of CPU cores; None: all.
    """
    resume = ["--resume"] if run.exists() else []
    command = ["train", "walk_amp", "--no-report", "--set", *SETTINGS, *loop, "--out", str(run)]

    def limit() -> None:
        if cores is not None:
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])

    subprocess.run(
        [sys.executable, "-m", "wildrobot_gym.cli.main", *command, *resume],
        check=True,
        stdout=subprocess.DEVNULL,
        preexec_fn=limit,
    )
    text = repr(sorted(RESULTS.digests(run).items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@contextlib.contextmanager
def other_work() -> Iterator[None]:
    """As many busy processes as there are cores."""
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in os.sched_getaffinity(0)
    ]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def continued(straight: Path, run: Path, checkpoint: Path) -> None:
    """A copy of a run as it was at one of its checkpoints."""
    shutil.copytree(straight, run)
    (run / "final.zip").unlink()
    for path in (run / "checkpoints").iterdir():
        if path.stem > checkpoint.stem:
            path.unlink()


def main() -> int:
    """Print the hashes, and give 1 where they differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resumed", type=int, default=5, help="drawn checkpoints of each loop")
    resumed = parser.parse_args().resumed
    rng, different = np.random.default_rng(0), 0
    print("| loop | | hash |")
    print("|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="bits-") as place:
        for name, loop in LOOPS.items():
            folder = Path(place) / name.replace(" ", "-")
            straight = folder / "straight"
            hashes = {"all cores": train(straight, loop)}
            one = (*loop, "env_kwargs.num_threads=1")
            hashes["physics on one thread"] = train(folder / "one", one)
            with other_work():
                hashes["other work beside it"] = train(folder / "load", loop)
            checkpoints = sorted((straight / "checkpoints").glob("*.zip"))[:-1]
            for i in rng.choice(len(checkpoints), min(resumed, len(checkpoints)), replace=False):
                run = folder / f"from-{i}"
                continued(straight, run, checkpoints[i])
                hashes[f"continued after {i + 1} of {ITERATIONS} iterations"] = train(run, loop)
            for what, found in hashes.items():
                print(f"| {name} | {what} | `{found}` |", flush=True)
            different += len(set(hashes.values())) - 1
            print(f"| {name} | one core | `{train(folder / 'core', loop, cores=1)}` |", flush=True)
    print(f"{different} different")
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())
