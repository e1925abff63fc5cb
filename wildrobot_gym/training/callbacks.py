"""What happens between the iterations of a run: checkpoints, evaluation, and a clean stop on a signal."""

from __future__ import annotations

from collections.abc import Mapping
from types import FrameType
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from stable_baselines3.common.callbacks import BaseCallback

from amp_sbx import AMPPPO
from amp_sbx.common.errors import AMPError
from wildrobot_gym.config import to_dict
from wildrobot_gym.errors import RunError
from wildrobot_gym.evaluation.benchmark import WalkBenchmark
from wildrobot_gym.evaluation.metrics import SUCCESS_SLIP
from wildrobot_gym.task.walk import SUCCESS_VELOCITY_ERROR
from wildrobot_gym.training.config import EvalSettings, RunConfig
from wildrobot_gym.training.env_state import environment_state
from wildrobot_gym.training.logger import STEPS
from wildrobot_gym.training.run_directory import RunDirectory, write_arrays

LOGGED = ("success", "survived", "velocity_error", "cadence", "clearance", "slip", "saturation")
Score = tuple[float, float, float]
"""Of a policy, by :func:`eval_score`."""


class Stopped(BaseException):
    """A signal asked for the end; the checkpoint is written. No Exception, so that nothing on the way swallows it."""

    def __init__(self, signum: int, saved: str) -> None:
        super().__init__(saved)
        self.signum, self.saved = signum, saved


class RunCallback(BaseCallback):
    """Base of those below: all act between iterations, where model and environments belong to the same instant."""

    model: AMPPPO

    def _on_step(self) -> bool:
        return True


def _is_due(last: int, now: int, every: int) -> bool:
    """Whether a multiple of ``every`` was passed; counted from zero, so that a resumed run keeps the same times."""
    return now // every > last // every


class CheckpointCallback(RunCallback):
    """A checkpoint every ``checkpoint_every`` steps; on a signal one after the iteration, and then the end.

    A checkpoint that cannot be written is reported, and the training goes on with the older ones whole.
    """

    def __init__(self, folder: RunDirectory, config: RunConfig, console: Console) -> None:
        super().__init__()
        self._folder, self._config, self._console = folder, config, console
        self._last = 0
        self._signum: int | None = None

    def on_signal(self, signum: int, _: FrameType | None) -> None:
        """For ``guard.stop_signals``."""
        if self._signum is not None:
            raise KeyboardInterrupt
        self._signum = signum
        self._console.print(
            "Stopping after this iteration, with a checkpoint. Once more: stop at once, without one."
        )

    def _on_training_start(self) -> None:
        self._last = self.num_timesteps

    def stop_if_asked(self) -> None:
        """Save and raise :class:`Stopped` where a signal has come."""
        if self._signum is not None:
            raise Stopped(self._signum, self.save())

    def _on_rollout_start(self) -> None:
        self.stop_if_asked()
        if _is_due(self._last, self.num_timesteps, self._config.checkpoint_every):
            self.save()

    def save(self) -> str:
        """Write a checkpoint of the present; says where it lies, or why it could not be written."""
        path = self._folder.checkpoint(self.model.num_timesteps)
        self._last = self.model.num_timesteps
        try:
            write_arrays(path.with_suffix(".npz"), environment_state(self.model))
            self.model.save(path)
            self._folder.drop_old(self._config.keep_checkpoints)
        except (RunError, AMPError, OSError) as error:
            if not path.is_file():  # half a checkpoint: the list of checkpoints would not show it, the disk would keep it
                path.with_suffix(".npz").unlink(missing_ok=True)
            older = self._folder.checkpoints()
            kept = (
                f"The last whole checkpoint is {older[-1]}."
                if older
                else "There is no older checkpoint."
            )
            message = f"No checkpoint was written: {error} {kept}"
            self._console.print(f"[yellow]{escape(message)}[/]", soft_wrap=True)
            return message
        return f"Checkpoint: {path}"


def eval_score(means: Mapping[str, float | None]) -> Score:
    """Greater is better: more success, then more that survive, then less velocity error and slip, each as a share of what a
    success may have.

    Of policies that always succeed, the one that follows the command closest may slip twice as much as the next.
    """
    limits = {"velocity_error": SUCCESS_VELOCITY_ERROR, "slip": SUCCESS_SLIP}
    fractions = [
        np.inf if (mean := means.get(name)) is None else mean / limit
        for name, limit in limits.items()
    ]
    return float(means["success"] or 0.0), float(means["survived"] or 0.0), -float(sum(fractions))


def protocol_of(settings: EvalSettings) -> dict[str, Any]:
    """What scores have to share to be compared with each other, as JSON types."""
    return {name: value for name, value in to_dict(settings).items() if name != "every"}


class EvalCallback(RunCallback):
    """A short walk benchmark every ``eval.every`` steps; the best policy so far is kept as best.zip.

    Better is what :func:`eval_score` says; of equal ones the newest. ``best``: the score of the best.zip that is there.
    """

    def __init__(
        self, folder: RunDirectory, config: RunConfig, console: Console, best: Score | None = None
    ) -> None:
        super().__init__()
        self._folder, self._settings, self._console = folder, config.eval, console
        self._env_kwargs = config.env_kwargs
        self._best = best
        self._last = 0
        self._benchmark: WalkBenchmark | None = None

    def _on_training_start(self) -> None:
        self._last = self.num_timesteps

    def _on_rollout_start(self) -> None:
        if self._settings.every and _is_due(self._last, self.num_timesteps, self._settings.every):
            self.evaluate()

    def evaluate(self) -> None:
        """Evaluate now, log, and keep the policy where it is the best so far."""
        self._last = self.model.num_timesteps
        if self._benchmark is None:
            s = self._settings
            self._benchmark = WalkBenchmark(
                self._env_kwargs, s.commands, s.episodes, s.steps, s.seed
            )
        result = self._benchmark.run(lambda obs: self.model.predict(obs, deterministic=True)[0])
        overall = result.to_json()["overall"]
        means = {name: overall[name]["mean"] for name in LOGGED}
        steps = self.model.num_timesteps
        figures = {f"eval/{name}": mean for name, mean in means.items() if mean is not None} | {
            STEPS: steps
        }
        # Now, and not with the next iteration's row: a checkpoint may come first, and a resumed run does that row again.
        for writer in self.logger.output_formats:
            writer.write(figures, dict.fromkeys(figures, ()), steps)
        about: dict[str, Any] = {
            name: means[name] for name in ("success", "survived", "velocity_error", "slip")
        }
        score = eval_score(about)
        if self._best is None or score >= self._best:
            about |= {"num_timesteps": steps, "protocol": protocol_of(self._settings)}
            try:
                self.model.save(
                    self._folder.best, exclude=["replay_buffer"], extra={"evaluation": about}
                )
                self._best = score  # not before: of what is not on the disk nothing is the best
            except AMPError as problem:
                self._console.print(
                    f"[yellow]The best policy so far was not written: {escape(str(problem))}[/]",
                    soft_wrap=True,
                )
            finally:
                self.model.extra.pop("evaluation", None)
