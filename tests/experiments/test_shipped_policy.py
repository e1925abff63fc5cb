"""The shipped policies walk."""

import pytest

from wildrobot_gym.evaluation.benchmark import WalkBenchmark
from wildrobot_gym.paths import POLICIES
from wildrobot_gym.training.policy import find_policy, load_policy


@pytest.mark.slow  # test_self_imitation has a short walk of the first
@pytest.mark.parametrize("name", ["walk", "walk_8dof"])
def test_the_shipped_policy_walks(name):
    policy = load_policy(name)
    benchmark = WalkBenchmark(policy.env_kwargs, commands=(0.4, 0.6), episodes=4)
    try:
        metrics = benchmark.run(policy).to_json()["overall"]
    finally:
        benchmark.close()
    assert metrics["survived"]["mean"] == 1.0
    assert metrics["success"]["mean"] >= 0.75


def test_a_shipped_name_is_not_hidden_by_a_file_of_the_same_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walk.zip").touch()
    assert find_policy("walk") == POLICIES / "walk" / "policy.zip"
    for own in ("./walk", "walk.zip"):
        assert find_policy(own).resolve() == tmp_path / "walk.zip"
