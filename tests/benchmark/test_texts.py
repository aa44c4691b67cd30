"""Texts of three kinds from the test splits."""

from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin

from bert_ner.benchmark.texts import count_words, read_sentences, read_texts, stream, take_words


def test_texts_are_of_three_kinds_and_complete(corpus: Path) -> None:
    texts = read_texts(corpus)
    assert list(texts) == ["queries", "sentences", "documents"]
    assert texts["queries"][0].startswith("show me")
    assert texts["sentences"][0].endswith(".")
    assert count_words(texts["documents"][:1]) > count_words(texts["sentences"][:1])
    assert take_words(["a b", "c d", "e"], 3) == ["a b", "c d"]
    assert list(stream(["a b", "c"], 5)) == ["a b", "c", "a b"]


def test_a_gpu_gets_more_texts(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert_ner.benchmark.texts.WORDS", dict.fromkeys(read_texts(corpus), 10))
    few, more = read_texts(corpus), read_texts(corpus, 4)
    assert 10 <= count_words(few["sentences"]) < 40 <= count_words(more["sentences"])


def test_sentences_of_a_split(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    doc = nlp("Rain fell . Ann left .")
    for token in doc:
        token.is_sent_start = token.i in (0, 3)
    DocBin(["SENT_START", "ORTH"], docs=[doc]).to_disk(tmp_path / "test.spacy")
    assert read_sentences(tmp_path / "test.spacy") == ["Rain fell .", "Ann left ."]
