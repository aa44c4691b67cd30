"""Reliability of the confidence."""

import pytest

from bert_ner.evaluation import reliability
from tests.calibration.helpers import make_outcomes


def test_reliability_and_risk() -> None:
    outcomes = make_outcomes([(0.9, True)] * 6 + [(0.6, True), (0.5, False), (0.3, False)])
    bins = reliability.reliability(outcomes, bins=3)
    assert [b["mentions"] for b in bins] == [3, 3, 3]
    assert bins[0]["precision"] == pytest.approx(1 / 3)
    points = reliability.risk_coverage(outcomes)
    assert points[0]["risk"] == 0.0
    assert points[-1] == {"coverage": 1.0, "risk": pytest.approx(2 / 9), "confidence": 0.3}
    assert reliability.area_under_risk(outcomes) == pytest.approx((1 / 8 + 2 / 9) / 9)
