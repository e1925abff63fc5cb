"""Output and metrics of a run on a disk that is full."""

import csv
import errno
import io
import sys

import numpy as np
import pytest

from wildrobot_gym.console.output import training_console
from wildrobot_gym.evaluation.progress import STEPS, read_columns
from wildrobot_gym.reporting import SILENT
from wildrobot_gym.training.events import RunEvent, append_event, cut_events, read_events
from wildrobot_gym.training.logger import OptionalWriter, ProgressCsv


def test_a_full_disk_under_the_output_does_not_stop_training(monkeypatch):
    class Full(io.StringIO):
        code = errno.ENOSPC

        def write(self, text):
            raise OSError(self.code, "")

    monkeypatch.setattr(sys, "stdout", Full())
    console = training_console()
    console.print("64 of 256 steps")
    Full.code = errno.EIO
    with pytest.raises(OSError, match="5"):
        console.print("128 of 256 steps")


def test_no_output_at_all_does_not_stop_training(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    training_console().print("64 of 256 steps")


def test_progress_is_written_whole_after_a_full_disk(tmp_path, monkeypatch):
    progress = ProgressCsv(tmp_path / "progress.csv")
    progress.write({STEPS: 1, "a": 0.5}, {})

    def half(self, row):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full, pytest.raises(OSError, match="No space"):
        full.setattr(csv.DictWriter, "writerow", half)
        progress.write({STEPS: 2, "a": 1.5}, {})
    with open(tmp_path / "progress.csv", "a") as stream:
        stream.write("1.")  # what the disk still took
    progress.write({STEPS: 3, "a": 2.5}, {})
    columns = read_columns(tmp_path / "progress.csv")
    assert columns["a"].tolist() == [0.5, 1.5, 2.5]


def test_a_run_that_repeats_its_end_adds_no_row(tmp_path):
    path = tmp_path / "progress.csv"
    ends = {STEPS: 2, "loss": 0.25}, {STEPS: 2, "eval": 0.5}, {STEPS: 2, "loss": 0.125}
    rows = [{STEPS: 1, "loss": 0.5}, *ends]
    for kept in (0, 2):
        progress = ProgressCsv(path, kept)
        for row in rows:
            progress.write(row, {})
        rows = [*ends[1:], {STEPS: 2}]
        columns = read_columns(path)
        np.testing.assert_array_equal(columns["loss"], [0.5, 0.25, 0.125])
        np.testing.assert_array_equal(columns["eval"], [np.nan, 0.5, np.nan])


def test_a_writer_that_fails_warns_once(monkeypatch):
    warnings = []
    monkeypatch.setattr(type(SILENT), "warning", lambda _, text: warnings.append(text))

    class Broken:
        def write(self, *_):
            raise OSError(errno.ENOSPC, "No space left on device")

    writer = OptionalWriter(Broken(), "progress.csv", SILENT)
    writer.write({}, {})
    writer.write({}, {})
    assert len(warnings) == 1 and "Cannot write progress.csv" in warnings[0]


def test_events_are_kept_up_to_the_step_that_a_run_resumes_from(tmp_path):
    file = tmp_path / "events.jsonl"
    assert read_events(file) == []
    events = [
        RunEvent(64, "verdict", "discriminator shortcut", {"verdict": "shortcut"}, time=1.5),
        RunEvent(128, "adapt", "amp.disc_lr 1e-4 -> 2e-4", time=2.0),
        RunEvent(192, "verdict", "discriminator healthy again", {"verdict": "healthy"}, time=3.0),
    ]
    for event in events:
        append_event(file, event)
    assert read_events(file) == events
    with open(file, "a") as stream:
        stream.write('{"time": 4.0, "num_times')  # what a full disk still took
    cut_events(file, 128)
    assert read_events(file) == events[:2]
    cut_events(tmp_path / "none.jsonl", 128)
    append_event(tmp_path / "missing" / "events.jsonl", events[0])  # lost, without an error
