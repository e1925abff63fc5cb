"""The shipped policies walk."""

import json

import pytest

from amp_sbx.common import archive
from wildrobot_gym.evaluation.benchmark import WalkBenchmark
from wildrobot_gym.paths import POLICIES
from wildrobot_gym.training.policy import find_policy, load_policy


@pytest.mark.slow  # test_self_imitation has a short walk of the first
@pytest.mark.parametrize("name", ["walk", "walk_8dof"])
def test_the_shipped_policy_walks(name):
    policy = load_policy(name)
    benchmark = WalkBenchmark(policy.env_kwargs, commands=(0.4, 0.6), episodes=4)
    try:
        result = benchmark.run(policy)
    finally:
        benchmark.close()
    metrics = result.overall
    assert metrics["survived"]["mean"] == 1.0
    assert metrics["success"]["mean"] >= 0.75
    shipped = json.loads((POLICIES / name / "results.json").read_text())["commands"]
    for command, found in result.by_command.items():
        wanted = shipped[f"{command:g}"]
        for metric, apart in (("velocity_error", 0.01), ("cadence", 0.05), ("clearance", 0.002)):
            assert found[metric]["mean"] == pytest.approx(wanted[metric]["mean"], abs=apart)


def test_a_shipped_name_is_not_hidden_by_a_file_of_the_same_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walk.zip").touch()
    assert find_policy("walk") == POLICIES / "walk" / "policy.zip"
    for own in ("./walk", "walk.zip"):
        assert find_policy(own).resolve() == tmp_path / "walk.zip"


@pytest.mark.parametrize("path", sorted(POLICIES.glob("*/policy.zip")), ids=lambda p: p.parent.name)
def test_a_shipped_policy_is_without_what_only_a_resumed_run_needs(path):
    """The discriminator's past samples would be 20 times as large as all the rest."""
    _, arrays = archive.read(path)
    assert arrays["amp/replay/data"].size == 0
