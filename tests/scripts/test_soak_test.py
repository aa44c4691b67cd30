"""`python -m scripts.soak_test`: options, output and exit code."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bert_ner.benchmark import soak_test
from bert_ner.benchmark.soak_test import SoakOptions
from scripts import soak_test as command
from tests.helpers import fails
from tests.scripts.helpers import succeeds


def test_options_and_faults(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[Any, ...]] = []
    faults: list[str] = []

    def run(program: Sequence[str], options: SoakOptions, *paths: Path) -> Any:
        calls.append((program, options, *paths))
        return {}

    monkeypatch.setattr(soak_test, "run_soak_test", run)
    monkeypatch.setattr(soak_test, "judge", lambda _: faults)
    succeeds(monkeypatch, command, "pipeline", "--words", "1000", "--kills", "0")
    assert capsys.readouterr().out == "metrics/scale.json, docs/soak_test.md\n"
    expected = SoakOptions(pipeline=Path("pipeline"), words=1000, kills=0)
    assert calls[0][1:] == (expected, Path("metrics/scale.json"), Path("docs/soak_test.md"))
    assert calls[0][0][-2:] == ("-m", "scripts.annotate")
    faults += ["it forgot", "it grew"]
    line = fails(monkeypatch, capsys, "soak_test", "pipeline")
    assert line == "error: it forgot; it grew."
