"""`AMPLearner`: the discriminator's state with its config, its reference and its oversight."""

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
from amp_sbx.discriminator.controller import Oversight
from amp_sbx.discriminator.health import HealthMonitor
from amp_sbx.discriminator.normalizer import Normalizer, fit_normalizer
from amp_sbx.discriminator.reference_check import check_reference
from amp_sbx.discriminator.sampler import ReferenceSampler, make_sampler
from amp_sbx.discriminator.update import (
    AMPState,
    all_finite,
    commit,
    discriminator_scores,
    init_state,
    style_rewards,
    train_discriminator,
)
from amp_sbx.reference.features import ReferenceFeatures, hold_out, with_images


@partial(jax.jit, static_argnums=0)
def _rewards_jit(config: AMPConfig, state: AMPState, features: Array) -> Array:
    return style_rewards(config, state, features)


_scores_jit = jax.jit(discriminator_scores, static_argnums=0)


@partial(jax.jit, static_argnums=0, donate_argnums=1)
def _update_jit(
    config: AMPConfig, state: AMPState, features: Array, reference: ReferenceSampler
) -> tuple:
    new_state, samples, metrics = train_discriminator(config, state, features, reference)
    ok = all_finite((new_state.params, metrics["disc_loss"]))
    return commit(state, new_state, samples, ok), metrics, ok


class AMPLearner:
    """Holder of an `AMPState` with its config and reference.

    Args:
        config: settings.
        reference: motion to imitate; None gives a learner that can score (once a checkpoint's state is restored into
            it) but not learn.
        seed: of the initial weights and of all sampling; a number or a PRNG key.
        feature_dim: needed only without a reference.
        mirror: what the environment declares as its reflection; needed with a reference where `config.symmetry` is on.

    Attributes:
        oversight: judges the discriminator, and remembers what it has done about it.

    Raises:
        FeatureError: the reference is not fit to learn from (`reference_check`), or `amp.reintroduce` not to its layout.
        ConfigError: `config.symmetry` without a reflection of the features.
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
        self._reflection: tuple[np.ndarray, np.ndarray] | None = None
        if reference is not None and config.symmetry:
            self._reflection = feature_reflection(mirror, reference.feature_dim)
        if reference is not None:
            shown = self._shown(reference)
            normalizer = fit_normalizer(
                shown.features, shown.weights, config.feature_min_std, config.feature_clip
            )
        elif feature_dim is not None:
            normalizer = Normalizer(
                jnp.zeros(feature_dim), jnp.ones(feature_dim), config.feature_clip
            )
        else:
            raise FeatureError(
                "AMPLearner needs a reference, or a feature_dim to be restored from a checkpoint."
            )
        self.reference = reference
        self.oversight = Oversight(config, None if reference is None else reference.layout)
        self._sampler: ReferenceSampler | None = None
        self.state = init_state(
            config, normalizer, jax.random.PRNGKey(seed) if isinstance(seed, int) else seed
        )
        if reference is not None:
            check_reference(config, reference, normalizer)
            self.state = replace(self.state, mask=self.oversight.first_mask(self.feature_dim))

    @property
    def health(self) -> HealthMonitor:
        """Figures and verdict of the iterations so far."""
        return self.oversight.health

    @property
    def feature_dim(self) -> int:
        return self.state.normalizer.mean.shape[0]

    @property
    def sampler(self) -> ReferenceSampler:
        """The reference, normalised with the state's normaliser, on the device. Raises `FeatureError` without one."""
        if self.reference is None:
            raise FeatureError(
                "no reference features: this model can act but not learn; pass reference= when loading."
            )
        if self._sampler is None:
            learned, held_out = hold_out(self.reference, self.config.held_out_fraction)
            held_out = None if held_out is None else self._shown(held_out)
            self._sampler = make_sampler(
                self._shown(learned), self.state.normalizer, held_out, self._reflection
            )
        return self._sampler

    def _shown(self, rows: ReferenceFeatures) -> ReferenceFeatures:
        """With their mirror images, where the discriminator is to see those."""
        return rows if self._reflection is None else with_images(rows, *self._reflection)

    def restore(self, state: AMPState) -> None:
        """Take over a loaded state. Its normaliser stays in force, whatever the present reference's statistics are."""
        if self.reference is not None:
            check_reference(self.config, self.reference, state.normalizer)
        self.state = state
        self._sampler = None

    def style_weight(self, num_timesteps: int) -> float:
        """Weight of the style reward after so many environment steps."""
        return self.config.style_weight(self.oversight.clock(num_timesteps))

    def observe(
        self,
        metrics: Mapping[str, float],
        num_timesteps: int,
        steps: int,
        task_reward: float,
        episodes: Sequence[Mapping] | None,
    ) -> dict[str, float]:
        """After an iteration: judge the discriminator by its figures, and do what the config says is to follow.

        Args:
            metrics: the iteration's `amp/*`.
            num_timesteps: environment steps so far, `steps` of them in this iteration.
            task_reward: mean raw task reward a step.
            episodes: SB3's `ep_info_buffer`, what is known of the last episodes.

        Returns:
            Further figures for `amp/*`.
        """
        known = (
            {"episode_length": float(np.mean([info["l"] for info in episodes]))} if episodes else {}
        )
        figures = {**metrics, "task_reward": task_reward, **known}
        self.state, more = self.oversight.observe(self.state, figures, num_timesteps, steps)
        return more

    def scores(self, features: np.ndarray) -> np.ndarray:
        """The discriminator's output (samples,) for raw features (samples, feature_dim)."""
        return np.asarray(_scores_jit(self.config, self.state, jnp.asarray(features, jnp.float32)))

    def rewards(self, features: np.ndarray) -> np.ndarray:
        """Style rewards (samples,) of raw features (samples, feature_dim) under the discriminator in force."""
        return np.asarray(_rewards_jit(self.config, self.state, jnp.asarray(features, jnp.float32)))

    def update(self, features: np.ndarray) -> dict[str, float]:
        """Train the discriminator on one rollout's raw features; returns the metrics of `amp/*`.

        Raises:
            NonFiniteError: NaN or infinity turned up; the state is unchanged.
        """
        rows = jnp.asarray(features, jnp.float32)
        self.state, metrics, ok = _update_jit(self.config, self.state, rows, self.sampler)
        if not ok:
            raise NonFiniteError(
                "the discriminator's update is not finite and was not applied; check the features "
                f"(finite: {bool(jnp.isfinite(rows).all())}), amp.disc_lr and the gradient penalty."
            )
        return {name: float(value) for name, value in jax.device_get(metrics).items()}
