"""The tests of AMP's parts (reference, discriminator, losses, replay, style reward, update) under
the seed documents' name.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent / "tests" / "amp_sbx"


def main(arguments: list[str] | None = None) -> int:
    """pytest's exit code; its options may follow."""
    return int(pytest.main([str(TESTS), *(sys.argv[1:] if arguments is None else arguments)]))


if __name__ == "__main__":
    sys.exit(main())
