"""`AMPPPO`: SBX's PPO with adversarial motion priors and one compiled call per iteration."""

import warnings
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from flax.training.train_state import TrainState
from gymnasium.vector import VectorEnv
from sbx import PPO
from sbx.ppo.policies import PPOPolicy
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.type_aliases import GymEnv, MaybeCallback
from stable_baselines3.common.utils import FloatSchedule
from stable_baselines3.common.vec_env import VecEnv

from amp_sbx.algorithm import setup
from amp_sbx.algorithm.cloning import CloningConfig, clone_into
from amp_sbx.algorithm.collecting import CollectingPPO
from amp_sbx.algorithm.critic import CriticInputs
from amp_sbx.algorithm.fused_env import check_collect
from amp_sbx.algorithm.fused_loop import FusedLoop
from amp_sbx.algorithm.named_reference import is_named, resolve_reference
from amp_sbx.algorithm.policy_kwargs import resolve
from amp_sbx.algorithm.symmetry import parse_way
from amp_sbx.common.checks import check_flag, check_number
from amp_sbx.common.errors import ConfigError, FeatureError
from amp_sbx.common.memory import within_memory
from amp_sbx.common.mirror import Mirror
from amp_sbx.common.schedules import Schedule, parse_schedule
from amp_sbx.common.vec_env import GymnasiumVecEnv
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.learner import AMPLearner
from amp_sbx.reference.features import ReferenceFeatures

Self = TypeVar("Self", bound="AMPPPO")


