"""Which annotations are most likely wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .documents import Document

DEPTHS = (50, 100, 500)  # sentences that an annotator might look at


@dataclass(frozen=True)
class Suspect:
    """A sentence, and how much a pipeline doubts its annotation.

    document (int): The number of its document, from 0.
    start (int): Its first token.
    end (int): The token after its last.
    doubt (float): Of the gold tag that is doubted most: the negative logarithm of its
        probability, in nats.
    token (int): The token with that tag.
    """

    document: int
    start: int
    end: int
    doubt: float
    token: int


def rank(documents: Sequence[Document], doubts: Sequence[Sequence[float]]) -> list[Suspect]:
    """Rank sentences by how much their annotation is doubted.

    A sentence is as suspect as its most suspect token. Source: Wang and Mueller,
    "Detecting Label Errors in Token Classification Data" (NeurIPS 2022 workshop on
    interactive learning), who found the worst token to tell more than a mean.

    documents (Sequence[Document]): The documents.
    doubts (Sequence[Sequence[float]]): For each token, see `Suspect`.
    RETURNS (list[Suspect]): The most suspect first.
    """
    found = []
    for number, (document, doubt) in enumerate(zip(documents, doubts, strict=True)):
        for start, end in document.sentences:
            worst = max(range(start, end), key=lambda i: doubt[i])
            found.append(Suspect(number, start, end, doubt[worst], worst))
    return sorted(found, key=lambda suspect: -suspect.doubt)


def judge(suspects: Sequence[Suspect], wrong: set[tuple[int, int]]) -> list[dict[str, Any]]:
    """How many of the first suspects are wrong indeed.

    suspects (Sequence[Suspect]): What `rank` gives.
    wrong (set[tuple[int, int]]): Document and first token of the sentences that
        annotators have changed.
    RETURNS (list[dict[str, Any]]): sentences, precision and recall at each of
        `DEPTHS`, and at as many sentences as are wrong.
    """
    hits = [(suspect.document, suspect.start) in wrong for suspect in suspects]
    return [
        {
            "sentences": depth,
            "precision": sum(hits[:depth]) / depth,
            "recall": sum(hits[:depth]) / max(1, len(wrong)),
        }
        for depth in sorted({*DEPTHS, len(wrong)} - {0})
        if depth <= len(suspects)
    ]


def changed_sentences(
    before: Sequence[Document], after: Sequence[Document]
) -> set[tuple[int, int]]:
    """The sentences whose gold mentions differ between two annotations of the same words.

    RETURNS (set[tuple[int, int]]): Document and first token of each.
    """
    return {
        (number, start)
        for number, (old, new) in enumerate(zip(before, after, strict=True))
        for start, end in old.sentences
        if old.inside(old.gold, start, end) != new.inside(new.gold, start, end)
    }


def describe(suspect: Suspect, document: Document) -> dict[str, Any]:
    """A suspect for a file: offsets and labels, and no text.

    suspect (Suspect): The suspect.
    document (Document): Its document.
    RETURNS (dict[str, Any]): The suspect, and the mentions of its sentence as
        half-open token ranges of the document, the predicted ones with confidence.
    """
    gold, predicted = (
        document.inside(mentions, suspect.start, suspect.end)
        for mentions in (document.gold, document.predicted)
    )
    return {
        "document": suspect.document,
        "start": suspect.start,
        "end": suspect.end,
        "doubt": round(suspect.doubt, 4),
        "token": suspect.token,
        "gold": [list(m) for m in gold],
        "predicted": [[*m, document.confidence.get(m)] for m in predicted],
    }
