"""Bootstrap intervals of scores, and a significance test of two runs."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .matching import Pair, Score, score, score_labels
from .records import Difference, Interval

SAMPLES = 2000  # bootstrap samples, and shuffles
SEED = 0  # fixed, so that equal predictions give equal reports
LEAST = 5  # documents with a mention, for an interval
CHUNK = 200  # samples in memory at once


def count_documents(documents: Sequence[Sequence[Pair]]) -> NDArray[np.int64]:
    """Count the mentions of each document, from which strict F1 is computed.

    documents (Sequence[Sequence[Pair]]): The pairs of each document.
    RETURNS (NDArray[np.int64]): Correct, predicted and gold mentions, (documents, 3).
    """
    return _counts(score(pairs) for pairs in documents)


def count_labels(documents: Sequence[Sequence[Pair]]) -> dict[str, NDArray[np.int64]]:
    """Count the mentions of each label like `count_documents`, in alphabetical order."""
    scores = [score_labels(pairs) for pairs in documents]
    labels = sorted({label for by_label in scores for label in by_label})
    none = Score(0, 0, 0)
    return {label: _counts(by_label.get(label, none) for by_label in scores) for label in labels}


def _counts(scores: Iterable[Score]) -> NDArray[np.int64]:
    rows = [(int(s.correct), s.predicted, s.gold) for s in scores]
    return np.array(rows, dtype=np.int64).reshape(len(rows), 3)


def f1_of(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Compute F1 from counts of correct, predicted and gold mentions, (..., 3)."""
    total = counts[..., 1] + counts[..., 2]
    f1: NDArray[np.float64] = 2 * counts[..., 0] / np.maximum(total, 1)
    return f1


def interval(
    counts: NDArray[np.int64], *, samples: int = SAMPLES, level: float = 0.95
) -> Interval | None:
    """Compute bootstrap intervals of strict precision, recall and F1.

    The samples are documents, drawn with replacement, since the mentions of a document
    are not independent. Source: Efron, "Bootstrap Methods" (1979), the percentile
    interval.

    counts (NDArray[np.int64]): Counts from `count_documents`, (documents, 3).
    samples (int): Number of samples.
    level (float): Confidence level, from 0 to 1.
    RETURNS (Interval | None): The lower and upper end of each score, from 0 to 1. None if
        fewer than `LEAST` documents have a gold or predicted mention.
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
    # precision is undefined, not 0, in a sample without predicted mentions; recall is similar
    drawn = {
        "precision": sums[sums[:, 1] > 0, 0] / sums[sums[:, 1] > 0, 1],
        "recall": sums[sums[:, 2] > 0, 0] / sums[sums[:, 2] > 0, 2],
        "f1": f1_of(sums[sums[:, 1:].sum(axis=1) > 0]),
    }
    ends = {name: _ends(values, level) for name, values in drawn.items()}
    return Interval(precision=ends["precision"], recall=ends["recall"], f1=ends["f1"])


def _ends(values: NDArray[np.float64], level: float) -> list[float]:
    percentiles = [50 * (1 - level), 50 * (1 + level)]
    return [float(end) for end in np.percentile(values, percentiles)] if len(values) else [0.0, 0.0]


def difference(
    counts: NDArray[np.int64], others: NDArray[np.int64], *, shuffles: int = SAMPLES
) -> Difference:
    """Test whether the F1 of two runs on the same documents differs by more than chance.

    The test is approximate randomization: each shuffle swaps the two runs in a random
    half of the documents. The p-value is the share of shuffles whose difference is at
    least the observed one, where the observed one counts as a shuffle.
    Source: Noreen, "Computer-Intensive Methods for Testing Hypotheses" (1989);
    Yeh, "More Accurate Tests for the Statistical Significance of Result
    Differences" (COLING 2000).

    counts (NDArray[np.int64]): Counts from `count_documents` for one run, (documents, 3).
    others (NDArray[np.int64]): Counts for the other run on the same documents.
    shuffles (int): Number of shuffles.
    RETURNS (Difference): F1 of both runs, their difference, and the p-value.
    RAISES (ValueError): If the runs are not on the same documents.
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
