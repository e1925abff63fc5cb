"""A run's metrics in Weights & Biases, by its own callback for Stable-Baselines3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback

from wildrobot_gym.errors import RunError
from wildrobot_gym.extras import require
from wildrobot_gym.reporting import Reporter
from wildrobot_gym.training.config import RunConfig
from wildrobot_gym.training.run_directory import RunDirectory
from wildrobot_gym.training.versions import versions

INTEGRATION = "wandb.integration.sb3"
EXTRA = "wandb"


def check_wandb(config: RunConfig) -> None:
    """Check that W&B is installed where the config asks for it.

    Raises:
        MissingPackageError: It is not. The message says what to install.
    """
    if config.wandb.enabled:
        require(INTEGRATION, EXTRA)


@contextmanager
def wandb_run(
    config: RunConfig, run: RunDirectory, report: Reporter
) -> Iterator[list[BaseCallback]]:
    """A run of W&B while this is open. Open it before TensorBoard's writer, which it copies.

    W&B gets the settings, the package versions, the metrics and TensorBoard's files. It gets no
    motion, policy or code.

    Args:
        config: The run's settings.
        run: Where W&B's own files go. A resumed run continues its W&B run.
        report: Receives the address.

    Yields:
        The callbacks for `learn`; none where the config does not ask for W&B.

    Raises:
        RunError: W&B refuses to start, such as without a login.
    """
    if not config.wandb.enabled:
        yield []
        return
    wandb = require("wandb", EXTRA)
    base: Any = require(INTEGRATION, EXTRA).WandbCallback

    class Callback(base):
        def _init_callback(self) -> None:
            # W&B's own callback uploads every attribute as text, with numbers of the reference.
            plain = {k: v for k, v in vars(self.model).items() if isinstance(v, int | float | str)}
            wandb.config.setdefaults({"algo": type(self.model).__name__, **plain})

    try:
        session = wandb.init(
            project=config.wandb.project,
            entity=config.wandb.entity,
            name=run.path.name,
            id=_earlier_id(run),
            resume="allow",
            dir=str(run.path),
            config={**config.to_mapping(), "versions": versions()},
            sync_tensorboard=True,
            settings=_settings(wandb),
        )
    except wandb.Error as error:
        raise RunError(
            f"W&B does not start: {error} Log in with `wandb login`, set WANDB_MODE=offline, or"
            f" set wandb.enabled=false. Then type `wildrobot train {run.config} --out {run.path}"
            " --resume`."
        ) from error
    report.info(f"W&B run: {session.dir if session.offline else session.url}")
    failed = True
    try:
        yield [Callback()]
        failed = False
    finally:
        session.finish(exit_code=int(failed))


def _settings(wandb: Any) -> Any:
    """No copies of the code, its changes or the console, and no other output than an error."""
    return wandb.Settings(disable_code=True, disable_git=True, console="off", silent=True)


def _earlier_id(run: RunDirectory) -> str | None:
    """The id of the W&B run that this run began; None without one."""
    earlier = sorted((run.path / "wandb").glob("*run-*-*"))
    return earlier[-1].name.rpartition("-")[2] if earlier else None
