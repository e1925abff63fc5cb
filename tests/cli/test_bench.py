"""``wildrobot bench``: how its ratios come about; the measuring itself is left to the command."""

import io

import pytest
from rich.console import Console

from wildrobot_gym.cli import bench


def test_ratios_are_of_the_rounds_and_amps_share_is_of_time():
    """Rounds of 90/100, 96/100 and 45/50 iterations a second: AMP's iterations take 1/0.9 as long, a tenth of it its own."""
    samples = {
        "train_steps_per_s": [90.0, 96.0, 45.0],
        "train_no_amp_steps_per_s": [100.0, 100.0, 50.0],
    }
    ratios = bench._ratios({name: values[0] for name, values in samples.items()}, samples)
    assert ratios == pytest.approx(
        {"train_over_train_no_amp": 0.9, "amp_fraction_of_training_time": 0.1}
    )
    with_amp, without = 1 / 0.9, 1.0  # seconds an iteration
    assert ratios[bench.AMP_SHARE] == pytest.approx((with_amp - without) / with_amp)


def test_the_table_says_what_the_share_is_of():
    console = Console(file=io.StringIO(), width=120)
    bench._print(
        {"num_envs": 8, "figures": {}, "ratios": {bench.AMP_SHARE: 0.037}, "notes": {}}, console
    )
    said = console.file.getvalue()
    assert (
        "discriminator, health and sampling, share of training time (bar 0.1)" in said
        and "0.037" in said
    )
