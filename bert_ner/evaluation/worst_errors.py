"""The worst errors: those of which the pipeline was surest."""

from collections.abc import Sequence
from typing import Any

from .documents import Document
from .matching import Mention, Outcome, Pair


def worst_errors(documents: Sequence[Document], count: int) -> list[dict[str, Any]]:
    """The errors with the highest confidence, missed mentions last.

    documents (Sequence[Document]): The documents.
    count (int): How many errors at most.
    RETURNS (list[dict[str, Any]]): Of each error its kind, confidence (None where
        there is none), the document's number, and the sentences in which it stands:
        their words, and all gold and predicted mentions in them, counted from
        the first of these words.
    """
    errors = [
        (document.confidence.get(pair.predicted, -1.0) if pair.predicted else -2.0, i, pair)
        for i, document in enumerate(documents)
        for pair in document.pairs
        if pair.outcome is not Outcome.CORRECT
    ]
    errors.sort(key=lambda error: (-error[0], error[1]))
    return [_describe(documents[i], i, pair, sure) for sure, i, pair in errors[:count]]


def _describe(document: Document, number: int, pair: Pair, sure: float) -> dict[str, Any]:
    sides = [mention for mention in (pair.gold, pair.predicted) if mention]
    first, last = min(m.start for m in sides), max(m.end for m in sides)
    around = [s for s in document.sentences if s[0] < last and first < s[1]]
    start, end = around[0][0], around[-1][1]

    def inside(mentions: list[Mention]) -> list[tuple[int, int, str]]:
        kept = document.inside(mentions, start, end)
        return [(max(0, m.start - start), min(end, m.end) - start, m.label) for m in kept]

    return {
        "kind": pair.outcome.value,
        "confidence": sure if sure >= 0 else None,
        "document": number,
        "words": list(document.words[start:end]),
        "gold": inside(document.gold),
        "predicted": inside(document.predicted),
    }
