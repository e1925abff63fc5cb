"""The fused loop: whole iterations, from the rollout to the discriminator, as one program.

Nothing of a rollout leaves the device. The program uses the same `sample_actions` and the same
`update.iteration` as the loop over a vector environment, with the same random keys.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array

from amp_sbx.algorithm.data import Critics, Hyperparameters, Settings
from amp_sbx.algorithm.fused_collect import Collector, RolloutState, Summary, collect
from amp_sbx.algorithm.update import iteration
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.sampler import ReferenceSampler
from amp_sbx.discriminator.state import AMPState


@dataclass(frozen=True)
class Program:
    """Everything that shapes the compiled program. It is hashable.

    Attributes:
        collector: how a rollout is collected.
        settings: PPO's settings.
        config: AMP settings; None without AMP.
        iterations: iterations in one call.
    """

    collector: Collector
    settings: Settings
    config: AMPConfig | None
    iterations: int


@struct.dataclass
class Learned:
    """What the update changes and the host keeps readable: it is not donated.

    Attributes:
        actor: the actor.
        critics: one critic, or the task's and the style's.
        key: the algorithm's random key.
        task_paid: whether any task reward was not 0 so far.
    """

    actor: Any
    critics: Critics
    key: Array
    task_paid: Array


def run(
    program: Program,
    amp_state: AMPState | None,
    state: RolloutState,
    learned: Learned,
    reference: ReferenceSampler | None,
    hyper: Hyperparameters,
) -> tuple[Learned, AMPState | None, RolloutState, dict[str, Any], Summary]:
    """Run `program.iterations` iterations.

    After an iteration that is not finite, the others of the call change nothing.

    Args:
        program: settings of the compiled program.
        amp_state: the discriminator's state; None without AMP.
        state: environments and the policy's keys.
        learned: actor, critics and key.
        reference: sampler of the reference; None without AMP.
        hyper: numbers of all these iterations. Its task weight counts once a task reward was paid.

    Returns:
        `(learned, amp_state, state, metrics, summary)`; metrics and summary have a leading
        iteration axis.
    """

    def one(carry: tuple, _: None) -> tuple[tuple, tuple[dict[str, Any], Summary]]:
        (learned, state, learning_rate), amp_state, ok = carry
        before = carry[0]
        state, rollout, summary = collect(
            program.collector, learned.actor, learned.critics, state, hyper.gamma
        )
        paid = learned.task_paid | summary.paid
        key, update_key = jax.random.split(learned.key)
        actor, critics, amp_state, metrics = iteration(
            program.settings,
            program.config,
            learned.actor,
            learned.critics,
            amp_state,
            rollout,
            reference,
            replace(
                hyper,
                task_weight=jnp.where(paid, hyper.task_weight, 0.0),
                learning_rate=learning_rate,
            ),
            update_key,
            ok,
        )
        if program.settings.target_kl is not None:
            learning_rate = metrics["train"]["learning_rate"]
        after = Learned(actor, critics, key, paid), state, learning_rate
        after = jax.tree.map(partial(jnp.where, ok), after, before)
        finite = jnp.all(jnp.stack(list(metrics["finite"].values())))
        return (after, amp_state, ok & finite), (metrics, summary)

    learning_rate = jnp.asarray(hyper.learning_rate, jnp.float32)
    carry = ((learned, state, learning_rate), amp_state, jnp.bool_(True))
    if program.iterations == 1:
        carry, shown = one(carry, None)
        shown = jax.tree.map(partial(jnp.expand_dims, axis=0), shown)
    else:
        carry, shown = jax.lax.scan(one, carry, length=program.iterations)
    (learned, state, _), amp_state, _ = carry
    devices = program.collector.devices
    learned, amp_state, shown = devices.whole((learned, amp_state, shown))
    env = devices.split(state.env)
    state = RolloutState(env, *devices.whole((state.dones, state.key, state.noise_key)))
    return learned, amp_state, state, *shown
