"""A training run on disk."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amp_sbx.common import archive
from amp_sbx.common.errors import CheckpointError
from wildrobot_gym import yaml_io
from wildrobot_gym.errors import RunError
from wildrobot_gym.files import atomic_write, locked
from wildrobot_gym.training.config import RunConfig
from wildrobot_gym.training.events import RunEvent, read_events
from wildrobot_gym.training.versions import versions

MOTION_DIGESTS = "motions"  # key in a policy's file: SHA-256 of each reference motion, by name
_PREFIX, _DIGITS = "step_", 12


@dataclass(frozen=True)
class RunDirectory:
    """The files of one run.

    `checkpoints/step_N.zip` (the model) and `step_N.npz` (the environments) belong together.

    Args:
        path: The directory.
    """

    path: Path

    @property
    def config(self) -> Path:
        """The settings, with every default written out."""
        return self.path / "config.yaml"

    @property
    def progress(self) -> Path:
        """The metrics of every iteration."""
        return self.path / "progress.csv"

    @property
    def events_file(self) -> Path:
        """What happened to the discriminator, one JSON object a line."""
        return self.path / "events.jsonl"

    @property
    def tensorboard(self) -> Path:
        """TensorBoard's log."""
        return self.path / "tb"

    @property
    def best(self) -> Path:
        """The best policy by evaluation."""
        return self.path / "best.zip"

    @property
    def final(self) -> Path:
        """The last policy; only a finished run has it."""
        return self.path / "final.zip"

    def events(self) -> list[RunEvent]:
        """The events so far, oldest first."""
        return read_events(self.events_file)

    def checkpoint(self, num_timesteps: int) -> Path:
        """The model file of the checkpoint after so many environment steps."""
        return self.path / "checkpoints" / f"{_PREFIX}{num_timesteps:0{_DIGITS}d}.zip"

    def checkpoints(self) -> list[Path]:
        """Model files of the complete checkpoints, oldest first."""
        found = (self.path / "checkpoints").glob(f"{_PREFIX}*.zip")
        complete = (p for p in found if p.with_suffix(".npz").is_file() and _is_numbered(p))
        return sorted(complete, key=steps_of)

    def holds_a_run(self) -> bool:
        """Whether a run was started here."""
        return self.config.is_file()

    def check_free(self) -> None:
        """Check that a new run can be started here.

        Raises:
            RunError: The directory holds a run or other files.
        """
        if self.holds_a_run():
            raise RunError(
                f"{self.path} already holds a run. Continue it with --resume, or choose another"
                " directory with --out."
            )
        if self.path.exists() and not (
            self.path.is_dir() and set(self.path.iterdir()) <= {*self._unfinished()}
        ):
            raise RunError(f"{self.path} is not an empty directory. Choose another one with --out.")

    def begin(self, config: RunConfig) -> None:
        """Create the directory with config.yaml and versions.json.

        Raises:
            RunError: The directory is not free, or cannot be written.
        """
        self.check_free()
        try:
            self.write_config(config)  # first: a directory with a config can be resumed
            (self.path / "checkpoints").mkdir(exist_ok=True)
            with atomic_write(self.path / "versions.json") as stream:
                stream.write((json.dumps(versions(), indent=2) + "\n").encode())
        except OSError as error:
            raise RunError(f"Cannot create the run directory {self.path}: {error}.") from error

    def check_motions(self, config: RunConfig, policy: Path, folder: Path = Path()) -> None:
        """Check that the run's reference motions are still the files that it learned from.

        Args:
            config: The run's settings.
            policy: A policy or checkpoint of this run.
            folder: Where relative paths of the settings begin; the working directory by default.

        Raises:
            RunError: A file has changed.
            ConfigError: A file is missing.
            CheckpointError: `policy` cannot be read.
        """
        extra = dict(archive.read_meta(policy).get("extra") or {})
        digests = extra.get(MOTION_DIGESTS) or {}
        changed = [
            name
            for name, digest in config.motion_digests(folder).items()
            if digests.get(name, digest) != digest
        ]
        if changed:
            raise RunError(
                f"{self.path} learned from another file than {', '.join(changed)} is now: its"
                " SHA-256 differs. Restore the first file, or start a new run."
            )

    def sweep(self) -> list[str]:
        """Delete what a process that was killed left half-written, and return its names.

        Call it while this process has `claimed` the run.
        """
        rubbish = self._unfinished()
        for path in rubbish:
            with contextlib.suppress(OSError):
                path.unlink()
        return [path.name for path in rubbish]

    def _unfinished(self) -> list[Path]:
        """Files that were not renamed yet, and checkpoints without a model, which comes last."""
        folders = (self.path, self.path / "checkpoints")
        parts = [path for folder in folders for path in folder.glob(".*.tmp")]
        states = (self.path / "checkpoints").glob(f"{_PREFIX}*.npz")
        return parts + [path for path in states if not path.with_suffix(".zip").is_file()]

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the run's lock, which ends with the process at the latest.

        Raises:
            RunError: Another process trains this run, or the directory cannot be written.
        """
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(locked(self.path / ".lock"))
            except BlockingIOError:
                raise RunError(
                    f"Another process is training {self.path}. Wait for its end, or stop it."
                ) from None
            except OSError as error:
                raise RunError(f"Cannot lock {self.path}: {error}.") from error
            yield

    def final_steps(self) -> int:
        """Environment steps that final.zip was trained for; 0 where it cannot be read."""
        try:
            return int(archive.read(self.final)[0]["counters"]["num_timesteps"])
        except (CheckpointError, KeyError, TypeError, ValueError):
            return 0

    def write_config(self, config: RunConfig) -> None:
        """Write config.yaml.

        Raises:
            RunError: It cannot be written.
        """
        try:
            with atomic_write(self.config) as stream:
                stream.write(yaml_io.dump(config.to_mapping()).encode())
        except OSError as error:
            raise RunError(f"Cannot write {self.config}: {error}.") from error

    def read_config(self) -> dict[str, Any]:
        """The mapping in config.yaml, unchecked.

        Raises:
            RunError: There is no run, or the file holds no mapping.
        """
        if not self.holds_a_run():
            raise RunError(f"{self.path} holds no run to resume. Start one without --resume.")
        values = yaml_io.read(self.config)
        if not isinstance(values, Mapping):
            raise RunError(
                f"{self.config} is damaged: it holds no settings. Move {self.path} away."
            )
        return dict(values)

    def drop_old(self, keep: int) -> None:
        """Delete all checkpoints except the newest `keep`.

        The model's file goes first, so that half a checkpoint is never taken for a complete one.
        """
        for old in self.checkpoints()[:-keep]:
            old.unlink(missing_ok=True)
            old.with_suffix(".npz").unlink(missing_ok=True)


def _is_numbered(checkpoint: Path) -> bool:
    return checkpoint.stem.removeprefix(_PREFIX).isdecimal()


def steps_of(checkpoint: Path) -> int:
    """Environment steps in a checkpoint's name."""
    return int(checkpoint.stem.removeprefix(_PREFIX)) if _is_numbered(checkpoint) else 0