class AMPPPO(CollectingPPO):
    """Proximal policy optimization with adversarial motion priors (Peng et al. 2021, 2104.02180).

    An SB3 algorithm with `learn`, `predict`, `save`, `load`, callbacks and loggers. It takes the
    parameters of `sbx.PPO` with these changes and additions:

    Args:
        env: also a `gymnasium.vector.VectorEnv`. For AMP, it offers the AMP observation of each
            step as a batched `amp_obs` or as `info["amp_obs"]`.
        learning_rate: a number, "lin_3e-4" (linear to 0), or a function of the remaining progress.
            A file holds numbers and linear schedules; `save` refuses other functions.
        clip_range: As `learning_rate`.
        clip_range_vf: As `learning_rate`, or None to leave values unclipped.
        policy_kwargs: `activation_fn` and `optimizer_class` may be names such as "elu" or "adam".
        amp: AMP settings, `AMPConfig` or a dict of its fields. None: plain PPO.
        reference: motion to imitate, see `ReferenceFeatures.coerce`, or its name, which the
            environment's `reference_features(name)` looks up. AMP needs `amp` and `reference`.
        symmetric_policy: make the policy symmetric by construction, with the environment's
            `mirror`: "none", "mean" or "equivariant" (see `amp_sbx.algorithm.symmetry`). False is
            "none", True is "equivariant".
        critic_learning_rate: rate of the critics; None: the actor's. A policy that explores little
            needs a small rate of its own, and its critic does not.
        critic_obs: the critic sees the environment's `critic_obs` in place of the observation (see
            `amp_sbx.algorithm.critic`). The environment declares its width as `critic_dim`, and
            returns it as `info["critic_obs"]` from `reset` and `step`.
        collect: "host" steps a vector environment from Python. "fused" runs whole iterations as
            one compiled program on the device, which needs a functional environment (see
            `amp_sbx.common.functional`). "auto" takes "fused" where it can.
        iterations_per_call: iterations in one call of the fused program. Schedules, callbacks and
            logs see one step for each call.
        devices: number of devices that share the fused loop; they divide the environments and the
            minibatches. None takes as many of JAX's as do, or all of several processes.

    Differences from `sbx.PPO`: `clip_range_vf` works, `train/*` are means over the iteration, each
    shuffle drops samples that do not fill a minibatch, and files hold no pickle.

    Attributes:
        learner: the discriminator; None without AMP.
        layout: layout of the AMP observations, if environment or reference declare it.
        mirror: reflection of a symmetric policy.
        critic_inputs: what the critic sees in place of the observation; None: the observation.
        style_critic: critic of the style reward with `amp.critic: separate`.
        extra: JSON-able dict of the caller's, saved with the model.

    Raises:
        ConfigError: a setting is invalid.
        FeatureError: environment and reference have different layouts.

    Example:
        >>> model = AMPPPO("MlpPolicy", env, amp={"weight": 0.4}, reference=reference)
        >>> model.learn(1_000_000, progress_bar=True)
        >>> model.save("my_walk")
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
        reference: Any = None,
        symmetric_policy: str | bool = "none",
        critic_learning_rate: float | None = None,
        critic_obs: bool = False,
        collect: str = "auto",
        iterations_per_call: int = 1,
        devices: int | None = None,
    ) -> None:
        setup.check_sizes(n_steps, n_epochs, batch_size)
        check_collect(collect, iterations_per_call, devices)
        self.amp = AMPConfig.coerce(amp)
        self.reference = reference if is_named(reference) else ReferenceFeatures.coerce(reference)
        if _init_setup_model:
            setup.warn_if_incomplete(self.amp, self.reference)
        self.symmetric_policy = parse_way(symmetric_policy)
        if critic_learning_rate is not None:
            check_number("critic_learning_rate", critic_learning_rate, 0.0, open_low=True)
        self.critic_learning_rate = critic_learning_rate
        check_flag("critic_obs", critic_obs)
        self.critic_obs = critic_obs
        self.critic_inputs: CriticInputs | None = None
        self.collect, self.iterations_per_call = collect, iterations_per_call
        self.devices = devices
        self.mirror: Mirror | None = None
        self.learner: AMPLearner | None = None
        self.style_critic: TrainState | None = None
        self.layout: dict[str, Any] | None = None
        self.extra: dict[str, Any] = {}
        self.task_paid = False  # whether any task reward was not 0
        self._amp_obs: np.ndarray | None = None
        self._critic_obs: np.ndarray | None = None
        self._last_critic_obs: np.ndarray | None = None
        self._bootstrap: list[np.ndarray] | None = None  # by critic
        self._fused: FusedLoop | None = None
        with warnings.catch_warnings():
            # `minibatch_size` warns about this in its own words.
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
                clip_range_vf=setup.parse_clip_range_vf(clip_range_vf),
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
        if _init_setup_model and self.env is not None:
            self._choose_loop()  # here, not in a loaded model: that may only be asked to act

    @staticmethod
    def _wrap_env(env: Any, verbose: int = 0, monitor_wrapper: bool = True) -> VecEnv:
        if isinstance(env, VectorEnv):
            env = GymnasiumVecEnv(env)
        return PPO._wrap_env(env, verbose, monitor_wrapper)

    def _setup_model(self) -> None:
        self.reference = resolve_reference(self.reference, self.env)
        if self.env is not None and self.symmetric_policy != "none":
            self.mirror = Mirror.of(self.env)
        if self.critic_obs and self.critic_inputs is None:  # a loaded model has its own
            equivariant = self.symmetric_policy == "equivariant"
            self.critic_inputs = CriticInputs.of(self.env, equivariant)
        given = self.policy_kwargs
        self.policy_kwargs = given | setup.network_classes(self)
        super()._setup_model()
        self.policy_kwargs = given
        setup.warn_if_unstorable(self.policy_kwargs)
        setup.fix_states(self)
        self.clip_range_vf_schedule = (
            None if self.clip_range_vf is None else FloatSchedule(self.clip_range_vf)
        )
        self._batch_size = setup.minibatch_size(self)
        if self.env is not None:
            self.layout = setup.common_layout(self, self.env)
        if self.amp is not None and self.amp.critic == "separate":
            self.style_critic = setup.new_style_critic(self)
        if self.amp is not None and self.reference is not None:
            self.learner = setup.new_learner(self)

    def set_env(self, env: GymEnv | VectorEnv, force_reset: bool = True) -> None:
        """Replace the environment, as in SB3.

        Raises:
            FeatureError: it declares another layout of the AMP observations.
            ConfigError: its `mirror` is not the symmetric policy's, or its `critic_obs` is not the
                critic's.
        """
        wrapped = self._wrap_env(env, self.verbose)
        layout = setup.common_layout(self, wrapped)
        if self.mirror is not None and Mirror.of(wrapped) != self.mirror:
            raise ConfigError(
                "this environment's `mirror` is another than the symmetric policy's; use an "
                "environment of the same robot and observations."
            )
        if self.critic_inputs is not None:
            self.critic_inputs.check(wrapped)
        super().set_env(wrapped, force_reset)
        self.layout = layout

    def learn(
        self: Self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        log_interval: int = 1,
        tb_log_name: str = "AMPPPO",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Train for `total_timesteps` environment steps, as in SB3.

        Raises:
            FeatureError: a model with AMP was loaded without its reference, or the environment
                gives no `critic_obs`.
            ConfigError: the environment declares another `critic_dim` than the critic's.
            OutOfMemoryError: the environments do not fit the memory.
        """
        if self.learner is not None:
            if self.learner.reference is None:
                raise FeatureError(
                    "this model was loaded without its reference; pass reference= to load() to "
                    "continue training."
                )
            done = 0 if reset_num_timesteps else self.num_timesteps
            self.learner.controller.begin(done, done + total_timesteps)
        if self.critic_inputs is not None and self.env is not None:
            self.critic_inputs.check(self.env, required=True)
        setup.warn_of_functions(self)
        self._choose_loop()
        progress = log_interval, tb_log_name, reset_num_timesteps, progress_bar
        with within_memory(self.n_envs):
            return super().learn(total_timesteps, callback, *progress)

    def clone_behavior(
        self,
        observations: np.ndarray,
        actions: np.ndarray,
        config: CloningConfig | Mapping[str, Any] | None = None,
    ) -> float:
        """Fit the policy to demonstrations before `learn` (behavior cloning).

        Args:
            observations: (num_steps, ...) observations.
            actions: (num_steps, ...) actions for the policy to output, not clipped.
            config: `CloningConfig`, a dict of its fields, or None for the defaults.

        Returns:
            Root-mean-square error of the action after the fit, with noisy observations.

        Raises:
            ConfigError: a setting is invalid, the action space is no Box, or `VecNormalize` scales
                the observations.
            FeatureError: the demonstrations have another shape, or are not finite.
            NonFiniteError: the fit diverged; the policy is as before.
        """
        return clone_into(self, observations, actions, config)
