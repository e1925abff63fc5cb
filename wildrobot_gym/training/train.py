"""``wildrobot train``: from a run config to a run folder."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
from gymnasium.vector import AutoresetMode
from rich.console import Console

from amp_sbx import AMPPPO, GymnasiumVecEnv, InfoMetricsCallback, ReferenceFeatures
from amp_sbx.common import archive as checkpoint
from amp_sbx.common.errors import CheckpointError
from wildrobot_gym.console.signals import stop_signals
from wildrobot_gym.env.demonstrations import demonstrations
from wildrobot_gym.errors import RunError
from wildrobot_gym.motion.reference import ReferenceDataset, load_clips
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.callbacks import (
    CheckpointCallback,
    EvalCallback,
    Score,
    Stopped,
    eval_score,
    protocol_of,
)
from wildrobot_gym.training.config import MOTION_DIGESTS, RunConfig
from wildrobot_gym.training.env_state import restore_environment
from wildrobot_gym.training.logger import STEPS, make_logger, training_console, verdicts_text
from wildrobot_gym.training.policy import find_policy
from wildrobot_gym.training.progress import ProgressCallback
from wildrobot_gym.training.run_directory import RunDirectory, read_arrays, steps_of

METRICS = ("forward_velocity", "velocity_error", "joint_error", "diverged")
PPO_ARGUMENTS = (
    *(
        "n_steps",
        "batch_size",
        "n_epochs",
        "learning_rate",
        "gamma",
        "gae_lambda",
        "clip_range",
        "clip_range_vf",
    ),
    *(
        "ent_coef",
        "vf_coef",
        "max_grad_norm",
        "target_kl",
        "normalize_advantage",
        "policy_kwargs",
        "symmetric_policy",
    ),
)
NETWORK_SETTINGS = (
    "policy_kwargs",
    "symmetric_policy",
)  # the same in a run and in the policy that it begins with
MAY_CHANGE = (
    "n_timesteps",
    "checkpoint_every",
    "keep_checkpoints",
    "eval",
)  # in a run that is resumed


def run_train(
    config_name: str,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    out: Path | None = None,
    resume: bool = False,
    console: Console | None = None,
) -> int:
    """:func:`train` a config's file or shipped name, into ``runs/`` where ``out`` is None."""
    config = run_config.load(config_name, overrides, seed)
    folder = RunDirectory(out or Path("runs") / f"{Path(config_name).stem}-s{config.seed}")
    return train(config, folder, resume, console or training_console())


def train(config: RunConfig, folder: RunDirectory, resume: bool, console: Console) -> int:
    """Train, or go on training; the exit code: 0, or 130 and 143 after a signal.

    Raises:
        ConfigError, MotionError, RunError, AMPError: before anything is trained or written.
    """
    console.print(f"process {os.getpid()}, run folder {folder.path}", highlight=False, markup=False)
    with contextlib.ExitStack() as held:
        if resume:
            config = resumed_config(folder, config)
            held.enter_context(folder.claimed())
        else:
            folder.check_free()  # now, not after minutes of preparation
        return _train(config, folder, resume, held, console)


def _train(
    config: RunConfig,
    folder: RunDirectory,
    resume: bool,
    held: contextlib.ExitStack,
    console: Console,
) -> int:
    newest = max(folder.checkpoints(), key=steps_of, default=None) if resume else None
    if newest is not None:
        folder.check_motions(config, newest)
    env = make_vec_env(config)
    reference = load_reference(config, env)
    if newest is not None:
        model = AMPPPO.load(newest, env=env, reference=reference)
        _check_amp(newest, model, config, folder)
        restore_environment(model, read_arrays(newest.with_suffix(".npz")))
        console.print(
            f"resuming at {model.num_timesteps:,} steps from {newest}",
            highlight=False,
            markup=False,
        )
    else:
        model = make_model(config, env, reference)
        if config.trained_agent is None:
            warm_start(model, config, env, console)
        else:
            begin_trained(model, config.trained_agent, env, console)
        if resume:
            console.print("there is no checkpoint yet: starting from the beginning")
        else:
            folder.begin(
                config
            )  # only now: settings that the algorithm refuses must not leave a folder behind
            held.enter_context(folder.claimed())
    try:
        return _learn(model, config, folder, console)
    finally:
        env.close()


