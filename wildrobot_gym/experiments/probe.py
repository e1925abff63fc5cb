"""A short AMP run on a dataset, to see whether its discriminator is neither too strong, too weak,
nor flat.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from stable_baselines3.common.callbacks import BaseCallback

from amp_sbx import AMPPPO
from amp_sbx.common.errors import NonFiniteError
from amp_sbx.common.metrics import auc
from amp_sbx.reference.held_out import held_out_motions
from wildrobot_gym.config import to_dict
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.experiments.datasets import load_dataset
from wildrobot_gym.experiments.feature_report import features_of
from wildrobot_gym.experiments.motion.settings import ProbeSettings
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import save_clips
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.task.channels import AMP_CHANNELS
from wildrobot_gym.task.config import EnvConfig, FeatureConfig
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import RunConfig, find_motion, with_overrides
from wildrobot_gym.training.model import make_model, make_reference, make_vec_env, warm_start

AUC_BOUNDS, MIN_REWARD_VARIANCE = (0.6, 0.9), 0.05
HELD_OUT_FRACTION = 0.2  # of the motions
MIN_ENVS, MAX_ENVS, ITERATIONS = 8, 128, 20  # as many environments as leave so many iterations
OWN_KEYS = (
    "n_envs",
    "n_timesteps",
    "batch_size",
    "trained_agent",
    "amp.reference",
    "env_kwargs.reference",
)


@dataclass(frozen=True)
class DiscriminatorMetrics:
    """Metrics of a discriminator on held-out reference motion and a new rollout of the policy.

    Attributes:
        auc: Area under the ROC curve. At 0.5 the discriminator cannot tell the two apart.
        reward_mean: Mean style reward of the rollout.
        reward_variance: Variance of the style reward.
    """

    auc: float
    reward_mean: float
    reward_variance: float

    @property
    def passed(self) -> bool:
        """Whether all metrics are within their bounds; NaN is not."""
        return (
            AUC_BOUNDS[0] <= self.auc <= AUC_BOUNDS[1]
            and self.reward_variance > MIN_REWARD_VARIANCE
        )

    @property
    def advice(self) -> str:
        """What to do next."""
        if not np.isfinite([self.auc, self.reward_mean, self.reward_variance]).all():
            return (
                "The scores are not finite."
                " Look for NaN in the dataset with `wildrobot motion analyze`."
            )
        if self.auc > AUC_BOUNDS[1]:
            return (
                "The discriminator tells policy and reference apart too easily."
                " Look for a single column that does so with `wildrobot motion check-features`."
                " If there is none, use slower or more clips, or raise amp.r1_gamma."
            )
        if self.auc < AUC_BOUNDS[0]:
            return (
                "The discriminator cannot tell policy and reference apart."
                " Give it more steps, or check that the reference moves at all."
            )
        if self.reward_variance <= MIN_REWARD_VARIANCE:
            return (
                "The style reward is nearly constant."
                " Raise amp.r1_gamma or amp.disc_input_noise_std to give it a slope."
            )
        return "Continue with the training run."


@dataclass(frozen=True)
class ProbeResult:
    """Result of a probe.

    Attributes:
        metrics: The discriminator's metrics, or None if training diverged.
        error: Why training diverged, or None.
        held_out: Whether whole motions were held out for the metrics.
        channels: The AMP feature channels.
        steps: Environment steps that were trained.
        log: Metrics during training, one entry for each logged rollout.
    """

    metrics: DiscriminatorMetrics | None
    error: str | None
    held_out: bool
    channels: Sequence[str]
    steps: int
    log: Sequence[Mapping[str, float]] = field(repr=False)

    @property
    def passed(self) -> bool:
        """Whether the discriminator is fit for training."""
        return self.metrics is not None and self.metrics.passed

    def to_json(self) -> dict[str, Any]:
        """Return all metrics as JSON types."""
        if self.metrics is None:
            return {"passed": False, "error": self.error, "log": list(self.log)}
        return {
            **asdict(self.metrics),
            "passed": self.passed,
            "held_out": self.held_out,
            "channels": list(self.channels),
            "steps": self.steps,
            "log": list(self.log),
        }


def probe(
    dataset: str,
    settings: ProbeSettings | None = None,
    overrides: Sequence[str] = (),
    *,
    report: Reporter = SILENT,
) -> ProbeResult:
    """Train for a short time with AMP on a dataset, and judge the discriminator.

    Args:
        dataset: A reference file or the name of a shipped one.
        settings: Length of the run, run config and features.
        overrides: Settings of the run config to change, as `key=value`.
        report: Receives the metrics during training.

    Returns:
        The discriminator's metrics.

    Raises:
        ConfigError: A setting is wrong.
        MotionError: The dataset does not fit.
    """
    settings = settings or ProbeSettings()
    run = _small_run(settings, overrides)
    named = run.env.settings.robot
    robot = None if named == EnvConfig().robot else named
    model, clips = load_dataset(str(find_motion(dataset)), robot)
    learned, held_out = hold_out(clips)
    if held_out is learned:
        report.warning("The dataset has one motion. No motion is held out for the AUC.")
    watch = _Watch(settings.log_interval, report)
    metrics, failure = None, None
    try:
        with tempfile.TemporaryDirectory() as folder:
            # Environment, warm start and discriminator all see the learned part alone.
            path = str(save_clips(Path(folder) / "learned.npz", learned))
            paths = dict.fromkeys(("amp.reference", "env_kwargs.reference"), path)
            run = with_overrides(run, {**paths, "env_kwargs.robot": robot or model.name})
            metrics = _train(run, held_out, watch)
    except NonFiniteError as error:
        failure = str(error)
    return ProbeResult(
        metrics=metrics,
        error=failure,
        held_out=held_out is not learned,
        channels=features_of(run).channels,
        steps=watch.num_timesteps,
        log=watch.entries,
    )


def hold_out(clips: Sequence[MotionClip]) -> tuple[Sequence[MotionClip], Sequence[MotionClip]]:
    """Split clips into those to learn from and those of a fifth of the motions.

    Whole motions are held out, since two segments of one loop are nearly the same frames.

    Returns:
        Both parts. They are the same object if there is only one motion.
    """
    away = set(held_out_motions([clip.motion_id for clip in clips], HELD_OUT_FRACTION))
    if not away:
        return clips, clips
    return [c for c in clips if c.motion_id not in away], [c for c in clips if c.motion_id in away]


def discriminator_metrics(
    model: AMPPPO, real: Float[np.ndarray, "sample feature"]
) -> DiscriminatorMetrics:
    """Judge a model's discriminator on `real` windows and on one more rollout of its policy."""
    learner: Any = model.learner
    rollout = model.collect_amp_observations()
    area = auc(jnp.asarray(learner.scores(real)), jnp.asarray(learner.scores(rollout)))
    style = learner.rewards(rollout)
    return DiscriminatorMetrics(float(area), float(style.mean()), float(style.var()))


