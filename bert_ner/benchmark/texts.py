"""The texts that are timed: short ones, sentences, and long documents."""

from collections.abc import Iterable, Iterator
from itertools import cycle
from pathlib import Path

import spacy

from ..loading import load_examples

WORDS = {"queries": 4_000, "sentences": 8_000, "documents": 12_000}  # of each kind, at least
MORE_ON_GPU = 4  # times as many, which is nearly all there are

READ = ("mit_movie", "conll2003")


def read_texts(corpus: Path, more: int = 1) -> dict[str, list[str]]:
    """Read texts of each kind from the test splits of converted corpora.

    corpus (Path): The folder of converted corpora.
    more (int): How many times as many words as `WORDS` says, if there are.
    RETURNS (dict[str, list[str]]): Queries (MIT Movie), sentences and documents
        (CoNLL-2003): words with a space between each.
    """
    nlp = spacy.blank("en")
    docs = {
        name: [e.reference for e in load_examples(nlp, corpus / name / "test.spacy")]
        for name in READ
    }
    texts = {
        "queries": map(_join, docs["mit_movie"]),
        "sentences": (_join(sentence) for doc in docs["conll2003"] for sentence in doc.sents),
        "documents": map(_join, docs["conll2003"]),
    }
    return {kind: take_words(found, more * WORDS[kind]) for kind, found in texts.items()}


def read_sentences(path: Path) -> list[str]:
    """Read the sentences of a converted split: words with a space between each."""
    examples = load_examples(spacy.blank("en"), path)
    return [_join(sentence) for example in examples for sentence in example.reference.sents]


def _join(tokens: Iterable[object]) -> str:
    return " ".join(str(token) for token in tokens)


def take_words(texts: Iterable[str], words: int) -> list[str]:
    """The first texts that together have so many words, or all."""
    taken: list[str] = []
    for text in texts:
        if words <= 0:
            break
        taken.append(text)
        words -= count_words([text])
    return taken


def count_words(texts: Iterable[str]) -> int:
    """Words, as the corpora cut them."""
    return sum(len(text.split()) for text in texts)


def stream(texts: list[str], words: int) -> Iterator[str]:
    """Texts, again from the first after the last, until there are so many words."""
    for text in cycle(texts):
        if words <= 0:
            return
        yield text
        words -= count_words([text])
