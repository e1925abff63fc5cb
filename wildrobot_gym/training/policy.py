"""Trained policies: where they are, and what is needed to run them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from jaxtyping import Float

from amp_sbx import AMPPPO, GymnasiumVecEnv
from amp_sbx.common import archive
from wildrobot_gym.config import build
from wildrobot_gym.env.registration import ENV_ID
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import ConfigError, RunError, unknown_name
from wildrobot_gym.evaluation.benchmark import evaluation_settings
from wildrobot_gym.files import file_digest
from wildrobot_gym.paths import POLICIES, motion_file
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import CommandConfig, EnvConfig
from wildrobot_gym.training.policy_fit import check_fits, observed
from wildrobot_gym.training.run_directory import MOTION_DIGESTS, RunDirectory


@dataclass(frozen=True)
class LoadedPolicy:
    """A trained policy with the settings of its environment. `load_policy` makes it.

    Called with observations (env, observation) it returns deterministic actions (env, joint) in -1
    to 1.

    Attributes:
        path: The policy's file.
        model: The algorithm with the policy's networks.
        env_kwargs: Settings of the environment it was trained in.

    Example:
        ```python
        policy = wr.load_policy("walk")
        env = policy.make_env(render_mode="rgb_array")
        obs, _ = env.reset(seed=0)
        env.get_wrapper_attr("set_commands")(vx=0.6)
        for _ in range(250):
            action, _ = policy.predict(obs)
            obs, *_ = env.step(action)
        ```
    """

    path: Path
    model: AMPPPO
    env_kwargs: dict[str, Any]

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        self._check(obs)
        return self.model.predict(obs, deterministic=True)[0]

    def predict(
        self, observation: np.ndarray, deterministic: bool = True
    ) -> tuple[Float[np.ndarray, "*env joint"], None]:
        """The action for one observation or a batch of them, as in Stable-Baselines3.

        Args:
            observation: (observation,) or (env, observation), as the environment gives it.
            deterministic: The distribution's mean, not a sample.

        Returns:
            The action (joint,) or (env, joint) in -1 to 1, and None in place of a recurrent state.

        Raises:
            ConfigError: The observation is of other channels or of another robot.
        """
        self._check(observation)
        return self.model.predict(observation, deterministic=deterministic)[0], None

    def make_env(self, **changes: Any) -> gym.Env:
        """A `WildRobot-v0` environment with the policy's own robot, observation and action.

        Args:
            **changes: Further arguments of `gym.make`, such as `render_mode`.
        """
        return gym.make(ENV_ID, **{**evaluation_settings(self.env_kwargs), **changes})

    def make_vec_env(self, num_envs: int, **changes: Any) -> VectorEnv:
        """The same as a vector environment.

        Args:
            num_envs: Number of robots.
            **changes: Further arguments of `gym.make_vec`.
        """
        settings = {**evaluation_settings(self.env_kwargs), **changes}
        return gym.make_vec(ENV_ID, num_envs=num_envs, **settings)

    def _check(self, obs: np.ndarray) -> None:
        """Raise ConfigError unless observations are as wide as the policy's."""
        wanted, got = self.model.observation_space.shape, np.shape(obs)
        if wanted is None or got[-1:] == wanted:
            return
        config = build(EnvConfig, evaluation_settings(self.env_kwargs), "env_kwargs")
        raise ConfigError(
            f"The observation has shape {got}, but the policy {self.path} for the robot"
            f" {config.robot!r} observes {wanted[0]} numbers: {observed(config.observation)}."
            " Use an environment of its own `make_env` or `make_vec_env`."
        )

    @property
    def command(self) -> CommandConfig:
        """The ranges of commands that it was trained with."""
        given = self.env_kwargs.get("commands")
        command: CommandConfig = build(CommandConfig, given, "env_kwargs.commands")
        return command

    @property
    def run_directory(self) -> RunDirectory | None:
        """The run that this policy is of; None for a file that is not in a run directory."""
        for run in (RunDirectory(self.path.parent), RunDirectory(self.path.parent.parent)):
            if run.holds_a_run() and self.path in _candidates(run.path):
                return run
        return None

    @property
    def reference(self) -> str | None:
        """Name of the motion that AMP imitated; without AMP, of the one its episodes started in."""
        return self.model.extra.get("reference") or self.env_kwargs.get("reference")

    @property
    def knows_its_motion(self) -> bool:
        """Whether the file holds the digest of its reference motion."""
        return self._motion_digest is not None

    @property
    def _motion_digest(self) -> str | None:
        return (self.model.extra.get(MOTION_DIGESTS) or {}).get(self.reference)

    def learned_from(self, motion: Path) -> bool:
        """Whether a file is its reference motion, by digest if that is known, else by name."""
        if self.reference is None:
            return False
        if self._motion_digest is None:
            return motion_file(self.reference).resolve() == motion.resolve()
        return motion.is_file() and file_digest(motion) == self._motion_digest

    def description(self) -> dict[str, Any]:
        """What a results file says of it."""
        return {
            "file": self.path.name,
            "num_timesteps": self.model.num_timesteps,
            "env_kwargs": self.env_kwargs,
        }


