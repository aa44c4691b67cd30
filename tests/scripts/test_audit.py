from pathlib import Path

import pytest

from bert_ner.evaluation.records import Judgement
from bert_ner.experiments import audit
from scripts.audit import main
from tests.helpers import fails


def test_a_judgement_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judgement: Judgement | None = {
        "changed_sentences": 1,
        "ranking": [{"sentences": 50, "precision": 0.02, "recall": 1.0}],
        "f1": {"original": 0.5, "corrected": 1.0},
    }
    monkeypatch.setattr(audit, "audit_corpus", lambda *_, **__: judgement)
    main("conll2003", tmp_path, tmp_path / "audit.jsonl", tmp_path / "audit.html", gpu_id="-1")
    printed = capsys.readouterr().out
    assert "1 sentences were changed" in printed
    assert ["50", "2.0", "100.0"] in [line.split() for line in printed.splitlines()]
    assert "F1 50.00 original, 100.00 corrected" in printed
    judgement = None
    main("conll2003", tmp_path, tmp_path / "audit.jsonl", tmp_path / "audit.html", gpu_id="-1")
    assert capsys.readouterr().out == f"{tmp_path / 'audit.html'}\n"


def test_wrong_options_are_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files: list[str | Path] = [
        "--output",
        tmp_path / "a",
        "--page",
        tmp_path / "b",
        "--gpu-id",
        "-1",
    ]
    line = fails(monkeypatch, capsys, "audit", "nothing", tmp_path, *files)
    assert "expected one of" in line
    line = fails(monkeypatch, capsys, "audit", "conll2003", tmp_path, "--split", "all", *files)
    assert "--split all: expected train, dev or test" in line
    line = fails(monkeypatch, capsys, "audit", "conll2003", tmp_path, "--split", "train", *files)
    assert "expected the folds of one run, found none" in line
