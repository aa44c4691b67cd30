"""One short training, and one that fails."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import spacy

from bert_ner.corpora.registry import CORPORA
from bert_ner.training.encoders import Encoder
from bert_ner.training.plan import TrainingPlan, plan_training
from bert_ner.training.recipe import read_recipe
from bert_ner.training.records import TrainingRecord
from bert_ner.training.trainer import train_recipe
from tests.conftest import ROOT


@dataclass(frozen=True)
class Trained:
    folder: Path
    record: TrainingRecord


@pytest.fixture(scope="module")
def plan(data: Path, tiny: Encoder) -> TrainingPlan:
    recipe = read_recipe(ROOT / "configs" / "config.cfg")
    return plan_training(recipe, corpus=CORPORA["conll2003"], data=data, encoder=tiny, epochs=2)


@pytest.fixture(scope="module")
def trained(plan: TrainingPlan, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("training") / "config" / "conll2003"
    return Trained(folder, train_recipe(plan, folder))


def test_a_training_writes_its_record(trained: Trained, plan: TrainingPlan) -> None:
    assert {path.name for path in trained.folder.iterdir()} == {
        "log.jsonl",
        "model-best",
        "train.json",
    }
    record = trained.record
    assert json.loads((trained.folder / "train.json").read_text()) == record
    assert (record["recipe"], record["corpus"], record["encoder"]) == (
        "config",
        "conll2003",
        "tiny",
    )
    assert (record["epochs"], record["steps_per_epoch"], record["seed"]) == (2, 1, 1)
    assert record["half_precision"] == plan.half_precision
    assert len(record["encoder_sha256"]) == 64
    assert (
        len((trained.folder / "log.jsonl").read_text().splitlines()) == 3
    )  # the first before any step


def test_the_pipeline_describes_itself(trained: Trained) -> None:
    meta = json.loads((trained.folder / "model-best" / "meta.json").read_text())
    assert meta["name"] == CORPORA["conll2003"].pipeline
    assert meta["training"] == trained.record
    assert meta["sources"][1]["name"] == "tiny"
    assert meta["corpus"]["kind"] == "user"


def test_the_pipeline_names_no_local_path(trained: Trained, data: Path, tiny: Encoder) -> None:
    model = trained.folder / "model-best"
    config = (model / "config.cfg").read_text()
    assert 'name = "tiny"' in config
    for path in (file for file in model.rglob("*") if file.is_file()):
        content = path.read_bytes()
        assert str(tiny.path).encode() not in content, path
        assert str(data).encode() not in content, path
        assert b"log.jsonl" not in content, path
    assert spacy.load(model)("Anna Berg lives in Oslo .").has_annotation("ENT_IOB")


def test_a_training_that_fails_keeps_the_last_pipeline(
    plan: TrainingPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "kept").touch()

    def fail(config: Path, output: Path, **rest: object) -> None:
        assert config.read_text().startswith("[paths]")
        (output / "model-last").mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr("bert_ner.training.trainer.spacy_train", fail)
    with pytest.raises(KeyboardInterrupt):
        train_recipe(plan, tmp_path / "training")
    assert [path.name for path in (tmp_path / "training").iterdir()] == ["kept"]
    assert not list(tmp_path.glob(".*"))
