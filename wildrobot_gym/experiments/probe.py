"""``wildrobot motion microtrain``: a short AMP run on a dataset, judged by the data-first plan's gate of phase 2."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from rich.console import Console
from stable_baselines3.common.callbacks import BaseCallback

from amp_sbx import AMPPPO
from amp_sbx.common.errors import NonFiniteError
from amp_sbx.common.metrics import auc
from amp_sbx.reference.features import held_out_motions
from wildrobot_gym.config import FEATURE_CHANNELS, FeatureConfig, to_dict
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.experiments.datasets import load_dataset
from wildrobot_gym.experiments.feature_report import features_of
from wildrobot_gym.files import check_free, write_figures
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.reference import ReferenceDataset, save_clips
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import RunConfig, find_motion
from wildrobot_gym.training.train import load_reference, make_model, make_vec_env, warm_start

AUC_BOUNDS, MIN_REWARD_VARIANCE = (0.6, 0.9), 0.05
HELD_OUT_SHARE = 0.2  # of the motions
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
class Verdict:
    """auc: scores of reference motions that were held out against fresh policy samples; 0.5: they cannot be told apart."""

    auc: float
    reward_mean: float
    reward_variance: float

    @property
    def passed(self) -> bool:
        """Whether all is within the plan's gate; NaN is not."""
        return (
            AUC_BOUNDS[0] <= self.auc <= AUC_BOUNDS[1]
            and self.reward_variance > MIN_REWARD_VARIANCE
        )

    @property
    def advice(self) -> str:
        """What to do now."""
        if not np.isfinite([self.auc, self.reward_mean, self.reward_variance]).all():
            return "the scores are not finite. Look for NaN in the dataset by `wildrobot motion analyze`."
        if self.auc > AUC_BOUNDS[1]:
            return (
                "the discriminator tells the two apart at a glance. `wildrobot motion validate` names a dimension that gives"
                " the policy away, if there is one; else learn from slower or more clips, or raise amp.r1_gamma."
            )
        if self.auc < AUC_BOUNDS[0]:
            return "the discriminator cannot tell the two apart. Give it more steps, or see whether the reference moves at all."
        if self.reward_variance <= MIN_REWARD_VARIANCE:
            return "the style reward hardly varies. Raise amp.r1_gamma or amp.disc_input_noise_std, so that it slopes."
        return "go on to the training run."


def run_microtrain(
    dataset: str,
    steps: int,
    config: str,
    overrides: Sequence[str],
    all_features: bool,
    drop: Sequence[str],
    log_interval: int,
    json_file: Path | None,
    force: bool,
) -> int:
    """Train for ``steps``, judge; 0 where the gate is passed, else 1.

    Raises:
        ConfigError, MotionError: settings or dataset do not fit.
    """
    console = Console()
    check_free([json_file], force)
    run = _settings(config, overrides, steps, all_features, drop, log_interval)
    model, clips = load_dataset(str(find_motion(dataset)), run.env_kwargs.get("robot"))
    learned, held_out = hold_out(clips)
    if held_out is learned:
        console.print(
            "one motion alone: nothing is held out, and the AUC is that of motion that was learned"
        )
    watch = _Watch(log_interval, console)
    try:
        with tempfile.TemporaryDirectory() as folder:
            # Environment, warm start and discriminator all see the learned part alone.
            path = str(save_clips(Path(folder) / "learned.npz", learned))
            robot = run.env_kwargs.get("robot", model.name)
            env_kwargs = {**run.env_kwargs, "reference": path, "robot": robot}
            run = replace(run, amp={**(run.amp or {}), "reference": path}, env_kwargs=env_kwargs)
            verdict = _train(run, held_out, watch, console)
    except NonFiniteError as error:
        console.print(f"FAIL: {error}", soft_wrap=True, highlight=False, markup=False)
        write_figures(json_file, {"passed": False, "error": str(error), "log": watch.rows}, console)
        return 1
    for text in (
        f"AUC against fresh samples: {verdict.auc:.3f} (gate {AUC_BOUNDS[0]} to {AUC_BOUNDS[1]})",
        f"style reward: mean {verdict.reward_mean:.3f}, variance {verdict.reward_variance:.4f} (gate > {MIN_REWARD_VARIANCE})",
        f"{'PASS' if verdict.passed else 'FAIL'}: {verdict.advice}",
    ):
        console.print(text, soft_wrap=True, highlight=False, markup=False)
    channels = list(features_of(run).channels)
    figures = {
        **asdict(verdict),
        "passed": verdict.passed,
        "held_out": held_out is not learned,
        "channels": channels,
    }
    write_figures(json_file, {**figures, "steps": watch.num_timesteps, "log": watch.rows}, console)
    return 0 if verdict.passed else 1


