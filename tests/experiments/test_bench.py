"""The ratios of the speed benchmark. Measuring is left to the command."""

import io
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
from rich.console import Console

from amp_sbx import AMPPPO
from amp_sbx.algorithm.cloning import CloningConfig
from wildrobot_gym.cli.bench import speed_table
from wildrobot_gym.experiments.bench import cases
from wildrobot_gym.experiments.bench.bench import AMP_FRACTION, BenchResult, ratios_of
from wildrobot_gym.experiments.settings import BenchSettings


def test_ratios_are_of_rounds_and_the_amp_fraction_is_of_time():
    """Rounds of 90/100, 96/100 and 45/50 iterations a second: an iteration takes 1/0.9 as long."""
    samples = {
        "train_steps_per_s": [90.0, 96.0, 45.0],
        "train_no_amp_steps_per_s": [100.0, 100.0, 50.0],
    }
    ratios = ratios_of({name: values[0] for name, values in samples.items()}, samples)
    assert ratios == pytest.approx(
        {"train_over_train_no_amp": 0.9, "amp_fraction_of_training_time": 0.1}
    )
    with_amp, without = 1 / 0.9, 1.0  # seconds an iteration
    assert ratios[AMP_FRACTION] == pytest.approx((with_amp - without) / with_amp)


def test_the_table_says_what_the_fraction_is_of():
    result = BenchResult({}, {AMP_FRACTION: 0.037}, {}, {}, BenchSettings(envs=8))
    console = Console(file=io.StringIO(), width=120)
    console.print(speed_table(result))
    text = console.file.getvalue()
    assert "discriminator, health and sampling, fraction of training time (bar 0.1)" in text
    assert "0.037" in text


def test_a_model_begins_with_a_policy_s_networks_or_imitates_it(monkeypatch):
    """As an equivariant policy does, whose networks are not the shipped one's."""

    def model(*net_arch):
        env = gym.make_vec("Pendulum-v1", num_envs=2)
        return AMPPPO("MlpPolicy", env, 1e-3, 8, 8, policy_kwargs={"net_arch": [*net_arch]}, seed=0)

    monkeypatch.setattr(cases, "IMITATION", CloningConfig(steps=300, learning_rate=0.01, noise=0.0))
    shipped, equal, other = model(8), model(8), model(16, 4)
    params = shipped.policy.actor_state.params
    params["params"]["Dense_1"]["bias"] += 0.5
    observations = np.random.default_rng(0).uniform(-1, 1, (10, 20, 3)).astype(np.float32)

    def actions(of):
        flat = of.predict(observations.reshape(-1, 3), deterministic=True)[0]
        return flat.reshape(10, 20, 1)

    wanted = actions(shipped)
    for begun, tolerance in ((equal, 0.0), (other, 0.15)):
        assert abs(actions(begun) - wanted).mean() > 2 * tolerance + 0.05
        cases.start_like(begun, SimpleNamespace(model=shipped), observations, wanted)
        assert abs(actions(begun) - wanted).mean() <= tolerance
