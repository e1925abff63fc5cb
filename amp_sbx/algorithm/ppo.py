"""`AMPPPO`: SBX's PPO with one compiled call per learning iteration, and AMP when a reference is given."""

import io
import pathlib
import warnings
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import jax
import numpy as np
from flax.training.train_state import TrainState
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from sbx import PPO
from sbx.ppo.policies import CnnPolicy, PPOPolicy
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.type_aliases import GymEnv, MaybeCallback
from stable_baselines3.common.utils import FloatSchedule
from stable_baselines3.common.vec_env import VecEnv

from amp_sbx.algorithm import persistence as model_io
from amp_sbx.algorithm.cloning import CloningConfig, clone
from amp_sbx.algorithm.collect import TimeoutBootstrap, make_rollout, predict_values, sample_actions
from amp_sbx.algorithm.policy_kwargs import describe, resolve
from amp_sbx.algorithm.symmetry import SymmetricActor
from amp_sbx.algorithm.update import CAUSES, Critics, Hyperparameters, Settings, iteration_jit
from amp_sbx.common.checks import reject_unknown
from amp_sbx.common.errors import AMPError, ConfigError, FeatureError, NonFiniteError
from amp_sbx.common.mirror import Mirror, declared_mirror, observations_normalized
from amp_sbx.common.schedules import Schedule, parse_schedule
from amp_sbx.common.vec_env import GymnasiumVecEnv
from amp_sbx.common.vec_infos import amp_layout, amp_observations, check_width
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.learner import AMPLearner
from amp_sbx.reference.features import ReferenceFeatures, check_layouts

SelfAMPPPO = TypeVar("SelfAMPPPO", bound="AMPPPO")


def _strip_weak_type(leaf: Any) -> Any:
    """A fixed dtype on every leaf: a weakly typed one would compile the update a second time after the first call."""
    return jax.lax.convert_element_type(leaf, jax.numpy.result_type(leaf))


