from pathlib import Path
from typing import Any

import pytest
import spacy

from bert_ner.corpora.convert import convert_corpus
from bert_ner.corpora.registry import CORPORA
from bert_ner.errors import InputError
from bert_ner.experiments import cross_validation as module
from bert_ner.experiments.cross_validation import train_folds
from bert_ner.experiments.folds import find_folds
from bert_ner.files import write_json
from bert_ner.loading import load_examples
from bert_ner.training.encoders import resolve
from tests.conftest import ROOT


@pytest.fixture
def settings(assets: Path, encoder: Path, tmp_path: Path) -> dict[str, Any]:
    corpus = CORPORA["conll2003"]
    convert_corpus(corpus, assets, tmp_path / "corpus" / "conll2003")
    return {
        "config": ROOT / "configs" / "config.cfg",
        "corpus": corpus,
        "data": tmp_path / "corpus" / "conll2003",
        "output": tmp_path / "folds",
        "encoder": resolve(str(encoder), gpu=False),
        "epochs": 1,
        "seed": 1,
        "folds": 2,
    }


def test_no_fold_is_trained_on_its_own_documents(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[list[str]] = []

    def train_recipe(*, data: Path, output: Path, **_: Any) -> None:
        examples = load_examples(spacy.blank("en"), data / "train.spacy")
        assert all(example.reference.has_annotation("SENT_START") for example in examples)
        assert load_examples(spacy.blank("en"), data / "dev.spacy")
        assert (data / "source.json").exists()
        trained.append([example.reference.text for example in examples])
        write_json(output / "model-best" / "meta.json", {})

    monkeypatch.setattr(module, "train_recipe", train_recipe)
    train_folds(**settings)
    whole = load_examples(spacy.blank("en"), settings["data"] / "train.spacy")
    texts = [example.reference.text for example in whole]
    assert trained == [texts[1::2], texts[0::2]]
    assert [path.parent.name for path in find_folds(settings["output"])[0]] == ["1-of-2", "2-of-2"]
    train_folds(**settings)  # is there already
    assert len(trained) == 2
    (settings["output"] / "2-of-2" / "fold.json").unlink()  # as if it had been interrupted
    train_folds(**settings)
    assert trained[2:] == [texts[0::2]]
    train_folds(**{**settings, "seed": 2})
    assert len(trained) == 5
    with pytest.raises(InputError, match="too few for 99 folds"):
        train_folds(**{**settings, "folds": 99})


def test_folds_are_pipelines(settings: dict[str, Any]) -> None:
    train_folds(**settings)
    for path in find_folds(settings["output"])[0]:
        assert "ner" in spacy.load(path).pipe_names
