"""The systems to train make steps on the tiny encoder."""

from pathlib import Path

import pytest
import torch

from bert_ner.benchmark import training_systems
from bert_ner.benchmark.training_systems import SYSTEMS, TrainingSettings, count_words


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_makes_steps(name: str, corpus: Path, encoder: Path) -> None:
    load, half = SYSTEMS[name]
    run = load(TrainingSettings(str(corpus / "conll2003"), str(encoder), half=half))
    assert run(2) > 0
    assert run(500) >= 500  # starts again after the last document


def test_the_train_split_is_counted(corpus: Path) -> None:
    assert 100 < count_words(corpus / "conll2003") < 500


class UsedError(Exception):
    pass


def test_every_system_uses_the_gpu(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def use(gpu: int) -> torch.device:
        raise UsedError(gpu)

    monkeypatch.setattr(training_systems, "use_device", use)
    for load, _ in SYSTEMS.values():
        with pytest.raises(UsedError, match="3"):
            load(TrainingSettings(str(corpus / "conll2003"), gpu=3))
