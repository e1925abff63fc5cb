"""`wildrobot train` under the seed documents' name and flags."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import tyro

from wildrobot_gym.cli.main import main as wildrobot
from wildrobot_gym.console.error_handling import TYRO_CONFIG, exit_code_of
from wildrobot_gym.training.config import load

VERIFY = ("n_envs=64", "n_steps=8", "batch_size=256", "checkpoint_every=1000000", "eval.every=0")


def arguments_of(
    config: str = "ppo_amass_training",
    iterations: int | None = None,
    num_envs: int | None = None,
    lr: float | None = None,
    amp_weight: float | None = None,
    amp_data: str | None = None,
    seed: int | None = None,
    verify: bool = False,
    no_amp: Annotated[bool, tyro.conf.arg(name="no-amp")] = False,
    out: Path | None = None,
) -> list[str]:
    """Train as the seed documents write it.

    Args:
        config: A shipped config's name or a YAML file.
        iterations: Iterations of collecting and learning.
        num_envs: Parallel environments.
        lr: Learning rate.
        amp_weight: Weight of the style reward.
        amp_data: Reference motion, a shipped name or an .npz file.
        seed: Random seed for training and evaluation.
        verify: A quick smoke test: three small iterations.
        no_amp: Train with the task reward alone.
        out: Run directory.
    """
    settings = list(VERIFY) if verify else []
    for name, value in (("n_envs", num_envs), ("learning_rate", lr)):
        if value is not None:
            settings.append(f"{name}={value}")
    if no_amp:
        settings.append("amp=null")
    else:
        for name, value in (("amp.weight", amp_weight), ("amp.reference", amp_data)):
            if value is not None:
                settings.append(f"{name}={value}")
    if verify and iterations is None:
        iterations = 3
    if iterations is not None:
        resolved = load(config, settings, seed)
        settings.append(f"n_timesteps={iterations * resolved.env.n_envs * resolved.ppo.n_steps}")
    arguments = ["train", config]
    for setting in settings:
        arguments += ["--set", setting]
    if seed is not None:
        arguments += ["--seed", str(seed)]
    return arguments if out is None else [*arguments, "--out", str(out)]


def main(arguments: list[str] | None = None) -> int:
    """Translate the flags and train; the exit code."""

    def translated_and_run() -> int:
        return wildrobot(tyro.cli(arguments_of, args=arguments, config=TYRO_CONFIG))

    return exit_code_of(translated_and_run, "train.py")


if __name__ == "__main__":
    sys.exit(main())
