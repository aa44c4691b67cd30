"""`python -m scripts.app`: options of the demo."""

import sys

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
