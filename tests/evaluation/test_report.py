"""Sections of a report."""

from pathlib import Path
from typing import cast

import pytest

from bert_ner.errors import InputError
from bert_ner.evaluation.records import Metrics, Scores, SplitReport
from bert_ner.evaluation.report import CASES, compare_papers, read_cases
from bert_ner.evaluation.robustness import changes
from bert_ner.evaluation.split_report import describe_split
from bert_ner.training.papers import read_papers
from tests.conftest import ROOT
from tests.evaluation.helpers import GOLD, PREDICTED, Evaluated, document


def test_cases_have_a_text_and_a_remark(tmp_path: Path) -> None:
    assert {frozenset(case) for case in read_cases(ROOT / CASES)} == {frozenset(("about", "text"))}
    path = tmp_path / "cases.toml"
    for content in ("[[cases]]\nabout = 1\n", "[[cases]]\ntext = 'a'\n"):
        path.write_text(content)
        with pytest.raises(InputError, match="needs the texts about and text"):
            read_cases(path)


def test_scores_on_the_sample_are_not_compared_with_papers() -> None:
    split: SplitReport = describe_split([document(GOLD, PREDICTED)], None, {}, loss=0.5)
    splits = {"dev": split, "test": split}
    papers = read_papers(ROOT / "configs" / "papers.toml")
    for kind in ("sample", "user"):
        base = cast(Scores, {"source": {"kind": kind, "corpus": "conll2003"}})
        assert bool(compare_papers(base, splits, papers)) == (kind == "user")


def test_every_change_is_scored(evaluated: Evaluated) -> None:
    metrics = cast(Metrics, evaluated.result.scores)
    assert list(metrics["robustness"]) == list(changes([]))
    clean = metrics["splits"]["test"]["views"]["strict"]
    for scores in (metrics["raw_text"], *metrics["robustness"].values()):
        assert scores["support"] == clean["support"]
    assert metrics["cases"][0]["words"][:2] == ["In", "Venezuela"]
