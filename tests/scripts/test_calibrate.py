"""The lines that the command prints for each kind of record."""

from pathlib import Path

import pytest

from bert_ner.calibration import finish
from bert_ner.calibration.records import CalibrationRecord, FinishRecord, Stages
from scripts.calibrate import main

STAGES = Stages(before=0.06, temperature=0.03, after=0.01, out_of_fold=0.02)


@pytest.mark.parametrize(
    ("merged", "calibration", "lines"),
    [
        (0, None, ["no component gives probabilities: nothing to calibrate"]),
        (
            3,
            CalibrationRecord(mentions=8),
            ["merged 3 adapters", "8 mentions on dev are too few to calibrate confidence"],
        ),
        (
            0,
            CalibrationRecord(mentions=900, temperature=1.25, log_loss=STAGES, ece=STAGES),
            [
                "calibrated on 900 mentions, at temperature 1.25; expected calibration error on "
                "dev: 0.0600 before, 0.0300 with the temperature only, 0.0200 out of fold"
            ],
        ),
    ],
)
def test_the_command_prints_what_was_done(
    merged: int,
    calibration: CalibrationRecord | None,
    lines: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    calls: list[tuple[Path, Path, Path, int]] = []

    def calibrate(model: Path, data: Path, output: Path, *, gpu: int) -> FinishRecord:
        calls.append((model, data, output, gpu))
        return FinishRecord(merged_adapters=merged, calibration=calibration)

    monkeypatch.setattr(finish, "calibrate_pipeline", calibrate)
    main(tmp_path / "model", tmp_path / "data", tmp_path / "output", gpu_id="-1")
    assert calls == [(tmp_path / "model", tmp_path / "data", tmp_path / "output", -1)]
    assert capsys.readouterr().out.splitlines() == lines
