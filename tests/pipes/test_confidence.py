"""Confidence is a probability, and calibration survives JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert_ner.pipes.confidence import Calibration, mention_key

p = st.floats(0, 1)


def test_the_default_changes_nothing() -> None:
    for value in (0.0, 1e-12, 0.3, 1.0):
        assert Calibration().confidence(value, "Oslo", "LOC", 1) == value


@given(p, p)
def test_confidence_is_a_probability_and_keeps_the_order(a: float, b: float) -> None:
    calibration = Calibration(2.0, slope=0.8, bias=400.0, unseen=-900.0, length=3.0)
    low, high = (calibration.confidence(x, "Oslo", "LOC", 2) for x in sorted((a, b)))
    assert 0 <= low <= high <= 1


def test_unseen_and_long_mentions_are_trusted_less() -> None:
    calibration = Calibration(unseen=-2.0, length=-0.5).with_seen([("Oslo", "LOC")])
    seen = calibration.confidence(0.9, "OSLO", "LOC", 1)
    assert seen == pytest.approx(0.9)
    assert calibration.confidence(0.9, "Oslo", "ORG", 1) < seen
    assert calibration.confidence(0.9, "Lima", "LOC", 1) < seen
    four, nine = (calibration.confidence(0.9, "Oslo", "LOC", n) for n in (4, 9))
    assert four == nine < calibration.confidence(0.9, "Oslo", "LOC", 2) < seen


def test_a_text_that_has_had_another_label_is_ambiguous() -> None:
    seen = [("Oslo", "LOC"), ("Oslo", "ORG"), ("Lima", "LOC")]
    calibration = Calibration(ambiguous=-2.0).with_seen(seen)
    plain = calibration.confidence(0.9, "Lima", "LOC", 1)
    assert plain == pytest.approx(0.9)
    assert calibration.confidence(0.9, "Bern", "LOC", 1) == plain
    doubtful = {
        calibration.confidence(0.9, text, label, 1)
        for text, label in (("oslo", "LOC"), ("Oslo", "ORG"), ("Lima", "ORG"))
    }
    assert len(doubtful) == 1
    assert doubtful.pop() < plain


def test_survives_json_of_any_parser() -> None:
    calibration = Calibration(1.7, slope=1 / 3, bias=0.1, ambiguous=-1.0).with_seen(
        [("Oslo", "LOC"), ("a", "B")]
    )
    stored = json.loads(json.dumps(calibration.to_dict()))
    again = Calibration.from_dict(stored)
    assert again.to_dict() == calibration.to_dict()
    assert again.confidence(0.9, "oslo", "B", 1) == pytest.approx(
        calibration.confidence(0.9, "oslo", "B", 1), abs=1e-6
    )
    assert all(0 <= key < 2**53 for key in stored["seen"])
    assert mention_key("Oslo", "LOC") == mention_key("oslo", "LOC") != mention_key("oslo", "ORG")


def test_what_is_not_stored_is_as_in_a_new_pipeline() -> None:
    assert Calibration.from_dict({}) == Calibration()
    assert Calibration.from_dict({"temperature": 2.0}) == Calibration(2.0)
    with pytest.raises(ValueError, match="expected more than 0"):
        Calibration(0.0)
