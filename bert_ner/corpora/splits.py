"""Cuts splits off a corpus, the same on every machine and without leaks."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping

from .formats import Document, Sentence


def cut(documents: list[Document], shares: Mapping[str, float]) -> dict[str, list[Document]]:
    """Cut shares of the documents off for other splits.

    Documents with the same text go to the same split, so that no text is in two
    splits. The split of a text depends on a hash of the text only, not on the
    order of the documents, the platform or a random generator.

    documents (list[Document]): All documents.
    shares (Mapping[str, float]): The share of the documents for each split;
        the rest is "train".
    RETURNS (dict[str, list[Document]]): The documents of each split and of
        "train", in their original order.
    """
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for i, document in enumerate(documents):
        groups[text(document)].append(i)
    split_of = ["train"] * len(documents)
    hashed = sorted(groups.values(), key=lambda group: _hash(text(documents[group[0]])))
    for split, share in shares.items():
        remaining = round(share * len(documents))
        for group in [group for group in hashed if split_of[group[0]] == "train"]:
            if len(group) <= remaining:  # a group that is too large stays in train
                remaining -= len(group)
                for i in group:
                    split_of[i] = split
    return {
        split: [d for d, s in zip(documents, split_of, strict=True) if s == split]
        for split in ("train", *shares)
    }


def text(document: Document) -> str:
    """Join the tokens of a document with spaces, and its sentences with newlines."""
    return "\n".join(sentence_text(sentence) for sentence in document)


def sentence_text(sentence: Sentence) -> str:
    """Join the tokens of a sentence with spaces."""
    return " ".join(token.word for token in sentence)


def _hash(string: str) -> bytes:
    return hashlib.sha256(string.encode("utf-8")).digest()


def group_sentences(document: Document, size: int) -> list[Document]:
    """Group sentences into documents.

    document (Document): All sentences of a file that marks no documents.
    size (int): The number of sentences in a document; the last one may have fewer.
    RETURNS (list[Document]): The documents.
    """
    return [document[i : i + size] for i in range(0, len(document), size)]
