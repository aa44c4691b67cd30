"""The table that the command prints, and the pipeline that it writes."""

from pathlib import Path

import pytest

from bert_ner.calibration import threshold
from bert_ner.calibration.threshold import PickedThreshold, ThresholdEffect
from bert_ner.evaluation.records import ThresholdScores
from scripts.threshold import main

WITHOUT = ThresholdScores(precision=0.9, recall=0.925, kept=1.0)
ABOVE = ThresholdScores(precision=0.97, recall=0.875, kept=0.8)


@pytest.fixture(autouse=True)
def _picked(monkeypatch: pytest.MonkeyPatch) -> None:
    def pick(pipeline: Path, data: Path, precision: float) -> PickedThreshold:
        assert (pipeline, data, precision) == (Path("pipeline"), Path("data"), 0.97)
        effects = [ThresholdEffect(split, WITHOUT, ABOVE) for split in ("dev", "test")]
        return PickedThreshold(0.625, effects)

    monkeypatch.setattr(threshold, "pick_threshold", pick)


def test_the_command_prints_the_effect_of_the_threshold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(Path("pipeline"), Path("data"))
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines() if line.startswith(("dev", "test"))]
    assert rows == [
        ["dev", "0.0000", "90.00", "92.50"],
        ["dev", "0.6250", "97.00", "87.50"],
        ["test", "0.0000", "90.00", "92.50"],
        ["test", "0.6250", "97.00", "87.50"],
    ]
    assert "to use it: min_confidence = 0.6250" in printed


def test_the_command_writes_the_pipeline(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[Path, Path, float]] = []
    monkeypatch.setattr(threshold, "write_pipeline", lambda *args: calls.append(args))
    main(Path("pipeline"), Path("data"), output=Path("strict"))
    assert calls == [(Path("pipeline"), Path("strict"), 0.625)]
    assert capsys.readouterr().out.splitlines()[-1] == "strict"
