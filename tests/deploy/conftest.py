"""An exported policy, without the rollouts that an export is checked with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from gymnasium.vector import AutoresetMode

sys.path.insert(0, str(Path(__file__).parent))  # robot_process

from amp_sbx import AMPPPO, GymnasiumVecEnv
from amp_sbx.algorithm.plain_actor import plain_actor
from wildrobot_gym.deploy.controller import Controller
from wildrobot_gym.env.registration import ENV_ID
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.experiments.export.describe import describe_policy
from wildrobot_gym.experiments.export.export import write_network
from wildrobot_gym.files import file_digest, write_json
from wildrobot_gym.training.policy import LoadedPolicy, load_policy


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped policy `walk` as arrays."""
    return written(load_policy("walk"), tmp_path_factory.mktemp("deploy") / "walk")


@pytest.fixture(scope="session")
def plain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random policy with the default observation: the base's velocity, no history."""
    place = tmp_path_factory.mktemp("plain")
    env = GymnasiumVecEnv(
        WildRobotVectorEnv(1, backend="native", autoreset_mode=AutoresetMode.SAME_STEP)
    )
    model = AMPPPO("MlpPolicy", env, n_steps=8, batch_size=8, seed=3)
    env.close()
    model.extra = {"env_id": ENV_ID, "env_kwargs": {}}
    model.save(place / "plain.zip")
    return written(load_policy(place / "plain.zip"), place / "plain")


def written(policy: LoadedPolicy, path: Path) -> Path:
    """A policy as arrays."""
    actor = plain_actor(policy.model)
    content = describe_policy(policy, actor, "walk", "MIT", None)
    file = path / "policy.npz"
    write_network(file, "npz", actor, content)
    content["network"] |= {"file": file.name, "format": "npz", "sha256": file_digest(file)}
    write_json(path / "policy.json", content)
    return path


@pytest.fixture
def controller(folder: Path) -> Controller:
    """The policy as a controller."""
    return Controller.load(folder)


@pytest.fixture
def plain_controller(plain_folder: Path) -> Controller:
    """The random policy as a controller."""
    return Controller.load(plain_folder)
