from pathlib import Path

import pytest

from bert_ner import cli
from scripts.fetch import main
from tests.helpers import fails


def test_unknown_corpus_is_one_line_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = fails(monkeypatch, capsys, "fetch", "news", "--assets", tmp_path)
    assert line == (
        'error: corpus "news": expected one of conll2003, mit_movie, mit_trivia, gmb, own.'
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [["--strict"], ["--fallback", "none"]])
def test_without_the_sample(
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = fails(monkeypatch, capsys, "fetch", "gmb", "--assets", tmp_path, *options)
    assert "put ner_dataset.csv into assets/gmb/, or set NER_CORPORA" in line


def test_sample_and_digests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["fetch", "gmb", "--assets", str(tmp_path)])
    with pytest.raises(SystemExit) as caught:
        cli.run(main)
    assert not caught.value.code
    line = "gmb: built-in sample in the format of GMB, from the project's generator\n"
    assert capsys.readouterr().out == line
    assert (tmp_path / "gmb" / "ner_dataset.csv").exists()
    assert list((tmp_path / ".code").iterdir())
