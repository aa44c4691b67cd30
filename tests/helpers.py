"""Functions that tests of several areas call."""

import importlib
from pathlib import Path

import pytest
from spacy.language import Language
from spacy.tokens import DocBin

from bert_ner import cli
from tests.pipes.training import make_examples


def fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str | Path
) -> str:
    """Run a command that must fail with one line and exit code 1.

    *arguments (str | Path): The command's name in `scripts`, then its options.
    RETURNS (str): The line on standard error.
    """
    name, *options = map(str, arguments)
    monkeypatch.setattr("sys.argv", [name, *options])
    with pytest.raises(SystemExit) as caught:
        cli.run(importlib.import_module(f"scripts.{name}").main)
    assert caught.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    return line


def write_corpus(nlp: Language, folder: Path, times: int) -> Path:
    """Write a converted corpus whose three splits are the sentences of `make_examples`.

    times (int): Repetitions of the sentences.
    """
    folder.mkdir()
    for split in ("train", "dev", "test"):
        docs = [example.reference for example in make_examples(nlp, times)]
        DocBin(attrs=["TAG", "SENT_START", "ENT_IOB", "ENT_TYPE"], docs=docs).to_disk(
            folder / f"{split}.spacy"
        )
    return folder
