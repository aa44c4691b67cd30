"""How sure a score is: bootstrap intervals, and whether two runs differ."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .matching import Pair, Score, score, score_labels

SAMPLES = 2000  # bootstrap samples, and shuffles
SEED = 0  # a report of the same predictions says the same
LEAST = 5  # documents with a mention
CHUNK = 200  # samples drawn at once, for memory


def count_documents(documents: Sequence[Sequence[Pair]]) -> NDArray[np.int64]:
    """What strict F1 is made of, by document.

    documents (Sequence[Sequence[Pair]]): The pairs of each document.
    RETURNS (NDArray[np.int64]): Correct, predicted and gold mentions, (documents, 3).
    """
    return _counts(score(pairs) for pairs in documents)


def count_labels(documents: Sequence[Sequence[Pair]]) -> dict[str, NDArray[np.int64]]:
    """The same of each label, in alphabetical order."""
    scores = [score_labels(pairs) for pairs in documents]
    labels = sorted({label for found in scores for label in found})
    none = Score(0, 0, 0)
    return {label: _counts(found.get(label, none) for found in scores) for label in labels}


def _counts(scores: Iterable[Score]) -> NDArray[np.int64]:
    rows = [(int(s.correct), s.predicted, s.gold) for s in scores]
    return np.array(rows, dtype=np.int64).reshape(len(rows), 3)


def f1_of(counts: NDArray[Any]) -> NDArray[np.float64]:
    """F1 from counts of correct, predicted and gold mentions, (..., 3)."""
    total = counts[..., 1] + counts[..., 2]
    f1: NDArray[np.float64] = 2 * counts[..., 0] / np.maximum(total, 1)
    return f1


def interval(
    counts: NDArray[np.int64], *, samples: int = SAMPLES, level: float = 0.95
) -> dict[str, list[float]] | None:
    """Bootstrap intervals of strict precision, recall and F1.

    Documents are drawn with replacement, as many as there are, since mentions of
    one document are right or wrong together. Source: Efron, "Bootstrap Methods"
    (1979), the percentile interval.

    counts (NDArray[np.int64]): What `count_documents` gives.
    samples (int): How many samples.
    level (float): How often such an interval is to hold the true score.
    RETURNS (dict[str, list[float]] | None): The lower and upper end of each score,
        from 0 to 1. None if fewer than `LEAST` documents have a mention, gold or
        predicted: those say too little of others.
    """
    if (counts[:, 1:].sum(axis=1) > 0).sum() < LEAST:
        return None
    generator = np.random.default_rng(SEED)
    sums = np.concatenate(
        [
            counts[generator.integers(len(counts), size=(len(part), len(counts)))].sum(axis=1)
            for part in np.array_split(np.arange(samples), -(-samples // CHUNK))
        ]
    )
    # a sample without predicted or gold mentions has no such score, which is not one of 0
    drawn = {
        "precision": sums[sums[:, 1] > 0, 0] / sums[sums[:, 1] > 0, 1],
        "recall": sums[sums[:, 2] > 0, 0] / sums[sums[:, 2] > 0, 2],
        "f1": f1_of(sums[sums[:, 1:].sum(axis=1) > 0]),
    }
    ends = [50 * (1 - level), 50 * (1 + level)]
    return {
        name: np.percentile(values, ends).tolist() if len(values) else [0.0, 0.0]
        for name, values in drawn.items()
    }


def difference(
    counts: NDArray[np.int64], others: NDArray[np.int64], *, shuffles: int = SAMPLES
) -> dict[str, float]:
    """Whether the F1 of two runs on the same documents differs by more than chance.

    In each shuffle the two runs change places in every document or not, by the
    toss of a coin. p is the share of shuffles that differ as much as the runs do,
    the runs themselves counted among them.
    Source: Noreen, "Computer-Intensive Methods for Testing Hypotheses" (1989);
    Yeh, "More Accurate Tests for the Statistical Significance of Result
    Differences" (COLING 2000).

    counts (NDArray[np.int64]): What `count_documents` gives for one run.
    others (NDArray[np.int64]): The same of the other, document by document.
    shuffles (int): How many shuffles.
    RETURNS (dict[str, float]): f1 of both, their difference, and p.
    RAISES (ValueError): If they are not runs on the same documents.
    """
    if counts.shape != others.shape or (counts[:, 2] != others[:, 2]).any():
        raise ValueError("the two runs were not scored on the same documents")
    observed = float(f1_of(counts.sum(axis=0)) - f1_of(others.sum(axis=0)))
    swing = counts - others
    generator = np.random.default_rng(SEED)
    extreme = 0
    for part in np.array_split(np.arange(shuffles), -(-shuffles // CHUNK)):
        swapped = generator.random((len(part), len(counts))) < 0.5
        moved = swapped.astype(np.int64) @ swing
        gap = f1_of(counts.sum(axis=0) - moved) - f1_of(others.sum(axis=0) + moved)
        extreme += int((np.abs(gap) >= abs(observed) - 1e-12).sum())
    return {
        "f1": float(f1_of(counts.sum(axis=0))),
        "other_f1": float(f1_of(others.sum(axis=0))),
        "difference": observed,
        "p": (extreme + 1) / (shuffles + 1),
    }
