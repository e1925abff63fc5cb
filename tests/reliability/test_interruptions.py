"""Commands that are interrupted and started again have written what they would have written."""

import pytest

pytest.importorskip("resource")  # Windows has none

from interruptions import LONGEST_ANSWER_S, attempt

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("command", "times"), [("train", 5), ("eval --json", 2), ("export", 2)])
def test_an_interrupted_command_comes_to_the_same_end(command, times):
    tally = attempt(command, times, seed=1)
    assert tally.tried.total() > 0 and not tally.faults
    # A machine that does other things answers later: three times, before a test fails.
    assert all(answer < 3 * LONGEST_ANSWER_S for answer, _ in tally.answers)
