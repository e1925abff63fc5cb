"""The host's part of the fused loop: it lends the states, runs the program and reports."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from amp_sbx.algorithm.compilation import compiled, fixed
from amp_sbx.algorithm.devices import Devices, Lent
from amp_sbx.algorithm.fused import Learned, Program, run
from amp_sbx.algorithm.fused_collect import Collector, RolloutState, Summary
from amp_sbx.algorithm.fused_env import check_functional
from amp_sbx.algorithm.learning import (
    compiled_settings,
    finish_iteration,
    hyperparameters,
    store_update,
)
from amp_sbx.algorithm.meeting import check_same_everywhere, gathered, is_split, meet
from amp_sbx.common.errors import AMPError
from amp_sbx.common.functional import batched
from amp_sbx.common.memory import within_memory


class FusedLoop:
    """Drives a model's functional environments.

    Args:
        model: the algorithm.
        source: the vector environment, with `functional` and `functional_state`.
    """

    def __init__(self, model: Any, source: Any) -> None:
        self._model, self.source = model, source
        self._step = batched(source.functional).step
        shared = {"n_envs": model.n_envs, "batch_size": model._batch_size}
        self._devices = Devices.of(model.devices, shared, model.verbose)
        self._lent = Lent(self._devices)
        self._sampler: tuple[Any, Any] = (None, None)  # the learner's, and the same everywhere
        self._given: list[Any] = []  # leaves of the states that this loop gave back last
        self._checked = False

    def run(self, callback: BaseCallback) -> bool:
        """Collect and learn for `iterations_per_call` iterations in one call.

        `on_step` is called once, after the update, and `on_rollout_end` after it.

        Returns:
            False if a callback stopped the training.

        Raises:
            NonFiniteError: observations, rewards or an update have NaN or infinity. That update
                and the call's later ones were not applied.
        """
        model = self._model
        if model._last_obs is None:
            raise AMPError("collect_rollouts() was called before a reset; call learn() instead.")
        callback.on_rollout_start()
        steps = model.n_steps * model.n_envs
        # The schedules' clock is what it is in the loop on the host: after the rollout.
        after = model.num_timesteps + steps
        model._update_current_progress_remaining(after, model._total_timesteps)
        hyper = hyperparameters(model, after)
        metrics, summary = self._call(hyper)
        for number in range(model.iterations_per_call):
            model.num_timesteps += steps
            metrics_of, summary_of = jax.tree.map(lambda x, i=number: x[i], (metrics, summary))
            self._record_episodes(summary_of)
            finish_iteration(model, metrics_of, hyper, steps, float(summary_of.task_reward))
        self._show(summary)
        callback.update_locals({"self": model, "env": model.env, "callback": callback})
        if not callback.on_step():
            return False
        callback.on_rollout_end()
        return True

    def gather(self) -> None:
        """Bring the states from all processes into this one; all call it together.

        Before the first iteration, and after a gathering, every process has all of them.
        """
        states = self.source.functional_state
        if jax.process_count() > 1 and is_split(states):
            states = gathered(states)
            self.source.functional_state = jax.tree.map(jnp.asarray, states)
            self._model._last_obs = np.asarray(states.obs)
            self._show_critic(states)

    def _call(self, hyper: Any) -> tuple[dict[str, Any], Summary]:
        """Run the program; the model and the environments have the new states then."""
        model, learner, policy, lent = (
            self._model,
            self._model.learner,
            self._model.policy,
            self._lent,
        )
        states = self._borrow()
        if not self._checked:
            check_functional(model, self.source.functional, self._step, states)
            check_same_everywhere((model.get_parameters(), model._last_episode_starts))
            self._checked = True
        program = Program(
            Collector.of(model, self._step, self._devices),
            replace(compiled_settings(model), devices=self._devices),
            learner.compiled_config if learner else None,
            model.iterations_per_call,
        )
        # What is large is donated: the environments, and the discriminator with its replay buffer.
        keys = map(jnp.array, (policy.key, policy.noise_key))  # copies, as they are donated
        ends = jnp.asarray(model._last_episode_starts, bool)
        amp_state, rest = lent.lend(fixed((learner.state if learner else None, (ends, *keys))))
        split = jax.tree.map(lambda leaf: self._devices.place(leaf, split=True), fixed(states))
        donated = (amp_state, RolloutState(split, *rest))
        paid = jnp.asarray(model.task_paid, bool)
        learned = Learned(policy.actor_state, model._critics, model.key, paid)
        kept = lent.lend(fixed((learned, self._reference(), hyper)))
        call = compiled(run, program, donated, kept, "the training iteration", model.verbose)
        meet()
        with within_memory(model.n_envs, call.num_bytes):
            learned, amp_state, state, metrics, summary = call(donated, kept)
            jax.block_until_ready(state.dones)
        lent.forget()
        learned, amp_state = lent.show((learned, amp_state))
        store_update(model, learned.actor, learned.critics, amp_state)
        model.key = learned.key
        self.source.functional_state, model._last_obs = state.env, state.env.obs
        self._show_critic(state.env)
        self._given = jax.tree.leaves(state.env)
        host = jax.device_get(
            (state.dones, state.key, state.noise_key, learned.task_paid, metrics, summary)
        )
        dones, policy.key, policy.noise_key, task_paid, metrics, summary = host
        model._last_episode_starts, model.task_paid = np.array(dones), bool(task_paid)
        return metrics, summary

    def _show_critic(self, states: Any) -> None:
        """Give the model what its critic sees beside the last observations."""
        if self._model.critic_obs:
            self._model._last_critic_obs = states.critic_obs

    def _reference(self) -> Any:
        """The reference's sampler on all devices."""
        learner = self._model.learner
        sampler = None if learner is None else learner.sampler
        if self._sampler[0] is not sampler:
            place = self._devices.place
            placed = jax.tree.map(lambda leaf: place(leaf, split=False), sampler)
            self._sampler = (sampler, placed)
        return self._sampler[1]

    def _borrow(self) -> Any:
        """The environments' states, for this loop alone: they are donated to the program."""
        states = self.source.functional_state
        leaves = jax.tree.leaves(states)
        ours = len(leaves) == len(self._given) and all(
            one is other for one, other in zip(leaves, self._given, strict=True)
        )
        return states if ours else jax.tree.map(jnp.array, states)

    def _record_episodes(self, summary: Summary) -> None:
        """Give SB3's statistics the newest episodes, in the order in which they ended."""
        count = min(int(summary.num_episodes), len(summary.episodes["r"]))
        if not count:
            return
        now = self._model.env.seconds
        newest = {name: values[-count:].tolist() for name, values in summary.episodes.items()}
        infos: list[dict[str, Any]] = []
        for place in range(count):
            r, length = float(newest["r"][place]), int(newest["l"][place])
            info: dict[str, Any] = {"episode": {"r": r, "l": length, "t": now}}
            if "is_success" in newest:
                info["is_success"] = newest["is_success"][place]
            infos.append(info)
        self._model._update_info_buffer(infos, np.ones(count, bool))

    def _show(self, summary: Summary) -> None:
        """Give the adapter what it shows after a step: here, means over the call."""
        env = self._model.env
        env.batch_infos = {name: values.mean(axis=0) for name, values in summary.infos.items()}
        env._episode_returns[:] = summary.episode_returns[-1]
        env._episode_lengths[:] = summary.episode_lengths[-1]
