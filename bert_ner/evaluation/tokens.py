"""Scores of single tokens, which papers report beside those of mentions, or in their place."""

from collections import Counter
from collections.abc import Iterable

from .documents import Document
from .matching import Mention, Score


def iob2(words: int, mentions: Iterable[Mention]) -> list[str]:
    """The IOB2 tags of a document.

    words (int): How many tokens it has.
    mentions (Iterable[Mention]): Mentions that do not overlap.
    RETURNS (list[str]): A tag for each token.
    """
    tags = ["O"] * words
    for start, end, label in mentions:
        tags[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
    return tags


def token_scores(documents: Iterable[Document]) -> dict[str, float]:
    """Scores of IOB2 tags, token by token.

    documents (Iterable[Document]): The documents, on gold tokens.
    RETURNS (dict[str, float]): accuracy; macro_f1, the mean F1 of all tags;
        weighted_f1, the same weighted by how many tokens have a tag in gold, O
        included, which is what a "per-token average" usually means; and f1, of all
        tags but O together. All from 0 to 1.
    """
    correct: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    gold: Counter[str] = Counter()
    for document in documents:
        size = len(document.words)
        pairs = zip(iob2(size, document.gold), iob2(size, document.predicted), strict=True)
        for wanted, found in pairs:
            gold[wanted] += 1
            predicted[found] += 1
            correct[wanted] += wanted == found
    tags = sorted(set(gold) | set(predicted))
    f1 = {tag: Score(correct[tag], predicted[tag], gold[tag]).f1 for tag in tags}
    total = max(1, gold.total())
    without = [tag for tag in tags if tag != "O"]
    counts = [sum(counter[tag] for tag in without) for counter in (correct, predicted, gold)]
    return {
        "accuracy": correct.total() / total,
        "macro_f1": sum(f1.values()) / max(1, len(f1)),
        "weighted_f1": sum(f1[tag] * gold[tag] for tag in tags) / total,
        "f1": Score(*counts).f1,
    }
