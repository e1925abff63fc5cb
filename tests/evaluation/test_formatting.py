"""Intervals as text."""

from wildrobot_gym.evaluation.formatting import cell, half_text, mean_text, range_text

INTERVAL = {"mean": 0.25, "low": 0.2, "high": 0.3}
NOTHING = {"mean": None, "low": None, "high": None}


def test_an_interval_as_text():
    assert (mean_text(INTERVAL), half_text(INTERVAL), range_text(INTERVAL, 1)) == (
        "0.250",
        "±0.050",
        "0.2 ... 0.3",
    )
    assert cell(INTERVAL, "; ") == "0.250; [dim]±0.050[/]"


def test_no_metric():
    for nothing in (None, NOTHING):
        assert (mean_text(nothing), half_text(nothing), range_text(nothing), cell(nothing)) == (
            "-",
            "",
            "",
            "-",
        )
