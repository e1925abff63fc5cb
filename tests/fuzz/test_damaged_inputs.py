"""Files that are damaged at drawn places: each reader gives a value, or says what is wrong."""

import numpy as np
import pytest
from trial import LONGEST_MESSAGE, READERS, Outcome, Reader, attempt

from wildrobot_gym.errors import MotionError, shortened

CASES = 12


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused(name):
    outcome = attempt(name, READERS[name], CASES)
    assert outcome.faults == []
    assert outcome.tried == outcome.taken + outcome.refused == CASES


def test_the_trial_finds_what_must_not_be(tmp_path):
    """A reader with each fault that a trial looks for."""

    def make(folder):
        (folder / "good.txt").write_text("good")
        return folder / "good.txt"

    def faults(read) -> Outcome:
        def careful(path):
            return None if path.read_text() == "good" else read(path)

        return attempt("x", Reader(make, careful, lambda rng, content: b"bad"), 1)

    def raising(error):
        def read(path):
            raise error

        return read

    assert "does not name the file" in faults(raising(MotionError("wrong"))).faults[0]
    assert faults(raising(MotionError("good.txt is wrong"))).faults == []
    assert "TypeError" in faults(raising(TypeError("wrong"))).faults[0]
    assert any("wrote" in f for f in faults(lambda p: (p.parent / "new").touch()).faults)
    assert any("did open" in f for f in faults(lambda p: p.write_text("x")).faults)
    assert any("GB" in f for f in faults(lambda p: np.ones(300_000_000).sum()).faults)


def test_long_messages_keep_their_begin_and_their_end():
    text = f"clip.npz: 'x' is {'9' * 5000}; allowed: a number. " + "Repair it. " * 3
    short = shortened(text)
    assert short.startswith("clip.npz: 'x' is 999") and short.endswith("Repair it. ")
    assert len(short) <= LONGEST_MESSAGE
    assert len(shortened("word " * 1000)) <= LONGEST_MESSAGE and shortened("short") == "short"
