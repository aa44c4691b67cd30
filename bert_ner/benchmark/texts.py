"""Texts to process: queries, sentences and long documents."""

from collections.abc import Iterable, Iterator
from itertools import cycle
from pathlib import Path

import spacy

from ..loading import load_examples

WORDS = {"queries": 4_000, "sentences": 8_000, "documents": 12_000}  # minimum per kind
GPU_FACTOR = 4  # times as many on a GPU, which is nearly the whole test splits

CORPORA = ("mit_movie", "conll2003")


def read_texts(corpus: Path, factor: int = 1) -> dict[str, list[str]]:
    """Read texts of each kind from the test splits of converted corpora.

    corpus (Path): The folder of converted corpora.
    factor (int): Multiplies the number of words in `WORDS`. All texts are returned if there
        are fewer.
    RETURNS (dict[str, list[str]]): Queries (MIT Movie), sentences and documents
        (CoNLL-2003), with a space between words.
    """
    nlp = spacy.blank("en")
    docs = {
        name: [e.reference for e in load_examples(nlp, corpus / name / "test.spacy")]
        for name in CORPORA
    }
    texts = {
        "queries": map(_join, docs["mit_movie"]),
        "sentences": (_join(sentence) for doc in docs["conll2003"] for sentence in doc.sents),
        "documents": map(_join, docs["conll2003"]),
    }
    return {kind: take_words(items, factor * WORDS[kind]) for kind, items in texts.items()}


def read_sentences(path: Path) -> list[str]:
    """Read the sentences of a converted split, with a space between words."""
    examples = load_examples(spacy.blank("en"), path)
    return [_join(sentence) for example in examples for sentence in example.reference.sents]


def _join(tokens: Iterable[object]) -> str:
    return " ".join(str(token) for token in tokens)


def take_words(texts: Iterable[str], words: int) -> list[str]:
    """Take the first texts that have at least `words` words together, or all."""
    taken: list[str] = []
    for text in texts:
        if words <= 0:
            break
        taken.append(text)
        words -= count_words([text])
    return taken


def count_words(texts: Iterable[str]) -> int:
    """Count words, which spaces separate."""
    return sum(len(text.split()) for text in texts)


def stream(texts: list[str], words: int) -> Iterator[str]:
    """Repeat texts until there are at least `words` words."""
    for text in cycle(texts):
        if words <= 0:
            return
        yield text
        words -= count_words([text])
