"""Calibration error and thresholds, compared with values computed by hand."""

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.training import Example

from bert_ner.calibration.outcomes import (
    Outcomes,
    expected_calibration_error,
    outcomes,
    summary,
    threshold_for,
)
from tests.calibration.helpers import make_outcomes


def test_error_by_hand() -> None:
    mentions = make_outcomes([(0.2, False), (0.4, True), (0.8, True), (1.0, True)])
    # two bins: |0.3 - 0.5| and |0.9 - 1.0|, half the mentions each
    assert expected_calibration_error(mentions, bins=2) == pytest.approx(0.5 * 0.2 + 0.5 * 0.1)
    assert expected_calibration_error(mentions, bins=1) == pytest.approx(abs(0.6 - 0.75))
    # one bin per mention; the empty bins are ignored
    assert expected_calibration_error(mentions, bins=15) == pytest.approx((0.2 + 0.6 + 0.2 + 0) / 4)


def test_a_calibrated_pipeline_has_almost_no_error() -> None:
    generator = np.random.default_rng(1)
    confidence = generator.random(100_000)
    mentions = Outcomes(confidence, generator.random(100_000) < confidence, 1)
    assert expected_calibration_error(mentions) < 0.01
    worse = Outcomes(confidence**0.3, mentions.correct, 1)
    assert expected_calibration_error(worse) > 0.1


def test_precision_and_recall_above_a_threshold() -> None:
    mentions = make_outcomes([(0.2, False), (0.4, True), (0.8, True), (1.0, True)], gold=5)
    assert mentions.above(0.4) == {"precision": 1.0, "recall": 0.6, "kept": 0.75}
    assert mentions.above(0.0)["precision"] == 0.75
    assert make_outcomes([(0.5, True)]).above(0.9) == {"precision": 1.0, "recall": 0.0, "kept": 0.0}
    assert summary(mentions)["thresholds"]["0.5"]["recall"] == 0.4


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.7, 0.9]), st.booleans()), min_size=1),
    st.sampled_from([0.5, 0.8, 1.0]),
)
def test_the_threshold_is_the_lowest_that_reaches_the_precision(
    pairs: list[tuple[float, bool]], precision: float
) -> None:
    mentions = make_outcomes(pairs)
    reaching = [t for t in {p for p, _ in pairs} if mentions.above(t)["precision"] >= precision]
    assert threshold_for(mentions, precision) == (min(reaching) if reaching else None)


def test_predicted_mentions_are_compared_with_gold() -> None:
    nlp = spacy.blank("en")
    if not Span.has_extension("confidence"):
        Span.set_extension("confidence", default=None)
    gold = Doc(nlp.vocab, words=["Anna", "Berg", "in", "Oslo", "."])
    gold.set_ents([Span(gold, 0, 2, "PER"), Span(gold, 3, 4, "LOC")])
    predicted = Doc(nlp.vocab, words=["Anna", "Berg", "in", "Oslo", "."])
    predicted.set_ents([Span(predicted, 0, 1, "PER"), Span(predicted, 3, 4, "LOC")])
    assert outcomes([Example(predicted, gold)]) is None
    for ent, confidence in zip(predicted.ents, (0.25, 0.75), strict=True):
        ent._.confidence = confidence
    mentions = outcomes([Example(predicted, gold)])
    assert mentions is not None
    assert mentions.confidence.tolist() == [0.25, 0.75]
    assert mentions.correct.tolist() == [False, True]
    assert mentions.gold == 2
