"""Comparison with the figures of papers."""

from typing import cast

import pytest

from bert_ner.evaluation.papers import compare, ours
from bert_ner.evaluation.records import SplitReport
from bert_ner.evaluation.split_report import describe_split
from bert_ner.training.papers import read_papers
from tests.conftest import ROOT
from tests.evaluation.helpers import GOLD, PREDICTED, document

NOT_MEASURED = {"F1 of org", "F1 of per", "F1 of tim"}  # labels of GMB


@pytest.mark.parametrize("corpus", ["conll2003", "mit_movie", "gmb", "own"])
def test_every_figure_of_the_papers_is_compared(corpus: str) -> None:
    split = describe_split([document(GOLD, PREDICTED)], None, {})
    papers = read_papers(ROOT / "configs" / "papers.toml")
    rows = compare(corpus, {"dev": split, "test": split}, papers)
    assert bool(rows) == (corpus != "own")
    for row in rows:
        has_none = row["metric"] in ("loss of a token",) or row["metric"].startswith("F1 of g")
        assert (row["ours"] is None) == (has_none or row["metric"] in NOT_MEASURED), row


def test_each_figure_is_that_of_its_name() -> None:
    split = {
        "loss": 0.1,
        "tokens": {"accuracy": 0.2, "f1": 0.25, "weighted_f1": 0.3, "macro_f1": 0.35},
        "labels": {"org": {"f1": 0.4}},
        "views": {"strict": {"precision": 0.5, "recall": 0.6, "f1": 0.7}},
    }
    for metric, value in (
        ("loss", 0.1),
        ("accuracy", 20),
        ("weighted_token_f1", 30),
        ("f1_org", 40),
        ("precision", 50),
        ("recall", 60),
        ("f1", 70),
    ):
        assert ours(metric, cast(SplitReport, split)) == pytest.approx(value), metric
