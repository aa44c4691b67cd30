from pathlib import Path

import pytest
import spacy
from spacy.language import Language

from bert_ner.errors import InputError
from bert_ner.loading import (
    describe_pipeline,
    find_confidence_pipe,
    find_entity_pipe,
    keep_encodings,
    load_examples,
    load_pipeline,
    trained_on,
    training_of,
)
from bert_ner.pipes.ner import TokenClassifierNER
from tests.conftest import NEWS
from tests.pipes.training import Build

UNKNOWN = {"recipe": None, "encoder": None, "epochs": None, "seed": None}


def test_token_classifier_is_the_entity_pipe(build: Build) -> None:
    nlp = build()
    pipe = find_entity_pipe(nlp)
    assert isinstance(pipe, TokenClassifierNER)
    assert pipe is nlp.get_pipe("ner")
    assert find_confidence_pipe(nlp) is pipe
    keep_encodings(nlp)  # has no doc_cleaner: nothing to do
    assert nlp.disabled == []


@pytest.mark.parametrize("name", ["ner", "entity_ruler", "sentencizer"])
def test_components_of_spacy_are_not(name: str) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe(name)
    assert find_entity_pipe(nlp) is None
    assert find_confidence_pipe(nlp) is None


def test_documents_keep_the_encoders_output() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("doc_cleaner")
    keep_encodings(nlp)
    assert nlp.disabled == ["doc_cleaner"]


@pytest.mark.parametrize(
    ("sources", "title"),
    [
        ([{"name": "CoNLL-2003"}, {"name": "an encoder"}], "CoNLL-2003"),
        (["OntoNotes 5"], "OntoNotes 5"),
        ([], "unknown"),
        (None, "unknown"),
        ("a text", "unknown"),
        ([{}], "unknown"),
    ],
)
def test_trained_on(sources: object, title: str) -> None:
    assert trained_on(described(sources=sources)) == title


@pytest.mark.parametrize("training", [None, "a text", {}])
def test_unknown_training(training: object) -> None:
    assert training_of(described(training=training)) == UNKNOWN


def test_description() -> None:
    nlp = described(name="six_words", training={"recipe": "config", "seed": 1, "epochs": 5})
    assert describe_pipeline(nlp) == {
        "pipeline": "en_six_words",
        "trained_on": "unknown",
        "training": {"recipe": "config", "encoder": None, "epochs": 5, "seed": 1},
    }


def test_pipeline_and_split_that_do_not_load(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a pipeline that can be loaded"):
        load_pipeline(tmp_path)
    path = tmp_path / "train.spacy"
    for content in (b"", b"\x00nothing", NEWS.encode()):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"train.spacy: not a converted split"):
            load_examples(spacy.blank("en"), path)
    spacy.tokens.DocBin().to_disk(path)
    with pytest.raises(InputError, match="contains no documents"):
        load_examples(spacy.blank("en"), path)


def described(**meta: object) -> Language:
    return spacy.blank("en", meta=meta)
