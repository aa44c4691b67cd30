"""Calibration error and thresholds, against sums done by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert_ner.calibration.outcomes import (
    Outcomes,
    expected_calibration_error,
    summary,
    threshold_for,
)


def make(pairs: list[tuple[float, bool]], gold: int = 10) -> Outcomes:
    return Outcomes(
        np.array([p for p, _ in pairs]), np.array([c for _, c in pairs], dtype=bool), gold
    )


def test_error_by_hand() -> None:
    found = make([(0.2, False), (0.4, True), (0.8, True), (1.0, True)])
    # two bins: |0.3 - 0.5| and |0.9 - 1.0|, half the mentions each
    assert expected_calibration_error(found, bins=2) == pytest.approx(0.5 * 0.2 + 0.5 * 0.1)
    assert expected_calibration_error(found, bins=1) == pytest.approx(abs(0.6 - 0.75))
    # a bin for each mention, and empty ones left out
    assert expected_calibration_error(found, bins=15) == pytest.approx((0.2 + 0.6 + 0.2 + 0) / 4)


def test_a_calibrated_pipeline_has_next_to_no_error() -> None:
    generator = np.random.default_rng(1)
    confidence = generator.random(100_000)
    found = Outcomes(confidence, generator.random(100_000) < confidence, 1)
    assert expected_calibration_error(found) < 0.01
    worse = Outcomes(confidence**0.3, found.correct, 1)
    assert expected_calibration_error(worse) > 0.1


def test_precision_and_recall_above_a_threshold() -> None:
    found = make([(0.2, False), (0.4, True), (0.8, True), (1.0, True)], gold=5)
    assert found.above(0.4) == {"precision": 1.0, "recall": 0.6, "kept": 0.75}
    assert found.above(0.0)["precision"] == 0.75
    assert make([(0.5, True)]).above(0.9) == {"precision": 1.0, "recall": 0.0, "kept": 0.0}
    assert summary(found)["thresholds"]["0.5"]["recall"] == 0.4


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.7, 0.9]), st.booleans()), min_size=1),
    st.sampled_from([0.5, 0.8, 1.0]),
)
def test_the_threshold_is_the_lowest_that_reaches_the_precision(
    pairs: list[tuple[float, bool]], precision: float
) -> None:
    found = make(pairs)
    reaching = [t for t in {p for p, _ in pairs} if found.above(t)["precision"] >= precision]
    assert threshold_for(found, precision) == (min(reaching) if reaching else None)
