"""The worst errors: those with the highest confidence."""

from collections.abc import Sequence
from typing import TypedDict

from .documents import Document
from .matching import Mention, Outcome, Pair


class ErrorInText(TypedDict):
    """An error with the words and all mentions of its sentences, for the page.

    Ranges of words are half-open and count from the first word shown. `confidence` is None
    for a missed mention, and if the pipeline gives none.
    """

    kind: str
    confidence: float | None
    document: int
    words: list[str]
    gold: list[tuple[int, int, str]]
    predicted: list[tuple[int, int, str]]


def worst_errors(documents: Sequence[Document], count: int) -> list[ErrorInText]:
    """Select the errors with the highest confidence. Missed mentions come last.

    documents (Sequence[Document]): The documents.
    count (int): Maximum number of errors.
    RETURNS (list[ErrorInText]): The errors with the sentences that they occur in.
    """
    errors = [
        (document.confidence.get(pair.predicted, -1.0) if pair.predicted else -2.0, i, pair)
        for i, document in enumerate(documents)
        for pair in document.pairs
        if pair.outcome is not Outcome.CORRECT
    ]
    errors.sort(key=lambda error: (-error[0], error[1]))
    return [_describe(documents[i], i, pair, confidence) for confidence, i, pair in errors[:count]]


def _describe(document: Document, number: int, pair: Pair, confidence: float) -> ErrorInText:
    sides = [mention for mention in (pair.gold, pair.predicted) if mention]
    first, last = min(m.start for m in sides), max(m.end for m in sides)
    sentences = [s for s in document.sentences if s[0] < last and first < s[1]]
    start, end = sentences[0][0], sentences[-1][1]

    def inside(mentions: list[Mention]) -> list[tuple[int, int, str]]:
        overlapping = document.inside(mentions, start, end)
        return [(max(0, m.start - start), min(end, m.end) - start, m.label) for m in overlapping]

    return {
        "kind": pair.outcome.value,
        "confidence": confidence if confidence >= 0 else None,
        "document": number,
        "words": list(document.words[start:end]),
        "gold": inside(document.gold),
        "predicted": inside(document.predicted),
    }
