"""Measurements of a split."""

import pytest

from bert_ner.evaluation.split_report import describe_split
from tests.calibration.helpers import make_outcomes
from tests.evaluation.helpers import GOLD, PREDICTED, document


def test_all_measurements_are_of_the_same_mentions() -> None:
    outcomes = make_outcomes([(0.9, True), (0.6, False), (0.5, False), (0.3, False)], gold=4)
    report = describe_split([document(GOLD, PREDICTED)] * 6, outcomes, {}, loss=0.5)
    strict = report["views"]["strict"]
    assert (strict["precision"], strict["support"], strict["predicted"]) == (0.25, 24, 24)
    assert report["documents"] == [[1, 4, 4]] * 6
    assert report["interval_95"] is not None
    assert report["interval_95"]["f1"] == [0.25, 0.25]
    assert report["errors"] == {
        "wrong label": 6,
        "wrong boundary": 6,
        "wrong label and boundary": 0,
        "missed": 6,
        "invented": 6,
    }
    assert [(c["gold"], c["predicted"], c["count"]) for c in report["confusion"]] == [
        ("LOC", "LOC", 6),
        ("ORG", "LOC", 6),
        ("ORG", None, 6),
        ("PER", "PER", 6),
        (None, "PER", 6),
    ]
    assert report["labels"]["PER"]["f1"] == pytest.approx(2 / 3)
    assert report["macro"]["f1"] == pytest.approx(
        sum(x["f1"] for x in report["labels"].values()) / 3
    )
    assert report["loss"] == 0.5
    assert len(report["reliability"] or []) == 4


def test_without_confidence_its_measurements_are_unknown() -> None:
    report = describe_split([document(GOLD, PREDICTED)], None, {})
    unknown = {key for key, value in report.items() if value is None}
    assert unknown == {"interval_95", "reliability", "risk_coverage", "area_under_risk", "loss"}