def _small_run(settings: ProbeSettings, overrides: Sequence[str]) -> RunConfig:
    """Return the run config, made small."""
    for name in ("steps", "log_interval"):
        if (value := getattr(settings, name)) < 1:
            raise ConfigError(f"{name} is {value}; allowed: 1 or more.")
    set_keys = {override.partition("=")[0].strip() for override in overrides}
    if taken := [key for key in OWN_KEYS if key in set_keys]:
        raise ConfigError(
            f"{taken[0]} cannot be set: the probe sets it from its dataset and its number of steps."
        )
    run = run_config.load(settings.config, overrides)
    if run.amp is None:
        raise ConfigError(
            f"{settings.config} has no amp section, so there is no discriminator to probe."
            " Name another config."
        )
    # The weight as it is at the end of training, from the start.
    final = run.amp.schedule.final
    schedule = {"initial": final, "final": final}
    run = with_overrides(run, {"amp.schedule": schedule, "amp.reintroduce": []})
    features = FeatureConfig() if settings.all_features else features_of(run)
    dropped = settings.dropped_channels
    channels = tuple(name for name in features.channels if name not in dropped)
    if not channels:
        raise ConfigError(
            f"No channel is left of {list(features.channels)};"
            f" allowed: one or more of {', '.join(AMP_CHANNELS)}."
        )
    num_envs = int(np.clip(settings.steps // (ITERATIONS * run.ppo.n_steps), MIN_ENVS, MAX_ENVS))
    small = {
        "n_envs": num_envs,
        "n_timesteps": settings.steps,
        "batch_size": min(run.ppo.batch_size, num_envs * run.ppo.n_steps // 2),
        "env_kwargs.features": to_dict(replace(features, channels=channels)),
    }
    return with_overrides(run, small)


def _train(run: RunConfig, held_out: Sequence[MotionClip], watch: _Watch) -> DiscriminatorMetrics:
    env = make_vec_env(run)
    try:
        inner: Any = env.vector_env.unwrapped
        reference: Any = make_reference(run, env)
        # `wildrobot train` refuses little motion and a single motion. The probe judges them too,
        # with smaller minibatches. The held-out motions are already left out of the reference.
        batch_size = min(run.amp.batch_size, reference.num_samples)  # type: ignore[union-attr]
        small = {"batch_size": batch_size, "single_motion": True, "held_out_fraction": 0.0}
        judged = with_overrides(run, {f"amp.{name}": value for name, value in small.items()})
        model = make_model(judged, env, reference)
        real = ReferenceDataset.from_clips(
            inner.robot, inner.config.features, held_out, inner.config.control_dt
        ).windows
        warm_start(model, run, env)
        model.learn(run.n_timesteps, watch)
        return discriminator_metrics(model, real)
    finally:
        env.close()


class _Watch(BaseCallback):
    """Reports and keeps the discriminator's metrics every so many steps."""

    def __init__(self, interval: int, report: Reporter) -> None:
        super().__init__()
        self.entries: list[dict[str, float]] = []
        self.report = report
        self._interval, self._next = interval, 0

    def _on_rollout_start(self) -> None:
        values = self.logger.name_to_value  # recorded by the last update
        if "amp/disc_auc" not in values or self.num_timesteps < self._next:
            return
        self._next = self.num_timesteps + self._interval
        names = ("disc_auc", "disc_acc", "reward_mean", "reward_std")
        entry = {name: float(values[f"amp/{name}"]) for name in names}
        self.entries.append({"steps": float(self.num_timesteps), **entry})
        text = "  ".join(f"{name} {value:.3f}" for name, value in entry.items())
        self.report.info(f"{self.num_timesteps:>8,} steps  {text}")

    def _on_step(self) -> bool:
        return True
