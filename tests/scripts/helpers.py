"""Functions that tests of several commands call."""

from typing import Any

import pytest

from bert_ner import cli


def succeeds(monkeypatch: pytest.MonkeyPatch, command: Any, *arguments: str) -> None:
    """Run a command that must succeed.

    command (module): The command's module.
    *arguments (str): Its options.
    """
    monkeypatch.setattr("sys.argv", ["command", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.run(command.main)
    assert not ended.value.code
