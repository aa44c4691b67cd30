from pathlib import Path

import pytest
from spacy.tokens import DocBin
from thinc.api import Config

from bert_ner.errors import InputError
from bert_ner.training.recipe import read_recipe
from bert_ner.training.records import Overrides
from bert_ner.training.schedule import Schedule, parse_epochs, plan_steps
from tests.conftest import ROOT


def read(data: Path, overrides: Overrides) -> Config:
    paths = {f"paths.{split}": str(data / f"{split}.spacy") for split in ("train", "dev")}
    return read_recipe(ROOT / "configs" / "config.cfg").interpolate({**paths, **overrides})


@pytest.mark.parametrize(
    ("schedule", "steps", "frequency", "patience", "warmup"),
    [
        (Schedule(epochs=20, steps_per_epoch=1), 20, 1, 6, 2),
        (Schedule(epochs=300, steps_per_epoch=1), 300, 15, 100, 30),
        (Schedule(epochs=5, steps_per_epoch=400), 2000, 400, 800, 200),
        (Schedule(epochs=21, steps_per_epoch=100), 2100, 200, 700, 210),
    ],
)
def test_schedule_is_as_long_as_the_run(
    schedule: Schedule, steps: int, frequency: int, patience: int, warmup: int
) -> None:
    assert schedule.overrides == {
        "training.max_steps": steps,
        "training.max_epochs": 0,
        "training.eval_frequency": frequency,
        "training.patience": patience,
        "training.optimizer.learn_rate.total_steps": steps,
        "training.optimizer.learn_rate.warmup_steps": warmup,
    }


@pytest.mark.parametrize(
    ("max_epochs", "epochs", "planned"), [(0, None, 300), (0, 2, 2), (3, None, 3), (3, 2, 2)]
)
def test_epochs_are_those_asked_for_or_the_recipe_s_or_enough(
    data: Path, max_epochs: int, epochs: int | None, planned: int
) -> None:
    recipe = read(data, {"training.max_epochs": max_epochs})
    assert plan_steps(recipe, epochs) == Schedule(epochs=planned, steps_per_epoch=1)


def test_batches_are_counted(data: Path) -> None:
    recipe = read(data, {"training.batcher.size": 64})
    assert plan_steps(recipe, 1).steps_per_epoch > 3


def test_epochs_are_parsed() -> None:
    assert parse_epochs("auto") is None
    assert parse_epochs("12") == 12
    for value in ("0", "-1", "1.5", "five", ""):
        with pytest.raises(InputError, match='expected "auto" or a whole number'):
            parse_epochs(value)


def test_a_corpus_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for split in ("train", "dev"):
        (tmp_path / f"{split}.spacy").write_bytes(b"\x00nothing")
    with pytest.raises(InputError, match=r"train\.spacy: the recipe cannot read it"):
        plan_steps(read(tmp_path, {}), 1)


def test_an_empty_corpus_is_named(tmp_path: Path) -> None:
    for split in ("train", "dev"):
        DocBin().to_disk(tmp_path / f"{split}.spacy")
    with pytest.raises(InputError, match=r"train\.spacy: contains no documents"):
        plan_steps(read(tmp_path, {}), 1)
