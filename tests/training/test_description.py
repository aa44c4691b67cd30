"""The description of a pipeline in its own files."""

from pathlib import Path

import spacy

from bert_ner.corpora.mit_movie import CORPUS
from bert_ner.corpora.sources import Kind, Source
from bert_ner.files import read_json
from bert_ner.training.description import describe_model
from bert_ner.training.encoders import Encoder
from bert_ner.training.plan import TrainingPlan
from bert_ner.training.recipe import read_recipe
from bert_ner.training.records import TrainingRecord
from bert_ner.training.schedule import Schedule
from tests.conftest import ROOT
from tests.pipes.training import Build


def test_meta_describes_the_corpus_the_encoder_and_the_training(
    build: Build, encoder: Path, tmp_path: Path
) -> None:
    build().to_disk(tmp_path / "model")
    plan = TrainingPlan(
        recipe=read_recipe(ROOT / "configs" / "config.cfg"),
        corpus=CORPUS,
        source=Source(
            corpus="mit_movie",
            title="a title",
            kind=Kind.USER,
            where="a place",
            licence="a licence",
            url="https://example.org",
            files={"engtrain.bio": "0" * 64},
        ),
        encoder=Encoder(name="tiny", path=encoder, reason="", licence="MIT", url="u"),
        schedule=Schedule(epochs=1, steps_per_epoch=1),
        overrides={},
        seed=1,
        gpu=-1,
    )
    record: TrainingRecord = {"recipe": "config", "seed": 1}  # type: ignore[typeddict-item]
    describe_model(tmp_path / "model", plan, record)
    meta = read_json(tmp_path / "model" / "meta.json")
    assert meta["name"] == "bert_movie_ner"
    assert [source["name"] for source in meta["sources"]] == ["a title", "tiny"]
    assert meta["corpus"]["example"] == CORPUS.example
    assert meta["corpus"]["files"] == {"engtrain.bio": "0" * 64}
    assert meta["training"] == record
    config = (tmp_path / "model" / "config.cfg").read_text()
    assert str(encoder) not in config
    assert spacy.load(tmp_path / "model").get_pipe("transformer").model.attrs["name"] == "tiny"
