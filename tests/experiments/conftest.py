"""Fixtures of the tests of experiments."""

import pytest
from study_files import FakeProcesses

from wildrobot_gym.experiments.study import processes as study_processes


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in; its path."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def fake(monkeypatch):
    def run_command(arguments, log, *_):
        return FakeProcesses().execute(arguments, log)

    monkeypatch.setattr(study_processes, "run_command", run_command)
    monkeypatch.setattr(FakeProcesses, "calls", [])
    monkeypatch.setattr(FakeProcesses, "codes", {})
    return FakeProcesses