def load_policy(policy: str | Path, robot: str | None = None) -> LoadedPolicy:
    """Load a policy for `WildRobot-v0`.

    Args:
        policy: A shipped name ("walk"), a .zip file, or a run directory, whose best policy is
            taken.
        robot: The robot to run it on; the one it was trained on if None.

    Raises:
        RunError: There is no such policy, or it is of another environment or robot.
        amp_sbx.CheckpointError: The file is damaged, or for other spaces or AMP features.
    """
    path = find_policy(policy)
    extra = archive.read_meta(path).get("extra")
    if isinstance(extra, Mapping) and extra.get("env_id", ENV_ID) != ENV_ID:
        raise RunError(
            f"{path} is a policy of {extra['env_id']}. Run it with `wildrobot motion perform`."
        )
    stored = extra.get("env_kwargs") if isinstance(extra, Mapping) else None
    trained: dict[str, Any] = dict(stored) if isinstance(stored, Mapping) else {}
    if robot is not None:
        _check_robot(path, str(trained.get("robot", EnvConfig.robot)), robot)
    env_kwargs = trained if robot is None else trained | {"robot": robot}
    # One environment is enough to compare spaces and feature layout with the file's.
    # Never stepped, so the engine that needs no compilation will do. What its critic saw is left
    # out: acting needs none of it, and randomization could name a module, which no file may import.
    probe = WildRobotVectorEnv(
        1,
        backend="native",
        autoreset_mode=AutoresetMode.SAME_STEP,
        **evaluation_settings(env_kwargs),
    )
    try:
        check_fits(path, trained, probe)
        model = AMPPPO.load(path, env=GymnasiumVecEnv(probe))
    finally:
        probe.close()
    return LoadedPolicy(path, model, env_kwargs)


def _check_robot(path: Path, trained_on: str, robot: str) -> None:
    """Raise RunError where a policy's own robot has other joints than the one to run it on."""
    own, other = RobotModel.load(trained_on), RobotModel.load(robot)
    if own.joint_names != other.joint_names:
        raise RunError(
            f"{path} was trained on {own.name!r}, whose joints are {', '.join(own.joint_names)}."
            f" {other.name!r} has {', '.join(other.joint_names)}. Allowed: a robot with the same"
            " joints, in the same order. Train a policy of its own: `wildrobot train walk_amp --set"
            f" env_kwargs.robot={robot}`."
        )


def find_policy(policy: str | Path) -> Path:
    """The file of a policy.

    In a directory it is the first that exists of policy.zip, best.zip, final.zip and the newest
    checkpoint. A shipped name always means the shipped policy. For a local file of that name, write
    `./walk`.

    Args:
        policy: A shipped name, a .zip file, or a run directory.

    Raises:
        RunError: There is no such policy.
    """
    shipped = [folder.name for folder in POLICIES.glob("*") if folder.is_dir()]
    given = (Path(policy), Path(f"{policy}.zip"))
    places = (POLICIES / policy,) if policy in shipped else given
    for place in places:
        if place.is_file():
            return place
        if place.is_dir():
            for candidate in _candidates(place):
                if candidate.is_file():
                    return candidate
            raise RunError(
                f"The directory {place} holds no policy: no policy.zip, best.zip, final.zip or"
                " checkpoint."
            )
    raise RunError(
        unknown_name("policy", str(policy), shipped) + " Or give a .zip file or a run directory."
    )


def _candidates(directory: Path) -> Iterator[Path]:
    run = RunDirectory(directory)
    yield from (directory / "policy.zip", run.best, run.final)
    yield from reversed(run.checkpoints())
