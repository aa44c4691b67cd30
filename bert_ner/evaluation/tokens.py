"""Scores of single tokens, which some papers report instead of scores of mentions."""

from collections import Counter
from collections.abc import Iterable

from .documents import Document
from .matching import Mention, Score
from .records import TokenScores


def iob2(words: int, mentions: Iterable[Mention]) -> list[str]:
    """Convert the mentions of a document to IOB2 tags.

    words (int): Number of tokens.
    mentions (Iterable[Mention]): Mentions that do not overlap.
    RETURNS (list[str]): One tag per token.
    """
    tags = ["O"] * words
    for start, end, label in mentions:
        tags[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
    return tags


def token_scores(documents: Iterable[Document]) -> TokenScores:
    """Score the IOB2 tags of single tokens.

    documents (Iterable[Document]): The documents, on gold tokens.
    RETURNS (TokenScores): accuracy; macro_f1, the mean F1 over tags; weighted_f1, the mean
        weighted by the number of gold tokens, O included, which "per-token average"
        usually means; and f1, the micro average over all tags except O. All from 0 to 1.
    """
    correct: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    gold: Counter[str] = Counter()
    for document in documents:
        size = len(document.words)
        pairs = zip(iob2(size, document.gold), iob2(size, document.predicted), strict=True)
        for gold_tag, predicted_tag in pairs:
            gold[gold_tag] += 1
            predicted[predicted_tag] += 1
            correct[gold_tag] += gold_tag == predicted_tag
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
