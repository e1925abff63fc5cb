"""``wildrobot motion harness``, ``validate`` and ``microtrain``: what is to be known of clips before a long training run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table
from stable_baselines3.common.callbacks import BaseCallback

from amp_sbx.errors import NonFiniteError
from amp_sbx.metrics import auc
from wildrobot_gym.cli import run_config
from wildrobot_gym.cli.motion_files import load_dataset, read_motions, write_figures
from wildrobot_gym.cli.policies import load_policy
from wildrobot_gym.cli.step_bar import step_bar
from wildrobot_gym.cli.train_run import as_reference, make_model, make_vec_env, warm_start
from wildrobot_gym.config import FEATURE_CHANNELS, FeatureConfig, HistoryConfig, build, to_dict
from wildrobot_gym.errors import ConfigError, MotionError
from wildrobot_gym.evaluation.feature_check import DimensionCheck, check_features
from wildrobot_gym.evaluation.protocol import make_env
from wildrobot_gym.evaluation.recording import record
from wildrobot_gym.features import feature_names, make_frame_features
from wildrobot_gym.motion.importers import ImportOptions
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.motion.segments import Gates, mine
from wildrobot_gym.motion.tracking import TrackSettings, track
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.state import PhysicsState

POLICY_ENVS, POLICY_STEPS, SETTLING_STEPS = 64, 300, 50  # 5 s of walking each, after its first second
AUC_BOUNDS, MIN_REWARD_VARIANCE = (0.6, 0.9), 0.05  # the data-first plan's gate of phase 2
MICRO_ENVS, MIN_ITERATIONS = 128, 20
HELD_OUT_OF = 5  # every fifth clip is held out


def run_harness(files: Sequence[str], robot: str, duration: float, json_file: Path | None) -> int:
    """Perform every clip with the harness and without, and say what the harness did; 0, or 1 where a file was left out."""
    console, model = Console(), RobotModel.load(robot)
    read = read_motions(model, files, ImportOptions(robot=robot))
    if not read.clips:
        raise MotionError("No motion could be read. " + " ".join(read.skipped.values()))
    gates, held = Gates(), TrackSettings(duration_s=duration, warps=(1.0,), turns=(0.0,))
    table = Table(title="harness, shares of the weight", box=SIMPLE_HEAD)
    table.add_column("clip", no_wrap=True)
    for heading in ("mean", "p90", "p95", "at cap %", "falls/min", "without", "passes %", "without", "verdict"):
        table.add_column(heading, justify="right")
    figures = {}
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        for clip in bar.track(read.clips, description="clips"):
            try:
                with_it, alone = (
                    mine(model, track(model, [clip], settings), gates).clips[0]
                    for settings in (held, replace(held, harness=None))
                )
            except MotionError as error:
                read.skipped[clip.name] = str(error)
                continue
            m = with_it.performed
            leans = m["harness_p95"] > gates.harness_p95 or m["harness_p90"] > gates.harness_p90
            falls, passes = ([f(y) for y in (with_it, alone)] for f in (_falls_a_minute, _passing))
            figures[clip.name] = {
                **{name: value for name, value in m.items() if name.startswith("harness")},
                "falls_per_minute": falls[0],
                "falls_per_minute_without": falls[1],
                "passing": passes[0],
                "passing_without": passes[1],
                "leans_on_harness": leans,
            }
            table.add_row(
                clip.name,
                *(f"{m[name]:.3f}" for name in ("harness_mean", "harness_p90", "harness_p95")),
                f"{100 * m['harness_saturated']:.1f}",
                *(f"{value:.1f}" for value in falls),
                *(f"{100 * value:.0f}" for value in passes),
                "carried" if leans else "assisted" if m["harness_mean"] > 0.01 else "alone",
            )
    console.print(table)
    write_figures(json_file, figures, console)
    return read.tell_skipped(console)


def _falls_a_minute(of_clip: Any) -> float:
    return 60.0 * of_clip.falls / max(of_clip.performed_s, 1e-9)


def _passing(of_clip: Any) -> float:
    return of_clip.mined_s / max(of_clip.performed_s, 1e-9)


def run_validate(dataset: str, policy: str | None, config: str | None, json_file: Path | None) -> int:
    """Features of a policy beside those of a reference, dimension by dimension; without a policy the reference's alone.

    Features are those of a run config, or without one all channels.
    """
    console = Console()
    model, clips = load_dataset(dataset)
    features = FeatureConfig() if config is None else _features(run_config.load(config))
    features = replace(features, history=HistoryConfig(frames=1, stride=1))
    reference = ReferenceDataset.from_clips(model, features, clips)
    names = feature_names(model, reference.layout)
    theirs = reference.features
    if policy is None:
        checks = check_features(names, theirs, theirs)
        checks.sort(key=lambda check: names.index(check.name))
        console.print(f"{len(theirs)} frames; channels {to_dict(features)['channels']}", highlight=False)
    else:
        speeds = np.repeat([clip.command[0] for clip in clips], [clip.num_frames for clip in clips])
        checks = check_features(names, _policy_features(model, policy, features, speeds, console), theirs)
    table = Table(title="features, policy | reference" if policy else "features of the reference", box=SIMPLE_HEAD)
    table.add_column("dimension", no_wrap=True)
    sides = ("policy", "reference") if policy else ("reference",)
    for heading in ("mean", "spread", "zeros"):
        for _ in sides:
            table.add_column(heading, justify="right")
    if policy:
        table.add_column("KS", justify="right")
    for check in checks:
        spreads = [getattr(check, side) for side in sides]
        cells = [f"{getattr(spread, part):.3f}" for part in ("mean", "std", "zeros") for spread in spreads]
        table.add_row(escape(check.name), *cells, *([f"{check.ks:.2f}"] if policy else []))
    console.print(table)
    if policy:
        console.print(_shortcut_text(checks), soft_wrap=True, highlight=False, markup=False)
    write_figures(json_file, {check.name: dataclasses.asdict(check) for check in checks}, console)
    return 0


def _features(config: run_config.RunConfig) -> FeatureConfig:
    return build(FeatureConfig, config.env_kwargs.get("features"), "env_kwargs.features")


def _policy_features(
    robot: RobotModel, policy: str, features: FeatureConfig, speeds: np.ndarray, console: Console
) -> np.ndarray:
    """Frames (sample, feature) of a policy that is asked for the reference's own speeds, while it stands."""
    loaded = load_policy(policy, robot.name)
    env = make_env(loaded.env_kwargs, POLICY_ENVS, num_steps=POLICY_STEPS)
    of_frame, rows = make_frame_features(env.robot, features), []
    commands = np.zeros((POLICY_ENVS, 3), np.float32)
    commands[:, 0] = np.quantile(speeds, (np.arange(POLICY_ENVS) + 0.5) / POLICY_ENVS)
    try:
        with step_bar(console) as progress:
            task = progress.add_task(policy, total=POLICY_STEPS * POLICY_ENVS)

            def on_step(step: int, state: PhysicsState) -> None:
                progress.advance(task, POLICY_ENVS)
                if step >= SETTLING_STEPS:
                    rows.append(np.asarray(of_frame(state)))

            recording = record(env, loaded, commands, POLICY_STEPS, seed=0, on_step=on_step)
    finally:
        env.close()
    alive = recording.alive[SETTLING_STEPS:]
    if not alive.any():
        raise MotionError(f"{policy} falls within its first second at the reference's speeds; there is nothing to compare.")
    return np.stack(rows)[alive]


