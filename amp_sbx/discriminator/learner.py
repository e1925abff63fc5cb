"""`AMPLearner`: the discriminator's state with its config, reference and controller."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from amp_sbx.common.errors import FeatureError, NonFiniteError
from amp_sbx.common.mirror import feature_reflection
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.controller import Controller
from amp_sbx.discriminator.health import HealthMonitor
from amp_sbx.discriminator.normalizer import Normalizer, fit_normalizer
from amp_sbx.discriminator.reference_check import check_reference
from amp_sbx.discriminator.sampler import ReferenceSampler, make_sampler
from amp_sbx.discriminator.state import (
    AMPState,
    compiled_config,
    discriminator_scores,
    init_state,
    style_rewards,
)
from amp_sbx.discriminator.update import all_finite, commit, train_discriminator
from amp_sbx.reference.features import ReferenceFeatures
from amp_sbx.reference.held_out import hold_out, with_mirror_images

_rewards_jit = jax.jit(style_rewards, static_argnums=0)
_scores_jit = jax.jit(discriminator_scores, static_argnums=0)


@partial(jax.jit, static_argnums=0, donate_argnums=1)
def _update_jit(
    config: AMPConfig, state: AMPState, amp_obs: Array, reference: ReferenceSampler
) -> tuple:
    new_state, samples, metrics = train_discriminator(config, state, amp_obs, reference)
    ok = all_finite((new_state.params, metrics["disc_loss"]))
    return commit(state, new_state, samples, ok), metrics, ok


class AMPLearner:
    """A discriminator that learns to separate a reference from a policy.

    Args:
        config: AMP settings.
        reference: motion to imitate. None: a learner that scores after `restore`, but cannot learn.
        seed: seed or PRNG key of the initial weights and of all sampling.
        feature_dim: number of columns of `amp_obs`; needed only without a reference.
        mirror: the environment's `mirror`; needed for `config.symmetry`.

    Attributes:
        controller: judges the discriminator and applies the config's schedules.
        compiled_config: the settings that shape the compiled functions.
        state: the learning state.

    Raises:
        FeatureError: the reference is not suitable (see `check_reference`), or its layout has no
            channel of `amp.reintroduce`.
        ConfigError: `config.symmetry` without a mirror of the AMP observations.

    Example:
        >>> learner = AMPLearner(AMPConfig(batch_size=256), reference)
        >>> metrics = learner.update(policy_amp_obs)
        >>> rewards = learner.rewards(policy_amp_obs)
    """

    def __init__(
        self,
        config: AMPConfig,
        reference: ReferenceFeatures | None,
        seed: int | Array = 0,
        feature_dim: int | None = None,
        mirror: Mapping[str, Any] | None = None,
    ) -> None:
        self.config = config
        self.compiled_config = compiled_config(config)
        self._reflection: tuple[np.ndarray, np.ndarray] | None = None
        if reference is not None and config.symmetry:
            self._reflection = feature_reflection(mirror, reference.feature_dim)
        if reference is not None:
            shown = self._with_images(reference)
            normalizer = fit_normalizer(
                shown.features, shown.weights, config.feature_min_std, config.feature_clip
            )
        elif feature_dim is not None:
            normalizer = Normalizer(
                jnp.zeros(feature_dim), jnp.ones(feature_dim), config.feature_clip
            )
        else:
            raise FeatureError(
                "AMPLearner needs a reference, or feature_dim to be restored from a checkpoint."
            )
        self.reference = reference
        self.controller = Controller(config, None if reference is None else reference.layout)
        self._sampler: ReferenceSampler | None = None
        self.state = init_state(
            self.compiled_config,
            normalizer,
            jax.random.PRNGKey(seed) if isinstance(seed, int) else seed,
        )
        if reference is not None:
            check_reference(config, reference, normalizer)
            self.state = replace(self.state, mask=self.controller.first_mask(self.feature_dim))

    @property
    def health(self) -> HealthMonitor:
        """Metrics and verdict of the iterations so far."""
        return self.controller.health

    @property
    def feature_dim(self) -> int:
        """Number of columns of `amp_obs`."""
        return self.state.normalizer.mean.shape[0]

    @property
    def sampler(self) -> ReferenceSampler:
        """Sampler of the normalized reference.

        Raises:
            FeatureError: there is no reference.
        """
        if self.reference is None:
            raise FeatureError(
                "this model has no reference, so it can act but not learn; "
                "pass reference= when loading it."
            )
        if self._sampler is None:
            learned, held_out = hold_out(self.reference, self.config.held_out_fraction)
            held_out = None if held_out is None else self._with_images(held_out)
            self._sampler = make_sampler(
                self._with_images(learned), self.state.normalizer, held_out, self._reflection
            )
        return self._sampler

    def _with_images(self, reference: ReferenceFeatures) -> ReferenceFeatures:
        if self._reflection is None:
            return reference
        return with_mirror_images(reference, *self._reflection)

    def restore(self, state: AMPState) -> None:
        """Continue from a loaded state. Its normalizer is kept for the present reference.

        Raises:
            FeatureError: the reference is out of range for that normalizer.
        """
        if self.reference is not None:
            check_reference(self.config, self.reference, state.normalizer)
        self.state = state
        self._sampler = None

    def style_weight(self, num_timesteps: int) -> float:
        """Weight of the style reward after `num_timesteps` environment steps."""
        return self.config.style_weight(self.controller.ramp_clock(num_timesteps))

    def observe(
        self,
        metrics: Mapping[str, float],
        num_timesteps: int,
        steps: int,
        task_reward: float,
        episodes: Sequence[Mapping] | None,
    ) -> dict[str, float]:
        """Judge an iteration and apply the config's schedules (see `Controller.observe`).

        Args:
            metrics: the iteration's `amp/*`.
            num_timesteps: environment steps so far.
            steps: environment steps of this iteration.
            task_reward: mean raw task reward per step.
            episodes: SB3's `ep_info_buffer`.

        Returns:
            More metrics for `amp/*`.
        """
        known = {**metrics, "task_reward": task_reward}
        if episodes:
            known["episode_length"] = float(np.mean([info["l"] for info in episodes]))
        self.state, more = self.controller.observe(self.state, known, num_timesteps, steps)
        return more

    def scores(self, amp_obs: np.ndarray) -> np.ndarray:
        """Discriminator scores (samples,) of raw AMP observations (samples, feature_dim)."""
        return np.asarray(
            _scores_jit(self.compiled_config, self.state, jnp.asarray(amp_obs, jnp.float32))
        )

    def rewards(self, amp_obs: np.ndarray) -> np.ndarray:
        """Style rewards (samples,) of raw AMP observations (samples, feature_dim)."""
        return np.asarray(
            _rewards_jit(self.compiled_config, self.state, jnp.asarray(amp_obs, jnp.float32))
        )

    def update(self, amp_obs: np.ndarray) -> dict[str, float]:
        """Train the discriminator on one rollout.

        Args:
            amp_obs: raw AMP observations (samples, feature_dim) of the policy.

        Returns:
            The metrics of `amp/*`.

        Raises:
            NonFiniteError: the update has NaN or infinity; the state is unchanged.
        """
        samples = jnp.asarray(amp_obs, jnp.float32)
        self.state, metrics, ok = _update_jit(
            self.compiled_config, self.state, samples, self.sampler
        )
        if not ok:
            raise NonFiniteError(
                "the discriminator's update is not finite and was not applied; check the AMP "
                f"observations (finite: {bool(jnp.isfinite(samples).all())}), amp.disc_lr and "
                "the gradient penalty."
            )
        return {name: float(value) for name, value in jax.device_get(metrics).items()}
