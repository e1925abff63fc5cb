"""Trained policies: where they lie, and what is needed to run them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from amp_sbx import AMPPPO, GymnasiumVecEnv
from amp_sbx.common import archive as checkpoint
from wildrobot_gym.env.registration import ENV_ID
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import RunError, unknown_name
from wildrobot_gym.evaluation.benchmark import evaluation_settings
from wildrobot_gym.files import file_digest
from wildrobot_gym.paths import POLICIES, motion_file
from wildrobot_gym.training.config import MOTION_DIGESTS
from wildrobot_gym.training.run_directory import RunDirectory


@dataclass(frozen=True)
class LoadedPolicy:
    """A deterministic policy: a callable from observations (env, obs) to actions (env, joint), and its settings."""

    path: Path
    model: AMPPPO
    env_kwargs: dict[str, Any]

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        return self.model.predict(obs, deterministic=True)[0]

    @property
    def run_directory(self) -> RunDirectory | None:
        """The run that this policy is of, where the file lies as a run puts it; None for a file on its own."""
        for folder in (RunDirectory(self.path.parent), RunDirectory(self.path.parent.parent)):
            if folder.holds_a_run() and self.path in _candidates(folder.path):
                return folder
        return None

    @property
    def reference(self) -> str | None:
        """The reference motion it learned from by AMP, else (and in older files) the one its episodes began in; or None."""
        return self.model.extra.get("reference") or self.env_kwargs.get("reference")

    @property
    def knows_its_motion(self) -> bool:
        """Whether it knows its reference motion by digest, as `wildrobot train` leaves it, and not by name alone."""
        return self._motion_digest is not None

    @property
    def _motion_digest(self) -> str | None:
        return (self.model.extra.get(MOTION_DIGESTS) or {}).get(self.reference)

    def learned_from(self, motion: Path) -> bool:
        """Whether that file is its reference motion: as it was in training, where it knows it by digest; else by name."""
        if self.reference is None:
            return False
        if self._motion_digest is None:
            return motion_file(self.reference).resolve() == motion.resolve()
        return motion.is_file() and file_digest(motion) == self._motion_digest

    def description(self) -> dict[str, Any]:
        """For a results file."""
        return {
            "file": self.path.name,
            "num_timesteps": self.model.num_timesteps,
            "env_kwargs": self.env_kwargs,
        }


def load_policy(policy: str, robot: str | None = None) -> LoadedPolicy:
    """A policy from a file, a run folder or a shipped name; its observations and features must be those of ``robot``.

    Raises:
        RunError: nothing there. CheckpointError: damaged, foreign, or made for another robot.
    """
    path = find_policy(policy)
    extra = checkpoint.read_meta(path).get("extra")
    if isinstance(extra, Mapping) and extra.get("env_id", ENV_ID) != ENV_ID:
        raise RunError(
            f"{path} is a policy of {extra['env_id']}; it is run by `wildrobot motion perform`."
        )
    stored = extra.get("env_kwargs") if isinstance(extra, Mapping) else None
    env_kwargs: dict[str, Any] = dict(stored) if isinstance(stored, Mapping) else {}
    if robot is not None:
        env_kwargs["robot"] = robot
    # One environment is enough to compare spaces and feature layout with the file's.
    probe = WildRobotVectorEnv(
        1, autoreset_mode=AutoresetMode.SAME_STEP, **evaluation_settings(env_kwargs)
    )
    try:
        model = AMPPPO.load(path, env=GymnasiumVecEnv(probe))
    finally:
        probe.close()
    return LoadedPolicy(path, model, env_kwargs)


def find_policy(policy: str) -> Path:
    """A file, or the best of a folder: policy.zip, best.zip, final.zip, else the newest checkpoint.

    A shipped name is the shipped policy (a motion's likewise), whatever lies in this folder: ``./walk`` is what does.

    Raises:
        RunError: no such file, folder or shipped name, or a folder without a policy.
    """
    shipped = [folder.name for folder in POLICIES.glob("*") if folder.is_dir()]
    for place in (
        (POLICIES / policy,) if policy in shipped else (Path(policy), Path(f"{policy}.zip"))
    ):
        if place.is_file():
            return place
        if place.is_dir():
            for candidate in _candidates(place):
                if candidate.is_file():
                    return candidate
            raise RunError(
                f"The folder {place} holds no policy: no policy.zip, best.zip, final.zip or checkpoint."
            )
    raise RunError(
        unknown_name("policy", policy, shipped) + " Or give a .zip file or a run folder."
    )


def _candidates(folder: Path) -> Iterator[Path]:
    run = RunDirectory(folder)
    yield from (folder / "policy.zip", run.best, run.final)
    yield from reversed(run.checkpoints())