def _shortcut_text(checks: Sequence[DimensionCheck]) -> str:
    worst = checks[0]
    shortcuts = [check for check in checks if check.is_shortcut]
    if not shortcuts:
        return f"No shortcut: the most telling dimension, {worst.name}, alone is right for {worst.accuracy:.0%} of samples."
    lines = [
        f"SHORTCUT: {check.name} alone is right for {check.accuracy:.0%} of samples (policy {check.policy.mean:.3f}"
        f" +- {check.policy.std:.3f}, zero {check.policy.zeros:.0%}; reference {check.reference.mean:.3f}"
        f" +- {check.reference.std:.3f}, zero {check.reference.zeros:.0%})."
        for check in shortcuts
    ]
    advice = "Leave such channels out of features.channels until the policy's are alike, or mend the reference."
    return "\n".join([*lines, advice])


def run_microtrain(
    dataset: str,
    steps: int,
    config: str,
    overrides: Sequence[str],
    all_features: bool,
    drop: Sequence[str],
    log_interval: int,
    json_file: Path | None,
) -> int:
    """A short AMP run on a dataset: 0 where discriminator and style reward pass the plan's gate, else 1."""
    console = Console()
    if run_config.load(config).amp is None:
        raise ConfigError(f"{config} has no amp section; a micro-train tries a discriminator. Name another config.")
    run = run_config.load(config, [f"amp.reference={dataset}", *overrides])
    model, clips = load_dataset(str(run.reference_path))
    features = FeatureConfig() if all_features else _features(run)
    channels = [name for name in features.channels if name not in drop]
    if not channels:
        raise ConfigError(f"No channel is left of {list(features.channels)}; allowed: one or more of {FEATURE_CHANNELS}.")
    # A contact definition without its channel would be refused.
    settings = to_dict(features) | {"channels": channels}
    num_envs = int(np.clip(steps // (MIN_ITERATIONS * run.n_steps), 8, MICRO_ENVS))
    run = replace(
        run,
        n_envs=num_envs,
        batch_size=min(run.batch_size, num_envs * run.n_steps // 2),
        n_timesteps=steps,
        env_kwargs={**run.env_kwargs, "features": settings, "robot": model.name, "reference": str(run.reference_path)},
    )
    features = build(FeatureConfig, settings)
    held_out = clips[::HELD_OUT_OF] if len(clips) >= HELD_OUT_OF else clips
    learned_from = [clip for i, clip in enumerate(clips) if i % HELD_OUT_OF] if held_out is not clips else clips
    env = make_vec_env(run)
    try:
        algorithm = make_model(run, env, as_reference(ReferenceDataset.from_clips(model, features, learned_from), run))
        warm_start(algorithm, run, env, console)
        watch = _Watch(log_interval, console)
        try:
            algorithm.learn(steps, watch)
        except NonFiniteError as error:
            console.print(f"FAIL: {error}", soft_wrap=True, highlight=False, markup=False)
            return 1
        fresh = algorithm.fresh_amp_observations()
        learner: Any = algorithm.learner
        real = learner.scores(ReferenceDataset.from_clips(model, features, held_out).windows())
        fake, style = learner.scores(fresh), learner.rewards(fresh)
    finally:
        env.close()
    area, variance = float(auc(jnp.asarray(real), jnp.asarray(fake))), float(np.var(style))
    passed = AUC_BOUNDS[0] <= area <= AUC_BOUNDS[1] and variance > MIN_REWARD_VARIANCE
    console.print(f"AUC, held-out reference against fresh samples: {area:.3f} (gate {AUC_BOUNDS[0]} to {AUC_BOUNDS[1]})")
    console.print(f"style reward: mean {style.mean():.3f}, variance {variance:.4f} (gate > {MIN_REWARD_VARIANCE}); no NaN")
    console.print(f"{'PASS' if passed else 'FAIL'}: {_micro_advice(area, variance)}", soft_wrap=True, highlight=False)
    figures = {
        "auc": area,
        "reward_mean": float(style.mean()),
        "reward_variance": variance,
        "passed": passed,
        "steps": algorithm.num_timesteps,
        "channels": channels,
        "log": watch.rows,
    }
    write_figures(json_file, figures, console)
    return 0 if passed else 1


def _micro_advice(area: float, variance: float) -> str:
    if area > AUC_BOUNDS[1]:
        return (
            "the discriminator tells the two apart at a glance. `wildrobot motion validate` names the dimension; drop it,"
            " or learn from more and slower clips."
        )
    if area < AUC_BOUNDS[0]:
        return "the discriminator cannot tell the two apart. Give it more steps, or check that the reference moves at all."
    if variance <= MIN_REWARD_VARIANCE:
        return "the style reward hardly varies. Raise amp.r1_gamma or amp.disc_input_noise_std, so that it slopes."
    return "go on to the training run."


class _Watch(BaseCallback):
    """Says every so many steps what the discriminator does, and keeps it."""

    def __init__(self, interval: int, console: Console) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self._interval, self._console, self._next = interval, console, 0

    def _on_rollout_start(self) -> None:
        values = self.logger.name_to_value
        if "amp/disc_auc" not in values or self.num_timesteps < self._next:
            return
        self._next = self.num_timesteps + self._interval
        names = ("disc_auc", "disc_acc", "reward_mean", "reward_std")
        row = {"steps": float(self.num_timesteps)} | {name: float(values[f"amp/{name}"]) for name in names}
        if all(map(math.isfinite, row.values())):
            self.rows.append(row)
        text = "  ".join(f"{name} {row[name]:.3f}" for name in names)
        self._console.print(f"{self.num_timesteps:>8,} steps  {text}", highlight=False, soft_wrap=True)

    def _on_step(self) -> bool:
        return True
