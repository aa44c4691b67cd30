"""`python -m scripts.benchmark`: options, output and exit code."""

from pathlib import Path
from typing import Any

import pytest

from bert_ner.benchmark import speed
from bert_ner.benchmark.speed import SpeedOptions
from scripts import benchmark as command
from tests.helpers import fails
from tests.scripts.helpers import succeeds

MET = {"what": "speed", "found": 2.0, "bar": 1.0, "met": True}
MISSED = {"what": "memory", "found": 2.0, "bar": 1.0, "met": False}


def test_options_and_missed_targets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[Any, ...]] = []
    targets = [MET]

    def run(options: SpeedOptions, output: Path, page: Path) -> Any:
        calls.append((options, output, page))
        return {"bars": targets}

    monkeypatch.setattr(speed, "run_benchmark", run)
    succeeds(monkeypatch, command, "pipeline", "int8", "--rounds", "2", "--page", "p.md")
    assert capsys.readouterr().out == "p.md\n"
    expected = SpeedOptions(pipeline=Path("pipeline"), int8=Path("int8"), rounds=2)
    assert calls == [(expected, Path("metrics/speed.json"), Path("p.md"))]
    targets.append(MISSED)
    line = fails(monkeypatch, capsys, "benchmark", "pipeline", "--gpu-id", "0")
    assert line == "error: missed: memory: 2.0, target 1.0"
    assert calls[1][0] == SpeedOptions(pipeline=Path("pipeline"), gpu_id="0")
