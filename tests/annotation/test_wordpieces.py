"""Word pieces show how the encoder reads a text."""

from pathlib import Path

import pytest

from bert_ner.annotation.annotator import annotate, load
from bert_ner.annotation.outputs import to_table
from bert_ner.annotation.wordpieces import to_wordpieces, with_wordpieces
from bert_ner.errors import InputError


def test_word_pieces_have_the_tags_and_scores_of_their_tokens(trained: Path) -> None:
    nlp = load(trained)
    text = "Anna Berg lives in Oslo . " * 5
    doc = nlp(text)
    pieces = to_wordpieces(nlp, doc)
    assert {"Anna Berg", "Oslo"} <= {ent.text for ent in doc.ents}
    covered = [(p["start"], p["end"]) for p in pieces]
    assert covered == sorted(set(covered))  # in order and only once, although windows overlap
    assert "".join(text[start:end] for start, end in covered) == text.replace(" ", "")
    assert len(pieces) > len(doc)
    for ent in doc.ents:
        inside = [p for p in pieces if ent.start_char <= p["start"] < ent.end_char]
        tags = [p["tag"] for p in inside]
        assert tags == [f"B-{ent.label_}"] + [f"I-{ent.label_}"] * (len(tags) - 1)
        assert {p["score"] for p in inside} == {round(ent._.confidence, 4)}
    assert to_wordpieces(nlp, nlp("")) == []


def test_the_table_shows_word_pieces_instead_of_entities(trained: Path) -> None:
    nlp = load(trained)
    (annotation,) = annotate(nlp, ["Anna Berg"], with_wordpieces(nlp))
    assert isinstance(annotation, dict)
    header = to_table(annotation).splitlines()[0].split()
    assert header == ["word", "piece", "tag", "confidence", "start", "end"]


def test_a_pipeline_without_an_encoder_has_no_word_pieces(ruler: Path) -> None:
    with pytest.raises(InputError, match="no encoder with word pieces"):
        with_wordpieces(load(ruler))
