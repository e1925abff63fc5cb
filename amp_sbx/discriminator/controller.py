"""Decisions about the discriminator between two iterations.

The controller judges the discriminator's health, pauses the style weight's ramp, reveals channels
and adapts settings. It runs on the host and changes array values only, so nothing is recompiled.
"""

import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from amp_sbx.discriminator.adapt import adapt, adapted_settings, describe_change, direction
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.curriculum import Curriculum
from amp_sbx.discriminator.health import HealthMonitor
from amp_sbx.discriminator.update import AMPState
from amp_sbx.discriminator.verdict import Verdict

_LOG = logging.getLogger("amp_sbx")


@dataclass(frozen=True)
class Event:
    """Something the controller decided or noticed.

    Attributes:
        kind: "verdict" (a new verdict), "adapt" (settings changed), "curriculum" (channels
            revealed) or "schedule" (the style weight's ramp pauses or continues).
        text: one line for people.

    Example:
        >>> model.learner.controller.on_event = lambda event: print(event.text)
    """

    kind: str
    text: str


class Controller:
    """Judges the discriminator and applies `amp.schedule`, `amp.reintroduce` and `amp.adapt`.

    Args:
        config: AMP settings.
        layout: layout of the AMP observations, as the environment declares it.

    Attributes:
        health: metrics and verdict of the iterations so far.
        ramp_waited: environment steps that the style weight's ramp has been paused in total.
        ramp_waiting: whether the ramp is paused now.
        on_event: called with every `Event`. None: the logger "amp_sbx" gets a warning, which
            Python prints.

    Example:
        >>> model.learner.controller.on_event = lambda event: print(event.kind, event.text)
    """

    def __init__(self, config: AMPConfig, layout: Any = None) -> None:
        self.config, self.layout = config, layout
        self.health = HealthMonitor(layout, config.undecided_reward)
        self.ramp_waited, self.ramp_waiting = 0, False
        # Not saved: a resumed model reports again what is still wrong.
        self._reported = Verdict.HEALTHY
        self.on_event: Callable[[Event], None] | None = None

    def first_mask(self, feature_dim: int) -> Float[Array, " feature"]:
        """Which columns the discriminator sees at first (1) and which it does not (0).

        Raises:
            FeatureError: `amp.reintroduce` does not fit the layout.
        """
        curriculum = Curriculum.of(self.config.reintroduce, self.layout, feature_dim)
        return jnp.array(curriculum.first_mask(feature_dim))

    def to_json(self) -> dict[str, Any]:
        """JSON-able state, for `restore`."""
        return {
            "health": self.health.to_json(),
            "ramp_waited": self.ramp_waited,
            "ramp_waiting": self.ramp_waiting,
        }

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Continue from a state of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: `stored` is not from `to_json`.
        """
        self.health.restore(stored["health"])
        self.ramp_waited = int(stored["ramp_waited"])
        self.ramp_waiting = bool(stored["ramp_waiting"])

    def begin(self, num_timesteps: int, total_timesteps: int) -> None:
        """Prepare for learning up to `total_timesteps`.

        A run that starts at 0 restarts the ramp. Warns about settings that the run is too short
        to reach.
        """
        if num_timesteps == 0:
            self.ramp_waited, self.ramp_waiting = 0, False
        for text in self.config.unreachable(total_timesteps):
            warnings.warn(text, stacklevel=3)
        if self.config.reward == "quadratic":
            warnings.warn(
                "amp.reward 'quadratic' pays three quarters of the maximum to a sample that the "
                "discriminator cannot classify, so staying alive can earn more than style. "
                "amp.reward 'clip' pays in proportion to how real a motion looks.",
                stacklevel=3,
            )

    def ramp_clock(self, num_timesteps: int) -> int:
        """Environment steps of the ramp so far: `num_timesteps` minus the pauses."""
        return max(num_timesteps - self.ramp_waited, 0)

    def observe(
        self, state: AMPState, metrics: Mapping[str, float], num_timesteps: int, steps: int
    ) -> tuple[AMPState, dict[str, float]]:
        """Judge one iteration and apply what the config says.

        Args:
            state: the discriminator's state after the iteration.
            metrics: the iteration's `amp/*`, with `task_reward` and `episode_length` if known.
            num_timesteps: environment steps so far.
            steps: environment steps of this iteration.

        Returns:
            The state for the next iteration, and more metrics for `amp/*`.
        """
        assessment = self.health.update(metrics)
        verdict = assessment.verdict
        if verdict is not self._reported:
            text = str(assessment) if assessment.reason else "healthy again"
            self._report("verdict", f"discriminator {text}")
            self._reported = verdict
        waiting = self._update_ramp(num_timesteps, steps)
        state, masked = self._reveal(state, num_timesteps)
        state, adapted = self._adapt(state, verdict)
        return state, {"verdict": float(verdict.value)} | waiting | masked | adapted

    def _report(self, kind: str, text: str) -> None:
        if self.on_event is None:
            _LOG.warning(text)
        else:
            self.on_event(Event(kind, text))

    def _update_ramp(self, num_timesteps: int, steps: int) -> dict[str, float]:
        schedule, metrics = self.config.schedule, self.health.metrics
        if schedule.wait_auc is None or schedule.wait_at_most is None:
            return {}
        low, high = metrics["logit_min"], metrics["logit_max"]
        unhealthy = schedule.waits(
            self.ramp_clock(num_timesteps), self.health.auc, self.config.saturated(low, high)
        )
        waiting = unhealthy and self.ramp_waited < int(schedule.wait_at_most)
        if waiting:
            self.ramp_waited = min(int(schedule.wait_at_most), self.ramp_waited + steps)
        if waiting != self.ramp_waiting:
            action = "pauses" if waiting else "continues"
            if unhealthy and not waiting:
                action = "continues after its longest allowed pause"
            why = f"AUC {self.health.auc:.2f}, scores {low:.2f} to {high:.2f}"
            self._report("schedule", f"the style weight's ramp {action} ({why})")
        self.ramp_waiting = waiting
        return {"ramp_waiting": float(waiting), "ramp_waited": float(self.ramp_waited)}

    def _reveal(self, state: AMPState, num_timesteps: int) -> tuple[AMPState, dict[str, float]]:
        if not self.config.reintroduce:
            return state, {}
        mask = np.asarray(state.mask)
        curriculum = Curriculum.of(self.config.reintroduce, self.layout, len(mask))
        new, stages = curriculum.due(mask, num_timesteps, self.health.metrics, self.health.ready)
        if stages:
            state = replace(state, mask=jnp.array(new))
            names = ", ".join(name for stage in stages for name in stage.channels)
            self._report("curriculum", f"the discriminator now sees {names}")
        return state, {"masked": float((new == 0).mean())}

    def _adapt(self, state: AMPState, verdict: Verdict) -> tuple[AMPState, dict[str, float]]:
        config, health = self.config, self.health
        if not config.adapt:
            return state, {}
        step = direction(verdict, health.auc, config.adapt_auc)
        if step and health.ready and health.updates % config.adapt_every == 0:
            before = adapted_settings(config, state.adaptation)
            state = replace(state, adaptation=adapt(config, state.adaptation, step))
            changes = describe_change(config, before, adapted_settings(config, state.adaptation))
            if changes:
                self._report("adapt", f"{verdict.label}, AUC {health.auc:.2f}: {changes}")
        steps, rate, penalty = (float(v) for v in adapted_settings(config, state.adaptation))
        metrics = {"adapt_update_steps": steps, "adapt_disc_lr": rate}
        if config.penalty_setting is not None:
            metrics["adapt_penalty"] = penalty
        return state, metrics
