"""Functions that tests of several areas call."""

import importlib
from pathlib import Path

import pytest

from bert_ner import cli


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
