"""The documentation's website builds without a warning and loads nothing from other hosts."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from doc_blocks import ROOT

mkdocs_build = pytest.importorskip("mkdocs.commands.build", reason="needs the extra docs")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. Strict mode turns every warning into an error."""
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True)
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    mkdocs_build.build(config)
    return folder


def test_every_page_is_built(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        path = page.relative_to(ROOT / "docs").with_suffix("")
        folder = path.parent if path.name == "index" else path
        assert (site / folder / "index.html").is_file()


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    loads = re.compile(r'<(?:script|img|iframe|link)\b[^>]*?(?:src|href)="(https?:)?//[^"]+"')
    pages = list(site.rglob("*.html"))
    assert pages and not [page for page in pages if loads.search(page.read_text(encoding="utf-8"))]


def test_api_pages_show_docstrings(site: Path) -> None:
    text = (site / "api" / "amp_sbx" / "index.html").read_text(encoding="utf-8")
    assert "AMPPPO" in text and "clone_behavior" in text
    specification = (site / "reference" / "environment" / "index.html").read_text(encoding="utf-8")
    assert "joint positions minus the home pose" in specification
