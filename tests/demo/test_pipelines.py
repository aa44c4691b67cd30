"""Pipelines are found, run one at a time, and described by their own meta."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import spacy
from spacy.language import Language

from bert_ner.annotation.annotator import annotate
from bert_ner.annotation.records import Annotation
from bert_ner.demo import pipelines
from bert_ner.errors import InputError
from tests.demo.helpers import write_built


def test_pipelines_are_found_by_their_configs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines, "get_installed_models", list)
    with pytest.raises(InputError, match="spacy project run all"):
        pipelines.find_pipelines([], tmp_path)
    write_built(tmp_path)
    for number, config in enumerate(["[nlp]\n[nlp]", "[nlp]\npipeline = 7\n[components]"]):
        folder = tmp_path / "config" / f"damaged{number}" / "pipeline"
        folder.mkdir(parents=True)
        (folder / "config.cfg").write_text(config)
    names = pipelines.find_pipelines([], tmp_path)
    assert [Path(name).parent.name for name in names] == ["broken", "mit_movie"]
    assert pipelines.find_pipelines([names[1]], tmp_path) == [names[1]]
    with pytest.raises(InputError, match="--pipeline nowhere: neither"):
        pipelines.find_pipelines(["nowhere"], tmp_path)
    with pytest.raises(InputError, match="not a pipeline that can be loaded"):
        pipelines.load_pipeline(names[0])


@pytest.fixture
def nlp() -> Language:
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "LOC", "pattern": "Oslo"}, {"label": "A", "pattern": "a"}])
    return nlp


def test_a_text_within_the_limits_is_annotated(nlp: Language) -> None:
    longest = "Oslo" + " " * (pipelines.MAX_CHARS - 4)
    assert [s["label"] for s in pipelines.annotate_text(nlp, longest)["spans"]] == ["LOC"]
    with pytest.raises(InputError, match="100,001 characters, and this page accepts 100,000"):
        pipelines.annotate_text(nlp, longest + " ")
    with pytest.raises(InputError, match="1,001 characters without white space between them"):
        pipelines.annotate_text(nlp, "Oslo " + "(" * 1_001)
    with pytest.raises(InputError, match="There is no text"):
        pipelines.annotate_text(nlp, "\n ")


def test_visitors_wait_for_each_other(nlp: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, maximum = 0, 0

    def slowly(nlp: Language, texts: list[str]) -> list[Annotation | Exception]:
        nonlocal inside, maximum
        inside += 1
        maximum = max(maximum, inside)
        time.sleep(0.02)
        inside -= 1
        return annotate(nlp, texts)

    monkeypatch.setattr(pipelines, "annotate", slowly)
    with ThreadPoolExecutor(4) as pool:
        annotations = list(pool.map(lambda text: pipelines.annotate_text(nlp, text), ["Oslo"] * 8))
    assert [len(annotation["spans"]) for annotation in annotations] == [1] * 8
    assert maximum == 1


def test_the_description_is_that_of_the_meta(nlp: Language) -> None:
    assert pipelines.describe(nlp) == "Trained on: unknown. Finds: A, LOC."
    assert pipelines.scores_of(nlp) == ("As published by its author.", [])
    nlp.meta |= {"sources": [{"name": "a sample"}], "corpus": {"kind": "sample"}, "training": {}}
    assert "Trained on: a sample." in pipelines.describe(nlp)
    assert "expect mistakes on real text" in pipelines.describe(nlp)
    nlp.meta["training"] = {"seed": 1}
    nlp.meta["performance"] = {
        **{"ents_p": 0.5, "ents_r": 0.25, "ents_f": 1 / 3, "speed": 9},
        "ents_per_type": {"B": {"p": None, "r": 0, "f": 0}, "A": {"p": 1, "r": 0, "f": 0}},
    }
    origin, scores = pipelines.scores_of(nlp)
    assert "dev split" in origin
    assert scores == [("all", 0.5, 0.25, 1 / 3), ("A", 1.0, 0.0, 0.0)]
