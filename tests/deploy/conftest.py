"""An exported policy, without the rollouts that an export is checked with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # robot_process

from amp_sbx.algorithm.plain_actor import plain_actor
from wildrobot_gym.deploy.controller import Controller
from wildrobot_gym.experiments.export.describe import describe_policy
from wildrobot_gym.experiments.export.export import write_network
from wildrobot_gym.files import file_digest, write_json
from wildrobot_gym.training.policy import load_policy


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped policy `walk` as arrays."""
    path = tmp_path_factory.mktemp("deploy") / "walk"
    policy = load_policy("walk")
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
