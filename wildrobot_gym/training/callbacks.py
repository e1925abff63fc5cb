"""Checkpoints of a run, and a clean stop on a signal."""

from __future__ import annotations

from pathlib import Path
from types import FrameType

import jax
from stable_baselines3.common.callbacks import BaseCallback

from amp_sbx import AMPPPO
from amp_sbx.common.errors import AMPError
from wildrobot_gym.errors import RunError
from wildrobot_gym.reporting import Reporter
from wildrobot_gym.training.config import RunConfig
from wildrobot_gym.training.env_state import environment_state, write_arrays
from wildrobot_gym.training.logger import waiting
from wildrobot_gym.training.processes import agreed, is_leader
from wildrobot_gym.training.run_directory import RunDirectory

WAITING = "waiting"  # key in a checkpoint: metrics that no row has yet


class Stopped(BaseException):
    """A signal stopped the run. It is not an `Exception`, so that nothing on the way catches it."""

    def __init__(self, signum: int, saved: str) -> None:
        super().__init__(saved)
        self.signum, self.saved = signum, saved


class RunCallback(BaseCallback):
    """Base of the callbacks that act between iterations."""

    model: AMPPPO

    def _on_step(self) -> bool:
        return True


def is_due(last: int, now: int, every: int) -> bool:
    """Whether a multiple of `every` was passed. Counted from zero, so a resumed run agrees."""
    return now // every > last // every


class CheckpointCallback(RunCallback):
    """Writes a checkpoint every `checkpoint_every` steps, and one before a signal stops the run.

    A checkpoint that cannot be written is reported. Training continues, and older ones stay.

    Args:
        run: Where the checkpoints are.
        config: The run's settings.
        report: Receives messages.
    """

    def __init__(self, run: RunDirectory, config: RunConfig, report: Reporter) -> None:
        super().__init__()
        self._run, self._config, self._report = run, config, report
        self._last = 0
        self._kept = -1  # steps that a start or a checkpoint has
        self._signum: int | None = None

    @property
    def asked_to_stop(self) -> bool:
        """Whether a signal has come."""
        return self._signum is not None

    def has_nothing_new(self) -> bool:
        """Whether the disk has all that was learned: a process that ends now loses nothing."""
        alone = jax.process_count() == 1  # the others would wait for a process that is gone
        model: AMPPPO | None = getattr(self, "model", None)  # SB3 hands it over as learning begins
        return alone and (model is None or self._kept == model.num_timesteps)

    def on_signal(self, signum: int, _: FrameType | None) -> None:
        """Handle a signal: the first one stops after the iteration, the second at once."""
        if self._signum is not None:
            raise KeyboardInterrupt
        self._signum = signum
        self._report.info(
            "Stopping; the disk has all that was learned."
            if self.has_nothing_new()
            else "Stopping after this iteration, with a checkpoint."
            " A second signal stops at once, without one."
        )

    def _on_training_start(self) -> None:
        self._last = self._kept = self.num_timesteps

    def stop_if_asked(self) -> None:
        """Save and raise `Stopped` where a signal has come."""
        if (signum := agreed(self._signum)) is not None:
            raise Stopped(signum, self.save())

    def _on_rollout_start(self) -> None:
        self.stop_if_asked()
        if is_due(self._last, self.num_timesteps, self._config.checkpoint_every):
            self.save()

    def save(self) -> str:
        """Write a checkpoint of the present.

        Returns:
            Where it is, or why it could not be written.
        """
        path = self._run.checkpoint(self.model.num_timesteps)
        self._last = self.model.num_timesteps
        try:
            arrays = environment_state(self.model)  # all processes take part
            if not is_leader():
                return "Process 0 writes the checkpoint."
            write_arrays(path.with_suffix(".npz"), arrays)
            self._save_model(path)
            self._run.drop_old(self._config.keep_checkpoints)
            self._kept = self.model.num_timesteps  # from here on, the process may end at any time
        except (RunError, AMPError, OSError) as error:
            if not path.is_file():  # half a checkpoint is never listed, and would stay on the disk
                path.with_suffix(".npz").unlink(missing_ok=True)
            older = self._run.checkpoints()
            kept = (
                f"The last complete checkpoint is {older[-1]}."
                if older
                else "There is no older checkpoint."
            )
            message = f"No checkpoint was written: {error} {kept}"
            self._report.warning(message)
            return message
        return f"Checkpoint: {path}"

    def _save_model(self, path: Path) -> None:
        self.model.extra[WAITING] = waiting(self.model.logger)
        try:
            self.model.save(path)
        finally:
            del self.model.extra[WAITING]
