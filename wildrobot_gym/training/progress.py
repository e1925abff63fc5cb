"""What a person sees of a run: steps, steps per second, time left and the few figures that matter."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from stable_baselines3.common.callbacks import BaseCallback

from amp_sbx import AMPPPO
from wildrobot_gym.training.logger import forget_told

PRINT_EVERY_S = 30.0  # where the output is no terminal
SHOWN = (  # logged name, heading
    ("metrics/velocity_error", "velocity error"),
    ("rollout/success_rate", "success"),
    ("rollout/ep_len_mean", "episode"),
    ("amp/reward_mean", "amp"),
    ("amp/disc_acc", "acc"),
    ("auc", "auc"),
)


class ProgressCallback(BaseCallback):
    """A bar on a terminal, else a line now and then; what is told of the discriminator, in the file ``told``, too."""

    model: AMPPPO

    def __init__(self, n_timesteps: int, console: Console, told: Path) -> None:
        super().__init__()
        self._total, self._console, self._told = n_timesteps, console, told
        self._began, self._first, self._printed = time.monotonic(), 0, 0.0
        self._figures = ""
        columns = (
            TextColumn("{task.fields[steps]}"),
            BarColumn(bar_width=20),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, TextColumn("{task.fields[figures]}"), console=console)
        self._task = self._bar.add_task("", total=n_timesteps, steps="", figures="")

    def _on_training_start(self) -> None:
        if self.model.learner is not None:
            self.model.learner.oversight.tell = self._tell
            with contextlib.suppress(OSError):
                forget_told(self._told, self.num_timesteps)
        self._began, self._first = time.monotonic(), self.num_timesteps
        if self._console.is_terminal:
            self._bar.start()

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        # Read before SB3 dumps and clears them; those of learning come from the iteration before.
        values = dict(self.logger.name_to_value)
        if self.model.ep_success_buffer:
            values["rollout/success_rate"] = float(np.mean(self.model.ep_success_buffer))
        if self.model.ep_info_buffer:
            values["rollout/ep_len_mean"] = float(
                np.mean([info["l"] for info in self.model.ep_info_buffer])
            )
        if "amp/disc_auc" in values:
            values["auc"] = values.get(
                "amp/held_out_auc", values["amp/disc_auc"]
            )  # whichever verdicts rest on
        self._figures = "  ".join(
            f"{head} {values[name]:.3g}" for name, head in SHOWN if name in values
        )
        if self.model.learner is not None:
            oversight = self.model.learner.oversight
            self._figures += (
                f"  {oversight.health.verdict.name}{', ramp waits' * oversight.ramp_waiting}"
            )
        self._show()

    def _tell(self, text: str) -> None:
        line = f"{self.num_timesteps:,} steps: {text}"
        self._console.print(line, soft_wrap=True, highlight=False, markup=False)
        with (
            contextlib.suppress(OSError),
            open(self._told, "a") as stream,
        ):  # a full disk must not end the training
            stream.write(f"{line}\n")

    def _show(self) -> None:
        elapsed = time.monotonic() - self._began
        rate = (self.num_timesteps - self._first) / max(elapsed, 1e-9)
        steps = f"{self.num_timesteps:,} of {self._total:,} steps  {rate:,.0f}/s"
        if self._console.is_terminal:
            self._bar.update(
                self._task, completed=self.num_timesteps, steps=steps, figures=self._figures
            )
        elif elapsed - self._printed >= PRINT_EVERY_S or self._printed == 0:
            self._printed = max(elapsed, 1e-9)
            left = max(self._total - self.num_timesteps, 0) / max(rate, 1e-9)
            self._console.print(
                f"{steps}  {left / 60:.1f} min left  {self._figures}",
                soft_wrap=True,
                highlight=False,
            )

    def stop(self) -> None:
        if self._console.is_terminal:
            self._bar.stop()