def make_vec_env(config: RunConfig, **changes: Any) -> GymnasiumVecEnv:
    """The run's environments as SB3 sees them."""
    settings = {**config.env_settings(), **changes}
    env = gym.make_vec(
        config.env_id,
        num_envs=settings.pop("num_envs", config.n_envs),
        vectorization_mode="vector_entry_point",
        autoreset_mode=AutoresetMode.SAME_STEP,
        **settings,
    )
    return GymnasiumVecEnv(env)


def load_reference(config: RunConfig, env: GymnasiumVecEnv) -> ReferenceFeatures | None:
    """The reference's windows of features, made with the environment's own feature settings."""
    path = config.reference_path
    if path is None:
        return None
    inner: Any = env.vector_env.unwrapped
    dataset = ReferenceDataset.load(
        path, inner.robot, inner.config.features, inner.config.control_dt
    )
    weights, motion_ids = dataset.sampling(config.score_temperature)
    return ReferenceFeatures(dataset.windows, weights, dataset.layout, motion_ids)


def make_model(config: RunConfig, env: Any, reference: ReferenceFeatures | None) -> AMPPPO:
    """A fresh algorithm; the environment's settings and what it learns from, by name and digest, travel with its files."""
    model = AMPPPO(
        config.policy,
        env,
        amp=config.amp_config,
        reference=reference,
        seed=config.seed,
        **ppo_arguments(config),
    )
    reference_name = None if config.amp is None else config.amp["reference"]
    about = {"env_id": config.env_id, "env_kwargs": config.env_kwargs, "reference": reference_name}
    model.extra = {**about, MOTION_DIGESTS: config.motion_digests()}
    return model


def _check_amp(newest: Path, model: AMPPPO, config: RunConfig, folder: RunDirectory) -> None:
    """Raise RunError where the run does not name a setting of its checkpoint whose default was another then."""
    if model.amp == config.amp_config:
        return
    stored, asked = ({} if amp is None else amp.to_dict() for amp in (model.amp, config.amp_config))
    differing = [
        f"amp.{name}: {value!r} there" for name, value in stored.items() if asked.get(name) != value
    ]
    raise RunError(
        f"{newest} was learned with other settings. {'; '.join(differing)}. Name them in {folder.config}."
    )


def warm_start(model: AMPPPO, config: RunConfig, env: GymnasiumVecEnv, console: Console) -> None:
    """Fit the fresh policy to the reference's own actions, where the config asks for it."""
    cloning = config.warm_start
    if cloning is None or config.reference_path is None:
        return
    task = env.vector_env.unwrapped.task  # type: ignore[attr-defined]
    clips = load_clips(config.reference_path, task.robot)
    error = model.clone_behavior(*demonstrations(task, clips), cloning)
    console.print(
        f"warm start: {cloning.steps:,} steps of behaviour cloning, error {error:.3f}",
        highlight=False,
    )


def begin_trained(
    model: AMPPPO, trained_agent: str, env: GymnasiumVecEnv, console: Console
) -> None:
    """Give a fresh algorithm policy and critic of a trained one; optimisers, counters and the discriminator stay fresh.

    Raises:
        RunError: no such policy, or other networks. CheckpointError: damaged, or for other spaces or AMP features.
    """
    path = find_policy(trained_agent)
    trained = AMPPPO.load(
        path, env=env, seed=model.seed
    )  # loading seeds the environments: with the run's own seed
    for name in NETWORK_SETTINGS:
        theirs, ours = getattr(trained, name), getattr(model, name)
        if theirs != ours:
            raise RunError(
                f"trained_agent {path} was trained with {name} {theirs}, not {ours}. Ask for the same."
            )
    networks = {
        name: arrays for name, arrays in trained.get_parameters().items() if name != "discriminator"
    }
    model.set_parameters(networks, exact_match=False)
    console.print(f"beginning with the networks of {path}", highlight=False, markup=False)


def ppo_arguments(config: RunConfig) -> dict[str, Any]:
    """PPO's keyword arguments in the config."""
    return {name: getattr(config, name) for name in PPO_ARGUMENTS}


