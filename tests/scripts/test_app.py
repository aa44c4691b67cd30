"""`python -m scripts.app`: options of the demo."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bert_ner import cli
from scripts import app
from tests.helpers import fails


def test_without_streamlit_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bert_ner.demo.launch.find_spec", lambda name: None)
    assert "pip install -e '.[app]'" in fails(monkeypatch, capsys, "app")


def test_options_reach_the_demo_and_its_address_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[list[str], int]] = []

    def run_demo(pipelines: list[str], port: int, *, on_start: object) -> None:
        calls.append((pipelines, port))
        assert callable(on_start)
        on_start("http://a")

    monkeypatch.setattr(app, "run_demo", run_demo)
    arguments = ["--pipeline", "a", "--pipeline", "b", "--port", "8600"]
    monkeypatch.setattr(sys, "argv", ["app", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.run(app.main)
    assert (ended.value.code or 0, calls) == (0, [(["a", "b"], 8600)])
    assert capsys.readouterr().out == "http://a (Ctrl-C stops it)\n"


@pytest.mark.slow
def test_an_installed_project_has_the_page_and_its_style(installed: Path, tmp_path: Path) -> None:
    program = "from bert_ner.demo.launch import PAGE; print(PAGE, PAGE.with_suffix('.css'))"
    printed = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for path in map(Path, printed.split()):
        assert path.is_relative_to(installed)
        assert path.is_file()
