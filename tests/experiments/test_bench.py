"""The ratios of the speed benchmark. Measuring is left to the command."""

import io

import pytest
from rich.console import Console

from wildrobot_gym.cli.bench import speed_table
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