class AMPPPO(PPO):
    """Proximal policy optimisation with adversarial motion priors (Peng et al. 2021, arXiv:2104.02180).

    An SB3 algorithm like any other: `learn`, `predict`, `save`, `load`, callbacks, loggers. Parameters are those of
    `sbx.PPO`, and:

    Args:
        amp: AMP settings (`AMPConfig` or a dict of its fields); None is plain PPO.
        reference: motion to imitate, `ReferenceFeatures` or a (num_samples, feature_dim) array. AMP needs both.
        learning_rate, clip_range, clip_range_vf: a number, 'lin_3e-4' (linear to 0), or a callable of the remaining
            progress.
        policy_kwargs: `activation_fn` and `optimizer_class` may be names ('elu', 'tanh', 'relu', 'silu', 'adam', ...).
        env: also a `gymnasium.vector.VectorEnv` (it is wrapped into `GymnasiumVecEnv`). For AMP it offers the
            features of each transition as a batched `amp_obs` or as `info["amp_obs"]`.

        symmetric_policy: make the policy symmetric by construction (see
            `amp_sbx.algorithm.symmetry`); the environment declares its reflection as `mirror`.

    Differences from `sbx.PPO`: `clip_range_vf` works; `train/*` are means over the iteration; a rest that does not fill
    a minibatch is dropped from each shuffle; files hold no pickle.

    Attributes:
        layout: the environment's `amp_layout`, if it declares one; the reference's and a checkpoint's must equal it.
        mirror: the reflection of a symmetric policy.
        style_critic: the style return's own critic, where `amp.critic` is 'separate'.
        extra: JSON-able dict of the caller's, saved and loaded with the model.
    """

    def __init__(
        self,
        policy: str | type[PPOPolicy],
        env: GymEnv | VectorEnv | str | None,
        learning_rate: float | str | Schedule = 3e-4,
        n_steps: int = 2048,
        batch_size: int = 64,
        n_epochs: int = 10,
        gamma: float = 0.99,
        gae_lambda: float = 0.95,
        clip_range: float | str | Schedule = 0.2,
        clip_range_vf: float | str | Schedule | None = None,
        normalize_advantage: bool = True,
        ent_coef: float = 0.0,
        vf_coef: float = 0.5,
        max_grad_norm: float = 0.5,
        use_sde: bool = False,
        sde_sample_freq: int = -1,
        rollout_buffer_class: type[RolloutBuffer] | None = None,
        rollout_buffer_kwargs: dict[str, Any] | None = None,
        target_kl: float | None = None,
        tensorboard_log: str | None = None,
        policy_kwargs: dict[str, Any] | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: str = "auto",
        _init_setup_model: bool = True,
        *,
        amp: AMPConfig | Mapping[str, Any] | None = None,
        reference: ReferenceFeatures | np.ndarray | None = None,
        symmetric_policy: bool = False,
    ) -> None:
        for name, value, low in (
            ("n_steps", n_steps, 1),
            ("n_epochs", n_epochs, 1),
            ("batch_size", batch_size, 2),
        ):
            if not isinstance(value, (int, np.integer)) or value < low:
                raise ConfigError(
                    f"{name} is {value!r}; it must be a whole number, at least {low}."
                )
        clip_range_vf = (
            None if clip_range_vf is None else parse_schedule(clip_range_vf, "clip_range_vf")
        )
        if isinstance(clip_range_vf, float) and not clip_range_vf >= 0:
            raise ConfigError(
                f"clip_range_vf is {clip_range_vf}; it cannot be negative, and None leaves values unclipped."
            )
        self.amp = AMPConfig.coerce(amp)
        self.reference = ReferenceFeatures.coerce(reference)
        if (self.amp is None) != (self.reference is None) and _init_setup_model:
            given, lacking = (
                ("amp", "reference") if self.reference is None else ("reference", "amp")
            )
            warnings.warn(
                f"{given} is given without {lacking}: this is plain PPO, no AMP.", stacklevel=2
            )
        self.symmetric_policy = symmetric_policy
        self.mirror: Mirror | None = None
        self.learner: AMPLearner | None = None
        self.layout: dict[str, Any] | None = None
        self.extra: dict[str, Any] = {}
        self._amp_obs: np.ndarray | None = None
        self.style_critic: TrainState | None = None
        self.task_paid = False  # whether any task reward was other than 0
        self._bootstrap: list[np.ndarray] | None = None  # by each critic
        with warnings.catch_warnings():
            # SBX announces a truncated last minibatch; here the rest is dropped, and _check_batch_size says so.
            warnings.filterwarnings("ignore", message="You have specified a mini-batch size")
            super().__init__(
                policy,
                env,  # type: ignore[arg-type]
                learning_rate=parse_schedule(learning_rate, "learning_rate"),
                n_steps=n_steps,
                batch_size=batch_size,
                n_epochs=n_epochs,
                gamma=gamma,
                gae_lambda=gae_lambda,
                clip_range=parse_schedule(clip_range, "clip_range"),
                clip_range_vf=clip_range_vf,
                normalize_advantage=normalize_advantage,
                ent_coef=ent_coef,
                vf_coef=vf_coef,
                max_grad_norm=max_grad_norm,
                use_sde=use_sde,
                sde_sample_freq=sde_sample_freq,
                rollout_buffer_class=rollout_buffer_class,
                rollout_buffer_kwargs=rollout_buffer_kwargs,
                target_kl=target_kl,
                tensorboard_log=tensorboard_log,
                policy_kwargs=resolve(policy_kwargs),
                verbose=verbose,
                seed=seed,
                device=device,
                _init_setup_model=_init_setup_model,
            )

    @staticmethod
    def _wrap_env(env: Any, verbose: int = 0, monitor_wrapper: bool = True) -> VecEnv:
        if isinstance(env, VectorEnv):
            env = GymnasiumVecEnv(env)
        return PPO._wrap_env(env, verbose, monitor_wrapper)

    def _setup_model(self) -> None:
        super()._setup_model()
        self._warn_if_unstorable()
        states = (self.policy.actor_state, self.policy.vf_state)
        self.policy.actor_state, self.policy.vf_state = jax.tree.map(_strip_weak_type, states)
        self.clip_range_vf_schedule = (
            None if self.clip_range_vf is None else FloatSchedule(self.clip_range_vf)
        )
        self._batch_size = self._check_batch_size()
        if self.env is not None:
            self.layout = self._layout_with(self.env)
            if self.symmetric_policy:
                self.mirror = Mirror.of(self.env)
        if self.mirror is not None:
            actor = self.policy.actor_state
            self.policy.actor_state = actor.replace(
                apply_fn=SymmetricActor(actor.apply_fn, self.mirror)
            )
        if self.amp is not None and self.amp.critic == "separate":
            self.style_critic = self._fresh_style_critic()
        if self.amp is not None and self.reference is not None:
            self.key, amp_key = jax.random.split(self.key)
            if self.reference.layout is None and self.layout is not None:
                self.reference = replace(
                    self.reference, layout=self.layout
                )  # the environment's names for its columns
            if self.env is None and self.amp.symmetry:
                raise ConfigError(
                    "amp.symmetry needs the environment's `mirror`: give env= together with reference=."
                )
            mirror = None if self.env is None else declared_mirror(self.env)
            self.learner = AMPLearner(self.amp, self.reference, amp_key, mirror=mirror)

    def _warn_if_unstorable(self) -> None:
        """Better before the training than at its end, by `save`."""
        try:
            describe(self.policy_kwargs)
        except ConfigError as error:
            warnings.warn(f"this model can learn, but not be saved: {error}", stacklevel=4)

    @property
    def _critics(self) -> Critics:
        """The critic of all rewards; or the task's and the style's."""
        if self.style_critic is None or self.learner is None:
            return (self.policy.vf_state,)
        return (self.policy.vf_state, self.style_critic)

    def _fresh_style_critic(self) -> TrainState:
        """A critic like the policy's own, with other weights and a fresh optimiser.

        Raises:
            ConfigError: the policy's critic shares its features with the actor.
        """
        if isinstance(self.policy, CnnPolicy):
            raise ConfigError(
                "amp.critic is 'separate', but CnnPolicy's critic shares the actor's CNN; allowed: 'shared'."
            )
        self.key, key = jax.random.split(self.key)
        like = self.policy.vf_state
        params = self.policy.vf.init(key, jax.numpy.asarray([self.observation_space.sample()]))
        return jax.tree.map(
            _strip_weak_type, like.replace(params=params, opt_state=like.tx.init(params))
        )

    def _check_batch_size(self) -> int:
        """The minibatch size in use: at most the whole rollout. Warns once of samples left out."""
        total = self.n_steps * self.n_envs
        size = min(self.batch_size, total)
        if self.env is not None and total % size:
            warnings.warn(
                f"batch_size {size} does not divide n_steps * n_envs = {total}: every epoch leaves out {total % size} "
                "samples, others each time. Choose a divisor to use them all.",
                stacklevel=4,
            )
        return size

    def _layout_with(self, env: VecEnv) -> dict[str, Any] | None:
        """The feature layout that model, environment and reference agree on; raises `FeatureError` where they do not."""
        if self.amp is None:
            return self.layout
        declared, reference = (
            amp_layout(env),
            None if self.reference is None else self.reference.layout,
        )
        check_layouts(self.layout, declared, "model", "environment")
        layout = declared or self.layout
        check_layouts(reference, layout, "reference", "environment")
        return layout or reference

    def set_env(self, env: GymEnv, force_reset: bool = True) -> None:
        """As SB3's; raises `FeatureError` when the new environment declares another AMP feature layout."""
        wrapped = self._wrap_env(env, self.verbose)
        layout = self._layout_with(wrapped)
        if self.symmetric_policy and Mirror.of(wrapped) != self.mirror:
            raise ConfigError(
                "this environment's `mirror` is another than the one the symmetric policy was made with."
            )
        super().set_env(wrapped, force_reset)
        self.layout = layout

    def _update_current_progress_remaining(self, num_timesteps: int, total_timesteps: int) -> None:
        """As SB3's, but not below 0 in the rollout that goes beyond the end: a schedule would give a negative rate."""
        super()._update_current_progress_remaining(num_timesteps, total_timesteps)
        self._current_progress_remaining = max(self._current_progress_remaining, 0.0)

    def collect_rollouts(
        self,
        env: VecEnv,
        callback: BaseCallback,
        rollout_buffer: RolloutBuffer,
        n_rollout_steps: int,
    ) -> bool:
        """Fill `rollout_buffer` with `n_rollout_steps` of every environment; False if a callback stopped it.

        Same order of events and same local names for callbacks as SBX. Rewards are stored raw; style reward, bootstrap
        and advantages follow in `train`.
        """
        if self._last_obs is None:
            raise AMPError(
                "collect_rollouts was called before the environment was reset; call learn()."
            )
        policy, n_envs = self.policy, env.num_envs
        is_box = isinstance(self.action_space, spaces.Box)
        low, high = (self.action_space.low, self.action_space.high) if is_box else (None, None)  # type: ignore[attr-defined]
        timeouts = TimeoutBootstrap()
        n_steps = 0
        rollout_buffer.reset()
        if self.use_sde:
            policy.reset_noise()
        callback.on_rollout_start()

        while n_steps < n_rollout_steps:
            resample = (
                not self.use_sde
                or not is_box
                or (self.sde_sample_freq > 0 and n_steps % self.sde_sample_freq == 0)
            )
            obs_tensor, _ = policy.prepare_obs(self._last_obs)  # type: ignore[arg-type]
            *sampled, policy.key, policy.noise_key = sample_actions(
                policy.actor_state.apply_fn,
                policy.vf_state.apply_fn,
                resample,
                policy.actor_state.params,
                policy.vf_state.params,
                obs_tensor,
                policy.key,
                policy.noise_key,
            )
            actions, log_probs, values = (np.array(x) for x in jax.device_get(sampled))
            actions = actions.reshape(n_envs, *self.action_space.shape)  # type: ignore[misc]
            # The environment gets clipped actions; the buffer keeps what the distribution really drew, as SB3.
            clipped_actions = np.clip(actions, low, high) if is_box else actions
            # Stored before stepping, so that an environment that reuses its observation buffer does no harm.
            rollout_buffer.observations[n_steps] = obs_tensor.reshape(
                rollout_buffer.observations.shape[1:]
            )

            new_obs, rewards, dones, infos = env.step(clipped_actions)
            self.num_timesteps += n_envs
            callback.update_locals(locals())
            if not callback.on_step():
                return False

            done_ids = np.flatnonzero(dones)
            if done_ids.size:
                self._update_info_buffer([infos[index] for index in done_ids], dones[done_ids])
                timeouts.record(n_steps, done_ids, infos)
            if self.learner is not None:
                self._store_amp_observations(env, infos, n_steps)
            rollout_buffer.actions[n_steps] = actions.reshape(n_envs, -1)
            rollout_buffer.rewards[n_steps] = rewards
            rollout_buffer.episode_starts[n_steps] = self._last_episode_starts
            rollout_buffer.values[n_steps] = values
            rollout_buffer.log_probs[n_steps] = log_probs
            n_steps += 1
            rollout_buffer.pos = n_steps
            self._last_obs, self._last_episode_starts = new_obs, dones  # type: ignore[assignment]

        rollout_buffer.full = True
        self._bootstrap = [
            timeouts.values(
                rollout_buffer.rewards.shape,
                lambda observations: policy.prepare_obs(observations)[0],
                partial(predict_values, critic.apply_fn, critic.params),
                self.gamma,
            )
            for critic in self._critics
        ]
        callback.update_locals(locals())
        callback.on_rollout_end()
        return True

    def _store_amp_observations(self, env: VecEnv, infos: list[dict[str, Any]], step: int) -> None:
        features = amp_observations(env, infos, env.num_envs)
        dim = self.learner.feature_dim  # type: ignore[union-attr]
        check_width(features, dim)
        shape = (self.n_steps, env.num_envs, dim)
        if self._amp_obs is None or self._amp_obs.shape != shape:
            self._amp_obs = np.zeros(shape, dtype=np.float32)
        self._amp_obs[step] = features

    def train(self) -> None:
        """One iteration of learning in one compiled call (`update.iteration`), then the logs.

        Raises:
            NonFiniteError: NaN or infinity in features, rewards or an update; all parameters are as before.
        """
        progress = self._current_progress_remaining
        adaptive = self.target_kl is not None
        rate = self.adaptive_lr.current_adaptive_lr if adaptive else self.lr_schedule(progress)
        clip_range = self.clip_range_schedule(progress)
        clip_range_vf = (
            None if self.clip_range_vf_schedule is None else self.clip_range_vf_schedule(progress)
        )
        learner = self.learner
        style_weight = learner.style_weight(self.num_timesteps) if learner else 0.0
        # A critic of its own has its advantages normalised: of a task that never paid they are its error alone, scaled up.
        self.task_paid = self.task_paid or bool(self.rollout_buffer.rewards.any())
        task_fraction = learner.config.task_fraction(style_weight) if learner else 1.0
        self.key, key = jax.random.split(self.key)
        actor_state, critics, amp_state, metrics = iteration_jit(
            Settings(
                n_epochs=self.n_epochs,
                batch_size=self._batch_size,
                normalize_advantage=self.normalize_advantage,
                target_kl=self.target_kl,
                share_features_extractor=isinstance(self.policy, CnnPolicy),
            ),
            learner.config if learner else None,
            self.policy.actor_state,
            self._critics,
            learner.state if learner else None,
            make_rollout(
                self.rollout_buffer,
                bootstraps=self._bootstrap,
                last_observations=self.policy.prepare_obs(self._last_obs)[0],  # type: ignore[arg-type]
                last_dones=self._last_episode_starts,
                amp_obs=None if learner is None else self._amp_obs,
            ),
            learner.sampler if learner else None,
            Hyperparameters(
                learning_rate=float(rate),
                clip_range=clip_range,
                clip_range_vf=clip_range_vf,
                ent_coef=float(self.ent_coef),
                vf_coef=float(self.vf_coef),
                gamma=float(self.gamma),
                gae_lambda=float(self.gae_lambda),
                style_weight=float(style_weight),
                task_weight=task_fraction if self.task_paid else 0.0,
            ),
            key,
        )
        self.policy.actor_state, self.policy.vf_state = actor_state, critics[0]
        if len(critics) > 1:
            self.style_critic = critics[1]
        if learner is not None:
            learner.state = amp_state  # the old one was donated
        metrics = jax.device_get(metrics)
        broken = sorted(
            (name for name, ok in metrics["finite"].items() if not ok), key=CAUSES.index
        )
        if broken:
            raise NonFiniteError(
                f"NaN or infinity in: {', '.join(broken)}. "
                "This update was not applied, all parameters are as before it. "
                "Look at the first one named: the environment's numbers, or too high a learning rate."
            )
        if adaptive:
            self.adaptive_lr.current_adaptive_lr = float(metrics["train"]["learning_rate"])
        self._n_updates += self.n_epochs
        self._log(metrics, clip_range, clip_range_vf, style_weight)

    def _log(
        self, metrics: dict, clip_range: float, clip_range_vf: float | None, style_weight: float
    ) -> None:
        for name, value in metrics["train"].items():
            self.logger.record(f"train/{name}", float(value))
        log_std = self.policy.actor_state.params["params"].get("log_std")
        if log_std is not None:
            self.logger.record("train/std", float(np.exp(np.asarray(log_std)).mean()))
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/clip_range", clip_range)
        if clip_range_vf is not None:
            self.logger.record("train/clip_range_vf", clip_range_vf)
        if self.learner is not None:
            amp = {name: float(value) for name, value in metrics["amp"].items()}
            rewards = self.rollout_buffer.rewards
            amp |= self.learner.observe(
                amp, self.num_timesteps, rewards.size, float(rewards.mean()), self.ep_info_buffer
            )
            for name, value in amp.items():
                self.logger.record(f"amp/{name}", value)
            self.logger.record("amp/weight", style_weight)

    def learn(
        self: SelfAMPPPO,
        total_timesteps: int,
        callback: MaybeCallback = None,
        log_interval: int = 1,
        tb_log_name: str = "AMPPPO",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> SelfAMPPPO:
        """Collect and learn until `total_timesteps` environment steps; see SB3. Needs the reference when AMP is on."""
        if self.learner is not None and self.learner.reference is None:
            raise FeatureError(
                "this model was loaded without its reference; pass reference= to load() to go on learning."
            )
        if self.learner is not None:
            done = 0 if reset_num_timesteps else self.num_timesteps
            self.learner.controller.begin(done, done + total_timesteps)
        return super().learn(
            total_timesteps, callback, log_interval, tb_log_name, reset_num_timesteps, progress_bar
        )

    def collect_amp_observations(self) -> np.ndarray:
        """AMP observations (n_steps * num_envs, feature) of one more rollout, from which nothing is learned.

        Environments, random keys and the rollout buffer move on; counters and parameters stay.

        Raises:
            FeatureError: this model has no discriminator.
        """
        if self.learner is None or self.env is None:
            raise FeatureError(
                "AMP observations need amp= and an environment; this model has none."
            )
        if self._last_obs is None:
            self._last_obs = self.env.reset()  # type: ignore[assignment]
            self._last_episode_starts = np.ones(self.env.num_envs, dtype=bool)
        steps, episodes, successes = self.num_timesteps, self.ep_info_buffer, self.ep_success_buffer
        self.ep_info_buffer, self.ep_success_buffer = deque(), deque()
        try:
            self.collect_rollouts(
                self.env, self._init_callback(None), self.rollout_buffer, self.n_steps
            )
        finally:
            self.num_timesteps, self.ep_info_buffer, self.ep_success_buffer = (
                steps,
                episodes,
                successes,
            )
        return np.array(self._amp_obs).reshape(-1, self.learner.feature_dim)

    def clone_behavior(
        self,
        observations: np.ndarray,
        actions: np.ndarray,
        config: CloningConfig | Mapping[str, Any] | None = None,
    ) -> float:
        """Fit the fresh policy to demonstrated steps before `learn` (see `amp_sbx.algorithm.cloning`).

        Args:
            observations, actions: (num_steps, ...) of the environment's spaces. Actions as the policy is to emit them;
                they are not clipped.
            config: `CloningConfig` or a dict of its fields.

        Returns:
            Root-mean-square error of the action that is left, with noisy observations.

        Raises:
            ConfigError: wrong settings, an action space that is no Box, or observations that `VecNormalize` scales.
            FeatureError: demonstrations of another shape, or not finite.
            NonFiniteError: the fit diverged; the policy is as before.
        """
        config = CloningConfig.coerce(config)
        if not isinstance(self.action_space, spaces.Box):
            raise ConfigError(
                f"behaviour cloning needs a Box action space; this one is {self.action_space}."
            )
        if self.env is not None and observations_normalized(self.env):
            raise ConfigError(
                "behaviour cloning fits the policy to raw observations, and VecNormalize will show it others; make it with"
                " norm_obs=False."
            )
        for name, values, space in (
            ("observations", observations, self.observation_space),
            ("actions", actions, self.action_space),
        ):
            if np.shape(values)[1:] != space.shape:
                wanted = ", ".join(map(str, ("num_steps", *(space.shape or ()))))
                raise FeatureError(
                    f"demonstrated {name} have shape {np.shape(values)}; expected ({wanted})."
                )
        self.key, key = jax.random.split(self.key)
        self.policy.actor_state, error = clone(
            config, self.policy.actor_state, np.asarray(observations), np.asarray(actions), key
        )
        return error

    def save(
        self,
        path: str | pathlib.Path | io.BufferedIOBase,
        exclude: Iterable[str] | None = None,
        include: Iterable[str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the model to a zip of JSON and arrays, atomically; nothing in it executes on load.

        Args:
            path: file (".zip" is added when it has no suffix) or a binary stream.
            exclude: "replay_buffer" leaves out the discriminator's history (up to 100 MB): a loaded model starts a
                new one. Other names, which SB3 knows, have no meaning here.
            include: accepted for SB3's sake.
            extra: merged into `self.extra` and stored.

        Raises:
            CheckpointError: nothing was written; an older file of that name is intact.
        """
        merged = {**self.extra, **(extra or {})}
        model_io.save_model(self, path, merged, exclude=frozenset(exclude or ()))
        self.extra = merged  # not before: what cannot be stored would spoil every later save

    @classmethod
    def load(  # type: ignore[override]
        cls: type[SelfAMPPPO],
        path: str | pathlib.Path | io.BufferedIOBase,
        env: GymEnv | VectorEnv | None = None,
        device: str = "auto",
        custom_objects: dict[str, Any] | None = None,
        print_system_info: bool = False,
        force_reset: bool = True,
        **kwargs: Any,
    ) -> SelfAMPPPO:
        """A model from a file of `save`. Acting needs nothing else; learning needs `env` and, with AMP, `reference=`.

        Args:
            path: file or binary stream.
            env: environment to go on with; its spaces and feature layout must be the file's.
            custom_objects, kwargs: constructor arguments that replace the stored ones; with `seed` the random streams
                begin anew. `policy_kwargs` and `symmetric_policy` must equal the stored ones. Those in `custom_objects` that the
                constructor does not know are passed over, as SB3's scripts give them.
            print_system_info: print the library versions of the file.
            force_reset: kept for SB3's sake; a loaded model always starts with a reset.

        Raises:
            CheckpointError: missing, truncated or foreign file, or one that does not fit `env`.
            ConfigError: an unknown argument.
        """
        reject_unknown("load", kwargs, model_io.replaceable(cls))
        overrides = {**(custom_objects or {}), **kwargs}
        return model_io.load_model(cls, path, env, device, overrides, verbose=print_system_info)

    def get_parameters(self) -> dict[str, dict[str, np.ndarray]]:
        """Copies of the learnt arrays by part, each a flat dict of arrays: "actor", "critic", with AMP "discriminator"
        (what normalises its features, too), with `amp.critic: separate` "style_critic"."""
        return model_io.get_arrays(self)

    def set_parameters(  # type: ignore[override]
        self,
        load_path_or_dict: str | dict[str, dict[str, np.ndarray]],
        exact_match: bool = True,
        device: str = "auto",
    ) -> None:
        """Put arrays of `get_parameters` or of a file into this model; `exact_match=False` lets parts be absent on either side.

        With a discriminator comes what normalises its features; where that is another, past policies' samples are forgotten.

        Raises:
            CheckpointError: parts that are missing, arrays that are or that this model does not have, a file of other networks.
            FeatureError: this model's reference is out of range for what normalised the discriminator's.
        """
        model_io.set_arrays(self, load_path_or_dict, exact_match)
