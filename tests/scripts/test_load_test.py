"""`python -m scripts.load_test`: options, output and exit code."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bert_ner.benchmark import load_test
from bert_ner.benchmark.load_test import LoadOptions
from scripts import load_test as command
from tests.helpers import fails
from tests.scripts.helpers import succeeds

MET = {"what": "speed", "found": 2.0, "bar": 1.0, "met": True}
MISSED = {"what": "memory", "found": 2.0, "bar": 1.0, "met": False}


def test_options_and_missed_targets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[Any, ...]] = []
    targets = [MET]

    def run(program: Sequence[str], options: LoadOptions, output: Path) -> Any:
        calls.append((program, options, output))
        fast = {"requests_per_second": 9.0, "latency_ms": {"p50": 1.0}}
        return {"bars": targets, "runs": {"batches": fast}}

    monkeypatch.setattr(load_test, "run_load_test", run)
    succeeds(monkeypatch, command, "pipeline", "--texts", "t.spacy", "--clients", "2")
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["batches: 9.0 requests a second, {'p50': 1.0} ms", "metrics/serve.json"]
    expected = LoadOptions(pipeline="pipeline", texts=Path("t.spacy"), clients=2)
    assert calls[0][1:] == (expected, Path("metrics/serve.json"))
    assert tuple(calls[0][0]) == (sys.executable, "-m", "scripts.serve")
    targets.append(MISSED)
    line = fails(monkeypatch, capsys, "load_test", "pipeline")
    assert line == "error: missed: memory: 2.0, target 1.0"
