"""Texts are annotated with any pipeline, and errors do not spread."""

from pathlib import Path
from typing import Any

import pytest
import spacy

from bert_ner.annotation import annotator
from bert_ner.annotation.annotator import annotate, explain, labels_of, load
from bert_ner.errors import InputError

TEXT = "In Oslo,\u2028 Anna Berg\n said 😀 שלום Oslo."


def test_offsets_are_those_of_the_input_text(ruler: Path) -> None:
    (annotation,) = annotate(load(ruler), [TEXT])
    assert isinstance(annotation, dict)
    assert annotation["text"] == TEXT
    spans, tokens = annotation["spans"], annotation["tokens"]
    assert [TEXT[s["start"] : s["end"]] for s in spans] == ["Oslo", "Anna Berg", "Oslo"]
    assert "".join(t["text"] + " " * t["ws"] for t in tokens) == TEXT
    assert all(TEXT[t["start"] : t["end"]] == t["text"] for t in tokens)
    assert [t["id"] for t in tokens] == list(range(len(tokens)))
    assert "score" not in spans[0]  # this pipeline gives no confidence


def test_labels_are_sorted(ruler: Path) -> None:
    assert labels_of(load(ruler)) == ["LOC", "PER", "X<b>"]


def test_a_text_that_fails_does_not_affect_the_others(ruler: Path) -> None:
    first, long, broken, last = annotate(load(ruler), ["Oslo", "x" * 1_000_001, "\ud800", "Oslo"])
    assert isinstance(first, dict)
    assert first == last
    assert isinstance(long, ValueError)
    assert explain(long).startswith("ValueError: [E088] Text of length 1000001 exceeds maximum")
    assert isinstance(broken, UnicodeEncodeError)


def test_long_texts_are_not_in_memory_with_all_others(
    ruler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nlp, groups = load(ruler), []
    pipe = nlp.pipe

    def watched(texts: list[str]) -> Any:
        groups.append([len(text) for text in texts])
        return pipe(texts)

    monkeypatch.setattr(nlp, "pipe", watched)
    monkeypatch.setattr(annotator, "MAX_GROUP_CHARS", 30)
    texts = ["Oslo", "rain " * 20, "Oslo", "in Oslo", "Oslo" + " rain" * 4, ""]
    annotations: Any = annotate(nlp, texts)
    assert groups == [[4], [100], [4, 7], [24, 0]]
    assert [annotation["text"] for annotation in annotations] == texts


def test_memory_does_not_grow_with_the_texts(ruler: Path) -> None:
    nlp = load(ruler)
    before = len(nlp.vocab.strings)
    annotate(nlp, [f"word{i}" for i in range(100)])
    assert len(nlp.vocab.strings) == before


def test_confidence_is_rounded_and_filters(trained: Path) -> None:
    text = "Anna Berg lives in Oslo ."
    nlp = load(trained)
    (annotation,) = annotate(nlp, [text])
    assert isinstance(annotation, dict)
    scores = [span["score"] for span in annotation["spans"]]
    assert scores == [round(e._.confidence, annotator.DIGITS) for e in nlp(text).ents]
    (filtered,) = annotate(load(trained, min_confidence=1.0), [text])
    assert isinstance(filtered, dict)
    assert len(filtered["spans"]) < len(scores)


@pytest.mark.parametrize(
    ("name", "min_confidence", "message"),
    [
        ("en_bert_ner", 0.0, r"en_bert_ner is not installed\. Run `pip install"),
        ("nowhere", 0.0, "nowhere: not a pipeline"),
        ("ruler", 0.5, "gives no confidence"),
        ("ruler", 1.5, "expected a number from 0 to 1"),
        ("blank", 0.0, "has no component that finds entities"),
    ],
)
def test_an_unsuitable_pipeline_is_refused(
    name: str, min_confidence: float, message: str, ruler: Path, tmp_path: Path
) -> None:
    spacy.blank("en").to_disk(tmp_path / "blank")
    pipeline = {"ruler": ruler, "blank": tmp_path / "blank"}.get(name, name)
    with pytest.raises(InputError, match=message):
        load(pipeline, min_confidence=min_confidence)
