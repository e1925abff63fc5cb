"""What is done about the discriminator between two iterations: it is judged, the ramp waits, channels come in, settings move.

All of it on the host, from figures that the compiled update has made; what it changes are values, so nothing is compiled anew.
"""

import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from amp_sbx.discriminator.adapt import described, direction, in_force, moved
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.curriculum import Reintroduction
from amp_sbx.discriminator.health import VERDICTS, HealthMonitor, Verdict
from amp_sbx.discriminator.update import AMPState


class Oversight:
    """The discriminator's health over a run, and the rules of `amp.schedule`, `amp.reintroduce` and `amp.adapt`.

    Args:
        layout: of the features, as the environment declares it.

    Attributes:
        health: figures and verdict of the iterations so far.
        ramp_waited: environment steps that the ramp of the style's weight has waited; `ramp_waiting`: whether it did last.
        tell: called with a line of text where the verdict changes, a setting is moved or a channel let in, or where a ramp
            begins or ends to wait; by default it goes to the logger "amp_sbx" as a warning, which Python shows.
    """

    def __init__(self, config: AMPConfig, layout: Any = None) -> None:
        self.config, self.layout = config, layout
        self.health = HealthMonitor(layout, config.undecided_reward)
        self.ramp_waited, self.ramp_waiting = 0, False
        self._told = (
            "healthy"  # not remembered: a model that goes on tells again what it still suffers from
        )
        self.tell: Callable[[str], Any] = logging.getLogger("amp_sbx").warning

    def first_mask(self, feature_dim: int) -> Float[Array, " feature"]:
        """Which features the discriminator sees at first. `FeatureError`: `amp.reintroduce` does not fit the layout."""
        return jnp.array(
            Reintroduction.of(self.config.reintroduce, self.layout, feature_dim).first_mask(
                feature_dim
            )
        )

    def to_json(self) -> dict[str, Any]:
        """What `observe` remembers beside the state; `remember` takes it back."""
        return {
            "health": self.health.to_json(),
            "ramp_waited": self.ramp_waited,
            "ramp_waiting": self.ramp_waiting,
        }

    def remember(self, stored: Mapping[str, Any]) -> None:
        """Raises KeyError, TypeError or ValueError for anything that `to_json` does not give."""
        self.health.restore(stored["health"])
        self.ramp_waited, self.ramp_waiting = (
            int(stored["ramp_waited"]),
            bool(stored["ramp_waiting"]),
        )

    def begin(self, num_timesteps: int, total_timesteps: int) -> None:
        """Before learning goes on to `total_timesteps`: a new count starts the ramp anew; warns of what lies beyond the end."""
        if num_timesteps == 0:
            self.ramp_waited, self.ramp_waiting = 0, False
        for text in self.config.beyond(total_timesteps):
            warnings.warn(text, stacklevel=3)
        if self.config.reward == "quadratic":
            warnings.warn(
                "amp.reward 'quadratic' pays three quarters to what the discriminator cannot tell apart: a participation trophy,"
                " by which being alive counts for more than style. 'clip' pays by how real a motion looks.",
                stacklevel=3,
            )

    def clock(self, num_timesteps: int) -> int:
        """How far the ramp has come after so many environment steps, less those that it has waited."""
        return max(num_timesteps - self.ramp_waited, 0)

    def observe(
        self, state: AMPState, figures: Mapping[str, float], num_timesteps: int, steps: int
    ) -> tuple[AMPState, dict[str, float]]:
        """After an iteration: the state as the config says that it is to go on, and further figures for `amp/*`.

        Args:
            figures: the iteration's `amp/*`, and `task_reward` and `episode_length` where they are known (`Triggers`).
            num_timesteps: environment steps so far, `steps` of them in this iteration.
        """
        verdict = self.health.update(figures)
        if verdict.name != self._told:
            self.tell(
                f"discriminator {verdict}" if verdict.reason else "discriminator healthy again"
            )
            self._told = verdict.name
        waited = self._wait(num_timesteps, steps)
        state, masked = self._let_in(state, num_timesteps)
        state, adapted = self._adapt(state, verdict)
        return state, {"verdict": float(VERDICTS.index(verdict.name))} | waited | masked | adapted

    def _wait(self, num_timesteps: int, steps: int) -> dict[str, float]:
        schedule, figures = self.config.schedule, self.health.figures
        if schedule.wait_auc is None or schedule.wait_at_most is None:
            return {}
        saturated = self.config.saturated(figures["logit_min"], figures["logit_max"])
        held_up = schedule.waits(self.clock(num_timesteps), self.health.auc, saturated)
        waiting = held_up and self.ramp_waited < int(schedule.wait_at_most)
        if waiting:
            self.ramp_waited = min(int(schedule.wait_at_most), self.ramp_waited + steps)
        if waiting != self.ramp_waiting:
            why = f"AUC {self.health.auc:.2f}, scores {figures['logit_min']:.2f} ... {figures['logit_max']:.2f}"
            goes_on = "goes on" if not held_up else "has waited for as long as it may, and goes on"
            self.tell(f"the ramp of the style's weight {'waits' if waiting else goes_on} ({why})")
        self.ramp_waiting = waiting
        return {"ramp_waiting": float(waiting), "ramp_waited": float(self.ramp_waited)}

    def _let_in(self, state: AMPState, num_timesteps: int) -> tuple[AMPState, dict[str, float]]:
        if not self.config.reintroduce:
            return state, {}
        mask = np.asarray(state.mask)
        stages = Reintroduction.of(self.config.reintroduce, self.layout, len(mask))
        new, let_in = stages.due(mask, num_timesteps, self.health.figures, self.health.ready)
        if let_in:
            state = replace(state, mask=jnp.array(new))
            self.tell(
                f"the discriminator now sees {', '.join(name for stage in let_in for name in stage.channels)}"
            )
        return state, {"masked": float((new == 0).mean())}

    def _adapt(self, state: AMPState, verdict: Verdict) -> tuple[AMPState, dict[str, float]]:
        config = self.config
        if not config.adapt:
            return state, {}
        if self.health.ready and self.health.updates % config.adapt_every == 0:
            towards = direction(verdict.name, self.health.auc, config.adapt_auc)
            if towards:
                before = state.drive
                state = replace(state, drive=moved(config, before, towards))
                if changes := described(
                    config, in_force(config, before), in_force(config, state.drive)
                ):
                    self.tell(f"adapt: {verdict.name}, AUC {self.health.auc:.2f}: {changes}")
        steps, rate, penalty = (float(value) for value in in_force(config, state.drive))
        figures = {"adapt_update_steps": steps, "adapt_disc_lr": rate}
        return state, figures if config.penalty_setting is None else figures | {
            "adapt_penalty": penalty
        }
