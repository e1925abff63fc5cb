"""Fixtures for documentation and examples."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tiny, doc_blocks

from tiny import shrink


@pytest.fixture(scope="session")
def kept() -> dict[str, Any]:
    """Policies, references and results that documented code shares."""
    return {}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: dict[str, Any]) -> Path:
    """Small sizes for everything; the working directory is a new folder, which is returned."""
    monkeypatch.chdir(tmp_path)
    shrink(monkeypatch, tmp_path, kept)
    return tmp_path
