"""What a person sees of a run while it trains."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from amp_sbx import AMPPPO, Event
from wildrobot_gym.reporting import Advance, Reporter
from wildrobot_gym.training.events import RunEvent, append_event, cut_events
from wildrobot_gym.training.run_directory import RunDirectory

SHOWN = (  # logged name, heading
    ("task/velocity_error", "velocity error"),
    ("rollout/success_rate", "success"),
    ("rollout/ep_len_mean", "episode"),
    ("amp/reward_mean", "amp"),
    ("amp/disc_acc", "acc"),
    ("auc", "auc"),
)


class ProgressCallback(BaseCallback):
    """Reports progress, and the controller's events, which it also writes to events.jsonl.

    Args:
        n_timesteps: Environment steps of the whole run.
        run: Where events.jsonl is.
        report: Receives progress and events.
    """

    model: AMPPPO

    def __init__(self, n_timesteps: int, run: RunDirectory, report: Reporter) -> None:
        super().__init__()
        self._total, self._run, self._report = n_timesteps, run, report
        self._shown = ExitStack()
        self._advance: Advance | None = None
        self._counted = 0

    def _on_training_start(self) -> None:
        if self.model.learner is not None:
            self.model.learner.controller.on_event = self._on_event
            cut_events(self._run.events_file, self.num_timesteps)
        self._counted = self.num_timesteps
        progress = self._report.progress("steps", self._total, self._counted)
        self._advance = self._shown.enter_context(progress)

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        if self._advance is not None:
            self._advance(self.num_timesteps - self._counted, self._status())
            self._counted = self.num_timesteps

    def _status(self) -> str:
        # Read before SB3 writes and clears them. Those of learning are from the iteration before.
        values = dict(self.logger.name_to_value)
        if self.model.ep_success_buffer:
            values["rollout/success_rate"] = float(np.mean(self.model.ep_success_buffer))
        if self.model.ep_info_buffer:
            lengths = [info["l"] for info in self.model.ep_info_buffer]
            values["rollout/ep_len_mean"] = float(np.mean(lengths))
        if "amp/disc_auc" in values:  # the AUC that verdicts rest on
            values["auc"] = values.get("amp/held_out_auc", values["amp/disc_auc"])
        parts = [f"{heading} {values[name]:.3g}" for name, heading in SHOWN if name in values]
        if self.model.learner is not None:
            controller = self.model.learner.controller
            waits = ", ramp waits" * controller.ramp_waiting
            parts.append(f"{controller.health.verdict.label}{waits}")
        return "  ".join(parts)

    def _on_event(self, event: Event) -> None:
        fields = {}
        if event.kind == "verdict" and self.model.learner is not None:
            fields["verdict"] = self.model.learner.health.verdict.label
        steps = self.num_timesteps
        append_event(self._run.events_file, RunEvent(steps, event.kind, event.text, fields))
        self._report.info(f"{steps:,} steps: {event.text}")

    def stop(self) -> None:
        """End the display."""
        self._shown.close()