def _learn(model: AMPPPO, config: RunConfig, folder: RunDirectory, console: Console) -> int:
    left = config.n_timesteps - model.num_timesteps
    # Without its final.zip, or with that of a shorter run at this length's end, it was stopped between last step and last file.
    at_its_end = -config.n_steps * config.n_envs < left <= 0
    if (
        left <= 0
        and folder.final.is_file()
        and not (at_its_end and folder.final_steps() < model.num_timesteps)
    ):
        raise RunError(
            f"{folder.path} is finished: {model.num_timesteps:,} of {config.n_timesteps:,} steps."
            " Raise n_timesteps by --set to go on."
        )
    folder.write_config(config)  # a resumed run may go on for longer than it was begun for
    progress = ProgressCallback(config.n_timesteps, console, folder.told)
    evaluate = EvalCallback(folder, config, console, _best_so_far(folder, config))
    model.set_logger(make_logger(folder.progress, folder.tensorboard, model.num_timesteps, console))
    checkpoints = CheckpointCallback(folder, config, console)
    callbacks = [InfoMetricsCallback(METRICS), progress, evaluate, checkpoints]
    with stop_signals(checkpoints.on_signal):
        try:
            if (
                left > 0
            ):  # SB3 adds the steps done to the number given where it does not reset the count
                model.learn(left, callbacks, reset_num_timesteps=False)  # type: ignore[arg-type]
            else:
                for callback in (evaluate, checkpoints):
                    callback.init_callback(model)
            progress.stop()
            checkpoints.stop_if_asked()
            if config.eval.every:
                evaluate.evaluate()
            model.logger.record(STEPS, model.num_timesteps)
            model.logger.dump(model.num_timesteps)  # the last update's
            checkpoints.stop_if_asked()
            checkpoints.save()
        except Stopped as stop:
            console.print(
                f"Stopped at {model.num_timesteps:,} steps. {stop.saved}\nGo on with --resume.",
                soft_wrap=True,
                markup=False,
            )
            return 128 + stop.signum
        except KeyboardInterrupt:
            console.print("Stopped at once; the newest checkpoint is from before.")
            return 128 + signal.SIGINT
        finally:
            progress.stop()
            model.logger.close()
    return _save_final(model, folder, console)


def _save_final(model: AMPPPO, folder: RunDirectory, console: Console) -> int:
    try:
        model.save(folder.final, exclude=["replay_buffer"])
    except CheckpointError as error:
        raise RunError(
            f"final.zip was not written: {error} The run's checkpoints are in {folder.path}."
        ) from error
    with contextlib.suppress(RunError):  # a disk that was full for a while may have spoilt it
        if verdicts := verdicts_text(folder.progress):
            console.print(
                f"Verdicts on the discriminator, by iterations: {verdicts}",
                highlight=False,
                soft_wrap=True,
            )
    console.print(f"Done: {folder.final}", highlight=False, markup=False)
    return 0


def resumed_config(folder: RunDirectory, config: RunConfig) -> RunConfig:
    """The asked config, once it is made sure that it is the run's own but for how long and how closely watched."""
    was, now = run_config.from_mapping(folder.read_config()).resolved(), config.resolved()
    differing = [
        key
        for key in {**was, **now}
        if key.partition(".")[0] not in MAY_CHANGE and was.get(key) != now.get(key)
    ]
    if differing:
        detail = "; ".join(
            f"{key}: run {was.get(key)!r}, asked {now.get(key)!r}" for key in differing
        )
        same = f"`wildrobot train {folder.config} --out {folder.path} --resume`"
        raise RunError(
            f"{folder.path} was started with other settings. {detail}. Ask for the same, by {same}, or start anew."
        )
    return config


def _best_so_far(folder: RunDirectory, config: RunConfig) -> Score | None:
    """Score of best.zip, so that a resumed run does not overwrite it with a worse policy; None: it was judged otherwise."""
    if not folder.best.is_file():
        return None
    try:
        evaluation = checkpoint.read(folder.best)[0]["extra"]["evaluation"]
        wanted = protocol_of(config.eval)
        return eval_score(evaluation) if evaluation.get("protocol", wanted) == wanted else None
    except (CheckpointError, AttributeError, KeyError, TypeError):
        return None
