"""Reads code blocks out of the documentation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "examples" / "README.md",
]
_BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)^(?P=indent)```$", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: The file.
        line: Line number of its first line of code.
        language: As given behind the fence; empty for shell commands.
        code: Its lines, without the fence's indent.
    """

    page: Path
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """All blocks of these languages, page by page."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            if match["language"] in languages:
                indent = match["indent"]
                code = re.sub(f"^{indent}", "", match["code"], flags=re.M)
                line = text.count("\n", 0, match.start("code")) + 1
                found.append(Block(page, line, match["language"], code))
    return found


def inline_code() -> list[tuple[Path, str]]:
    """Code between single backticks in prose and tables, page by page."""
    return [
        (page, code)
        for page in PAGES
        for code in re.findall(r"`([^`\n]+)`", _BLOCK.sub("", page.read_text(encoding="utf-8")))
    ]
