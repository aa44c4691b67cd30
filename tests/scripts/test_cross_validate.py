from collections.abc import Iterator
from pathlib import Path

import pytest

from bert_ner.experiments import cross_validation
from bert_ner.experiments.cross_validation import Fold, FoldTraining
from scripts.cross_validate import main
from tests.helpers import fails


def test_options_become_a_training_and_folds_are_printed(
    encoder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trainings: list[tuple[FoldTraining, Path, int]] = []

    def train_folds(training: FoldTraining, output: Path, folds: int) -> Iterator[Fold]:
        trainings.append((training, output, folds))
        yield Fold(0, folds, output / "1-of-4", is_new=True)

    monkeypatch.setattr(cross_validation, "train_folds", train_folds)
    main("conll2003", encoder=str(encoder), epochs="3", seed=7, folds=4, gpu_id="-1")
    ((training, output, folds),) = trainings
    assert (training.config, training.data) == (
        Path("configs/config.cfg"),
        Path("corpus/conll2003"),
    )
    assert (training.epochs, training.seed, training.gpu) == (3, 7, -1)
    assert (training.corpus.name, training.encoder.path) == ("conll2003", encoder)
    assert (output, folds) == (Path("training/config/conll2003-folds"), 4)
    assert capsys.readouterr().out.endswith("fold 1 of 4: trained\n")


def test_wrong_options_are_explained(
    encoder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options: list[str | Path] = ["--data", tmp_path, "--encoder", encoder, "--gpu-id", "-1"]
    line = fails(monkeypatch, capsys, "cross_validate", "nothing", *options)
    assert "expected one of" in line
    line = fails(monkeypatch, capsys, "cross_validate", "conll2003", *options)
    assert "train.spacy" in line