def hold_out(clips: Sequence[MotionClip]) -> tuple[Sequence[MotionClip], Sequence[MotionClip]]:
    """Clips to learn from, and those of a fifth of the motions; one and the same where there is one motion alone.

    Whole motions: two segments of one loop are nearly the same frames.
    """
    away = set(held_out_motions([clip.motion_id for clip in clips], HELD_OUT_SHARE))
    if not away:
        return clips, clips
    return [c for c in clips if c.motion_id not in away], [c for c in clips if c.motion_id in away]


def _settings(
    config: str,
    overrides: Sequence[str],
    steps: int,
    all_features: bool,
    drop: Sequence[str],
    log_interval: int,
) -> RunConfig:
    """The run config, made small."""
    for name, value in (("steps", steps), ("log_interval", log_interval)):
        if value < 1:
            raise ConfigError(f"{name} is {value}; allowed: 1 or more.")
    taken = [
        key
        for key in OWN_KEYS
        if any(override.partition("=")[0].strip() == key for override in overrides)
    ]
    if taken:
        raise ConfigError(
            f"--set {taken[0]} is microtrain's own; its arguments or the size of the run decide it."
        )
    run = run_config.load(config, overrides)
    if run.amp is None:
        raise ConfigError(
            f"{config} has no amp section; a micro-train tries a discriminator. Name another config."
        )
    final = run.amp_config.schedule.final  # type: ignore[union-attr]
    run = replace(
        run, amp={**run.amp, "schedule": {"initial": final, "final": final}, "reintroduce": []}
    )  # as it is to become
    features = FeatureConfig() if all_features else features_of(run)
    channels = tuple(name for name in features.channels if name not in drop)
    if not channels:
        raise ConfigError(
            f"No channel is left of {list(features.channels)}; allowed: one or more of {FEATURE_CHANNELS}."
        )
    num_envs = int(np.clip(steps // (ITERATIONS * run.n_steps), MIN_ENVS, MAX_ENVS))
    return replace(
        run,
        n_envs=num_envs,
        n_timesteps=steps,
        batch_size=min(run.batch_size, num_envs * run.n_steps // 2),
        env_kwargs={**run.env_kwargs, "features": to_dict(replace(features, channels=channels))},
    )


def _train(
    run: RunConfig, held_out: Sequence[MotionClip], watch: _Watch, console: Console
) -> Verdict:
    env = make_vec_env(run)
    try:
        inner: Any = env.vector_env.unwrapped
        reference: Any = load_reference(run, env)
        # What `wildrobot train` refuses is judged here: little motion by smaller minibatches, and one motion alone. What is held
        # out is out of it already.
        batch_size = min(run.amp_config.batch_size, reference.num_samples)  # type: ignore[union-attr]
        small = {"batch_size": batch_size, "single_motion": True, "held_out_fraction": 0.0}
        model = make_model(replace(run, amp={**(run.amp or {}), **small}), env, reference)
        real = ReferenceDataset.from_clips(
            inner.robot, inner.config.features, held_out, inner.config.control_dt
        ).windows
        warm_start(model, run, env, console)
        model.learn(run.n_timesteps, watch)
        return judge(model, real)
    finally:
        env.close()


def judge(model: AMPPPO, real: Float[np.ndarray, "sample feature"]) -> Verdict:
    """``model``'s discriminator on ``real`` windows and on one more rollout of its policy."""
    learner: Any = model.learner
    fresh = model.fresh_amp_observations()
    area = auc(jnp.asarray(learner.scores(real)), jnp.asarray(learner.scores(fresh)))
    style = learner.rewards(fresh)
    return Verdict(float(area), float(style.mean()), float(style.var()))


class _Watch(BaseCallback):
    """Says every so many steps what the discriminator does, and keeps it."""

    def __init__(self, interval: int, console: Console) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self._interval, self._console, self._next = interval, console, 0

    def _on_rollout_start(self) -> None:
        values = self.logger.name_to_value  # what the update before has recorded
        if "amp/disc_auc" not in values or self.num_timesteps < self._next:
            return
        self._next = self.num_timesteps + self._interval
        row = {
            name: float(values[f"amp/{name}"])
            for name in ("disc_auc", "disc_acc", "reward_mean", "reward_std")
        }
        self.rows.append({"steps": float(self.num_timesteps), **row})
        text = "  ".join(f"{name} {value:.3f}" for name, value in row.items())
        self._console.print(
            f"{self.num_timesteps:>8,} steps  {text}", highlight=False, soft_wrap=True
        )

    def _on_step(self) -> bool:
        return True
