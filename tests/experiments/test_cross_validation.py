from dataclasses import replace
from pathlib import Path

import pytest
import spacy

from bert_ner.corpora.registry import CORPORA
from bert_ner.errors import InputError
from bert_ner.experiments import cross_validation as module
from bert_ner.experiments.cross_validation import FoldTraining, find_folds, train_folds
from bert_ner.files import read_json, write_json
from bert_ner.loading import load_examples
from bert_ner.training.encoders import resolve
from bert_ner.training.plan import TrainingPlan
from tests.conftest import ROOT


@pytest.fixture
def training(converted: Path, encoder: Path) -> FoldTraining:
    return FoldTraining(
        config=ROOT / "configs" / "config.cfg",
        corpus=CORPORA["conll2003"],
        data=converted,
        encoder=resolve(str(encoder), gpu=False),
        epochs=1,
    )


@pytest.fixture
def trained_texts(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The texts of each training, instead of the training."""
    trained: list[list[str]] = []

    def train_recipe(plan: TrainingPlan, output: Path) -> None:
        paths = plan.recipe.interpolate(plan.overrides)["paths"]
        examples = load_examples(spacy.blank("en"), Path(paths["train"]))
        assert all(example.reference.has_annotation("SENT_START") for example in examples)
        assert load_examples(spacy.blank("en"), Path(paths["dev"]))
        assert plan.source.corpus == "conll2003"
        trained.append([example.reference.text for example in examples])
        write_json(output / "model-best" / "meta.json", {})

    monkeypatch.setattr(module, "train_recipe", train_recipe)
    return trained


def test_no_fold_is_trained_on_its_own_documents(
    training: FoldTraining, trained_texts: list[list[str]], tmp_path: Path
) -> None:
    folds = list(train_folds(training, tmp_path, 2))
    whole = load_examples(spacy.blank("en"), training.data / "train.spacy")
    texts = [example.reference.text for example in whole]
    assert trained_texts == [texts[1::2], texts[0::2]]
    assert [str(fold) for fold in folds] == ["fold 1 of 2: trained", "fold 2 of 2: trained"]
    assert [fold.folder.name for fold in find_folds(tmp_path).folds] == ["1-of-2", "2-of-2"]


def test_complete_folds_are_kept(
    training: FoldTraining, trained_texts: list[list[str]], tmp_path: Path
) -> None:
    list(train_folds(training, tmp_path, 2))
    again = list(train_folds(training, tmp_path, 2))
    assert [fold.is_new for fold in again] == [False, False]
    assert str(again[1]) == "fold 2 of 2: was trained before"
    assert len(trained_texts) == 2
    (tmp_path / "2-of-2" / "fold.json").unlink()  # as after an interruption
    assert [fold.is_new for fold in train_folds(training, tmp_path, 2)] == [False, True]
    assert trained_texts[2:] == trained_texts[1:2]
    list(train_folds(replace(training, seed=2), tmp_path, 2))
    assert len(trained_texts) == 5


def test_a_corpus_with_fewer_documents_than_folds_is_refused(
    training: FoldTraining, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="too few for 99 folds"):
        list(train_folds(training, tmp_path, 99))


def test_incomplete_and_mixed_folds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected the folds of one run, found none"):
        find_folds(tmp_path)
    (tmp_path / "1-of-2.bak").mkdir()  # not a fold
    write_json(tmp_path / "1-of-2" / "fold.json", {"train": "one"})
    with pytest.raises(InputError, match="2-of-2: not complete"):
        find_folds(tmp_path)
    write_json(tmp_path / "2-of-2" / "fold.json", {"train": "another"})
    with pytest.raises(InputError, match="trained with different settings"):
        find_folds(tmp_path)
    (tmp_path / "1-of-3").mkdir()
    with pytest.raises(InputError, match=r"found 1-of-2, 1-of-3, 2-of-2\. Remove the folds"):
        find_folds(tmp_path)


def test_folds_are_pipelines(training: FoldTraining, tmp_path: Path) -> None:
    list(train_folds(training, tmp_path, 2))
    for fold in find_folds(tmp_path).folds:
        assert "ner" in spacy.load(fold.pipeline).pipe_names
        assert read_json(fold.folder / "train.json")["epochs"] == 1
