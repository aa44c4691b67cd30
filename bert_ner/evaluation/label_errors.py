"""Ranking of sentences by how likely their annotation is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from .documents import Document
from .records import RankingScores

DEPTHS = (50, 100, 500)  # numbers of sentences that an annotator might check


@dataclass(frozen=True)
class Suspect:
    """A sentence, and how much a pipeline doubts its annotation.

    document (int): Number of its document, from 0.
    start (int): First token of the sentence.
    end (int): End of the sentence: the token after the last one.
    doubt (float): Loss of the least likely gold tag: the negative logarithm of its
        probability, in nats.
    token (int): The token with that tag.
    """

    document: int
    start: int
    end: int
    doubt: float
    token: int


class SuspectRecord(TypedDict):
    """A sentence of an audit, without its text.

    Ranges of tokens are half-open and count from the start of the document. The predicted
    mentions have a confidence, None if the pipeline gives none. `doubt` is in nats.
    """

    document: int
    start: int
    end: int
    doubt: float
    token: int
    gold: list[tuple[int, int, str]]
    predicted: list[tuple[int, int, str, float | None]]


def rank(documents: Sequence[Document], doubts: Sequence[Sequence[float]]) -> list[Suspect]:
    """Rank sentences by the doubt about their annotation.

    The score of a sentence is that of its worst token. Source: Wang and Mueller,
    "Detecting Label Errors in Token Classification Data" (NeurIPS 2022 workshop on
    interactive learning), where the worst token works better than the mean.

    documents (Sequence[Document]): The documents.
    doubts (Sequence[Sequence[float]]): The doubt of each token of each document.
    RETURNS (list[Suspect]): The sentences, most doubted first.
    """
    suspects = []
    for number, (document, doubt) in enumerate(zip(documents, doubts, strict=True)):
        for start, end in document.sentences:
            worst = max(range(start, end), key=lambda i: doubt[i])
            suspects.append(Suspect(number, start, end, doubt[worst], worst))
    return sorted(suspects, key=lambda suspect: -suspect.doubt)


def judge(suspects: Sequence[Suspect], wrong: set[tuple[int, int]]) -> list[RankingScores]:
    """Compute precision and recall of the ranking.

    suspects (Sequence[Suspect]): The ranked sentences.
    wrong (set[tuple[int, int]]): Document and first token of each sentence with a wrong
        annotation.
    RETURNS (list[RankingScores]): Scores of the first sentences, for each of `DEPTHS` and
        for the number of wrong sentences.
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
    """Find the sentences whose gold mentions differ between two annotations.

    before (Sequence[Document]): Documents with the one annotation.
    after (Sequence[Document]): The same documents with the other annotation.
    RETURNS (set[tuple[int, int]]): Document and first token of each sentence.
    """
    return {
        (number, start)
        for number, (old, new) in enumerate(zip(before, after, strict=True))
        for start, end in old.sentences
        if old.inside(old.gold, start, end) != new.inside(new.gold, start, end)
    }


def describe(suspect: Suspect, document: Document) -> SuspectRecord:
    """Convert a suspect to a record without text.

    suspect (Suspect): The suspect.
    document (Document): Its document.
    RETURNS (SuspectRecord): The suspect with the mentions of its sentence.
    """
    gold = document.inside(document.gold, suspect.start, suspect.end)
    predicted = document.inside(document.predicted, suspect.start, suspect.end)
    return {
        "document": suspect.document,
        "start": suspect.start,
        "end": suspect.end,
        "doubt": round(suspect.doubt, 4),
        "token": suspect.token,
        "gold": [(m.start, m.end, m.label) for m in gold],
        "predicted": [(m.start, m.end, m.label, document.confidence.get(m)) for m in predicted],
    }
