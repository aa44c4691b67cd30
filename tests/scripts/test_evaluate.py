"""Options of the command, and the text that it prints."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import scripts.evaluate
from bert_ner.evaluation import evaluate as library
from tests.helpers import fails


def test_options_reach_the_library(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[Any, Any]] = []

    class Result:
        def text(self) -> str:
            return "the scores"

    def evaluate(*args: Any, **options: Any) -> Result:
        calls.append((args, options))
        return Result()

    monkeypatch.setattr(library, "evaluate", evaluate)
    pipeline, corpus, page = Path("pipeline"), Path("corpus"), Path("report.html")
    scripts.evaluate.main(pipeline, corpus, gpu_id="-1")
    scripts.evaluate.main(
        pipeline, corpus, Path("m.json"), page, Path("a.json"), [Path("b.json")], "-1"
    )
    assert calls == [
        ((pipeline, corpus, None, None), {"against": None, "runs": [], "gpu": -1}),
        (
            (pipeline, corpus, Path("m.json"), page),
            {"against": Path("a.json"), "runs": [Path("b.json")], "gpu": -1},
        ),
    ]
    assert capsys.readouterr().out == "the scores\n" * 2


def test_mistakes_are_one_line(
    ruler: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = fails(monkeypatch, capsys, "evaluate", tmp_path / "nothing", tmp_path)
    assert "meta.json: not found. Run the steps before this one first." in line
    line = fails(monkeypatch, capsys, "evaluate", ruler, tmp_path, "--gpu-id", "fast")
    assert "--gpu-id fast: expected" in line


def test_help_names_the_options() -> None:
    import typer

    app = typer.Typer(add_completion=False)
    app.command()(scripts.evaluate.main)
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100", "NO_COLOR": "1"})
    for option in ("--output", "--page", "--against", "--run", "--gpu-id"):
        assert option in result.output
