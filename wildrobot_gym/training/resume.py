"""What a run must have in common with the one it continues."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from amp_sbx import AMPPPO
from wildrobot_gym.errors import RunError
from wildrobot_gym.physics.backends import AUTO
from wildrobot_gym.training.config import RunConfig, from_mapping
from wildrobot_gym.training.run_directory import RunDirectory

# Settings that can change when a run is resumed.
MAY_CHANGE = ("n_timesteps", "checkpoint_every", "keep_checkpoints", "eval", "wandb")


def check_same_run(run: RunDirectory, config: RunConfig) -> RunConfig:
    """Check that a run was started with these settings, except those in `MAY_CHANGE`.

    Returns:
        The settings to continue with. The backend "auto" stands for the run's own engine, whatever
        this machine would choose: the state of another one does not continue bit for bit.

    Raises:
        RunError: They differ. The message names each setting that does.
    """
    stored = from_mapping(run.read_config())
    if config.env.backend == AUTO:
        config = replace(config, env=replace(config.env, backend=stored.env.backend))
    was, now = stored.resolved(), config.resolved()
    differing = [
        key
        for key in {**was, **now}
        if key.partition(".")[0] not in MAY_CHANGE and was.get(key) != now.get(key)
    ]
    if differing:
        detail = "; ".join(
            f"{key}: run {was.get(key)!r}, asked {now.get(key)!r}" for key in differing
        )
        same = f"`wildrobot train {run.config} --out {run.path} --resume`"
        raise RunError(
            f"{run.path} was started with other settings. {detail}."
            f" Use the same ones, by {same}, or start a new run."
        )
    return config


def check_amp(checkpoint: Path, model: AMPPPO, config: RunConfig, run: RunDirectory) -> None:
    """Check that a checkpoint's AMP settings are the run's.

    A default that changed between two versions makes them differ.

    Raises:
        RunError: They differ. The message says what to write into config.yaml.
    """
    if model.amp == config.amp:
        return
    stored, asked = ({} if amp is None else amp.to_dict() for amp in (model.amp, config.amp))
    differing = [
        f"amp.{name}: {value!r} there" for name, value in stored.items() if asked.get(name) != value
    ]
    raise RunError(
        f"{checkpoint} was learned with other settings. {'; '.join(differing)}."
        f" Write them into {run.config}."
    )
