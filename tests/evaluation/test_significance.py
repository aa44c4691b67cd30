"""Bootstrap intervals, and the test of two runs."""

from typing import Any

import numpy as np
import pytest

from bert_ner.evaluation import significance
from bert_ner.evaluation.records import Interval


def counts(*rows: tuple[int, int, int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(rows, dtype=np.int64)


def interval(rows: np.ndarray[Any, np.dtype[np.int64]]) -> Interval:
    computed = significance.interval(rows)
    assert computed is not None
    return computed


def test_an_interval_holds_the_score_and_narrows_with_more_documents() -> None:
    some = counts(*[(8, 10, 10), (5, 10, 10), (9, 10, 11)] * 5)
    many = np.tile(some, (20, 1))
    wide, narrow = (interval(rows)["f1"] for rows in (some, many))
    f1 = float(significance.f1_of(some.sum(axis=0)))
    assert wide[0] < narrow[0] < f1 < narrow[1] < wide[1]
    # of so many documents the interval is that of a normal distribution
    right = counts(*[(1, 1, 1), (0, 1, 1)] * 200)
    low, high = interval(right)["recall"]
    assert high - low == pytest.approx(2 * 1.96 * (0.25 / 400) ** 0.5, rel=0.1)
    assert significance.interval(some) == significance.interval(some)
    # samples of equal documents are all the same; a single document has no interval
    assert interval(counts(*[(8, 10, 10)] * 30))["recall"] == [0.8, 0.8]
    assert significance.interval(counts((8, 10, 10))) is None
    # a label in too few documents has no interval; a sample without the label does not count as 0
    assert significance.interval(counts(*[(1, 1, 1)] * 4, *[(0, 0, 0)] * 30)) is None
    assert interval(counts(*[(1, 1, 1)] * 5, *[(0, 0, 0)] * 300))["f1"] == [1.0, 1.0]


def test_runs_differ_only_beyond_chance() -> None:
    base = counts(*[(5, 10, 10), (8, 10, 10)] * 20)
    better = base + counts((2, 0, 0))
    test = significance.difference(better, base)
    assert test["difference"] == pytest.approx(0.2)
    assert test["p"] < 0.001
    assert significance.difference(base, base)["p"] == 1.0
    swapped = base.copy()
    swapped[:2, 0] = swapped[1::-1, 0]
    assert significance.difference(swapped, base)["p"] > 0.5
    with pytest.raises(ValueError, match="not scored on the same documents"):
        significance.difference(base, base[:5])


def test_two_documents_have_the_p_of_all_four_shuffles() -> None:
    """Both swapped or none: the observed gap; one swapped: none. So p is a half."""
    a, b = counts((10, 10, 10), (10, 10, 10)), counts((0, 10, 10), (0, 10, 10))
    assert significance.difference(a, b, shuffles=4000)["p"] == pytest.approx(0.5, abs=0.05)
