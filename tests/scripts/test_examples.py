"""The command writes the record and prints its path."""

from pathlib import Path

import pytest

from bert_ner.files import read_json
from scripts.examples import main
from tests.helpers import fails


def test_the_record_is_written(
    ruler: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentences, output = tmp_path / "sentences.txt", tmp_path / "examples.json"
    sentences.write_text("[Oslo|LOC] shines.\n")
    main(ruler, sentences, output)
    assert capsys.readouterr().out == f"{output}\n"
    (example,) = read_json(output)["examples"]
    assert example["found"] == [["Oslo", "LOC", "right", None]]


def test_mistakes_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sentences, output = tmp_path / "sentences.txt", tmp_path / "examples.json"
    arguments = ("examples", "nothing", sentences, "--output", output)
    assert "sentences.txt: not found." in fails(monkeypatch, capsys, *arguments)
    sentences.write_text("[Oslo|LOC] shines.\n")
    assert "nothing: not a pipeline" in fails(monkeypatch, capsys, *arguments)
    assert not output.exists()
