"""The command writes both pages and prints their paths."""

from pathlib import Path

import pytest

from scripts.write_results import main
from tests.conftest import ROOT
from tests.helpers import fails


def test_both_pages_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pages = tmp_path / "README.md", tmp_path / "results.md"
    for page, source in zip(pages, ("README.md", "docs/results.md"), strict=True):
        page.write_bytes((ROOT / source).read_bytes())
    main(*pages, ROOT / "docs" / "results")
    assert capsys.readouterr().out == f"{pages[0]}\n{pages[1]}\n"
    assert pages[1].read_bytes() == (ROOT / "docs" / "results.md").read_bytes()


def test_a_page_without_markers_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "README.md"
    page.write_text("no markers")
    line = fails(monkeypatch, capsys, "write_results", "--readme", page)
    assert "README.md: the markers <!-- SCORES START -->" in line
