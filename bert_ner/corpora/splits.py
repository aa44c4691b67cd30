"""Cutting splits off: the same on every machine, and without leaks."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping

from .formats import Document, Sentence


def cut(documents: list[Document], shares: Mapping[str, float]) -> dict[str, list[Document]]:
    """Cut shares of the documents off for other splits.

    Documents with the same text go to the same split, so that no text stands in
    two. Which texts go where depends on a hash of the text alone, and not on
    the order, the platform or a random generator.

    documents (list[Document]): All documents.
    shares (Mapping[str, float]): The share of the documents for each split;
        the rest is "train".
    RETURNS (dict[str, list[Document]]): The documents of each split and of
        "train", in their order.
    """
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for i, document in enumerate(documents):
        groups[text(document)].append(i)
    split_of = ["train"] * len(documents)
    hashed = sorted(groups.values(), key=lambda group: _hash(text(documents[group[0]])))
    for split, share in shares.items():
        wanted = round(share * len(documents))
        for group in [group for group in hashed if split_of[group[0]] == "train"]:
            if len(group) <= wanted:  # one that is too large stays in train
                wanted -= len(group)
                for i in group:
                    split_of[i] = split
    return {
        split: [d for d, s in zip(documents, split_of, strict=True) if s == split]
        for split in ("train", *shares)
    }


def text(document: Document) -> str:
    """The tokens of a document, separated by spaces, sentences by newlines."""
    return "\n".join(sentence_text(sentence) for sentence in document)


def sentence_text(sentence: Sentence) -> str:
    """The tokens of a sentence, separated by spaces."""
    return " ".join(token.word for token in sentence)


def _hash(string: str) -> bytes:
    return hashlib.sha256(string.encode("utf-8")).digest()


def group_sentences(document: Document, size: int) -> list[Document]:
    """Make documents of a given number of sentences where a file marks none."""
    return [document[i : i + size] for i in range(0, len(document), size)]
