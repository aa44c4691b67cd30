import subprocess
import sys
from pathlib import Path

import pytest

from scripts.convert import main
from tests.conftest import ROOT
from tests.helpers import fails


def test_report(assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main("conll2003", assets, tmp_path / "corpus")
    printed = capsys.readouterr().out
    path = assets / "conll2003" / "train.txt"
    assert f"{path}: tags are IOB2, documents are marked\n" in printed
    assert "conll2003: CoNLL-2003, from assets/conll2003\n" in printed
    assert "This is not" not in printed
    rows = [line.split() for line in printed.splitlines()]
    assert ["train", "dev", "test"] in rows
    assert ["LOC", "24", "9", "9"] in rows
    assert ["repeated", "sentences", "7", "2", "2"] in rows
    assert "sentences of dev in train: 9\n" in printed


def test_unmarked_documents_are_reported_with_their_size(
    assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for size, text in ((None, "1 sentence each"), (4, "4 sentences each")):
        main("mit_movie", assets, tmp_path / "corpus", sentences_per_document=size)
        assert f"engtrain.bio: tags are IOB2, documents are {text}\n" in capsys.readouterr().out


def test_unknown_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = fails(monkeypatch, capsys, "convert", "news", "--assets", tmp_path)
    assert 'corpus "news": expected one of' in line


def test_command_line_prints_one_line_and_exits_with_1(tmp_path: Path) -> None:
    path = tmp_path / "assets" / "mit_movie" / "engtrain.bio"
    path.parent.mkdir(parents=True)
    path.write_text("X-ACTOR\tlena\n")
    (path.parent / "engtest.bio").write_text("O\tlena\n")
    command = [sys.executable, "-m", "scripts.convert", "mit_movie"]
    command += ["--assets", str(tmp_path / "assets"), "--output", str(tmp_path / "corpus")]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: {path}:1: expected the tag")
    assert not (tmp_path / "corpus").exists()
