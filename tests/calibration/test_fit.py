"""Calibration fitted on mentions whose confidence has a known error."""

import numpy as np
import pytest
from spacy.tokens import Span

from bert_ner.calibration.fit import (
    TEMPERATURES,
    apply,
    describe,
    fit,
    log_loss,
    out_of_fold,
    predict_mentions,
)
from bert_ner.loading import find_entity_pipe
from bert_ner.pipes.confidence import Calibration
from tests.calibration.helpers import Trained, make_predictions
from tests.pipes.training import make_examples

SEEN = Calibration().with_seen([("Oslo", "LOC")])


def test_overconfidence_is_divided_away() -> None:
    fitted = fit(make_predictions(6000, sharpness=3.0, unseen_right=1.0), SEEN)
    assert 3.0 / fitted.temperature * fitted.slope == pytest.approx(1.0, abs=0.12)
    assert abs(fitted.unseen) < 0.25


def test_unseen_mentions_get_a_weight() -> None:
    predictions = make_predictions(6000, sharpness=1.0, unseen_right=0.7)
    fitted = fit(predictions, SEEN)
    assert fitted.unseen < -0.8
    correct = np.array([p.correct for p in predictions])
    before = log_loss(np.array([p.plain for p in predictions]), correct)
    assert log_loss(apply(fitted, predictions), correct) < before
    assert log_loss(out_of_fold(predictions, SEEN), correct) < before


def test_few_mentions_move_the_weights_little() -> None:
    fitted = fit(make_predictions(4, sharpness=1.0, unseen_right=0.0), Calibration())
    assert abs(fitted.bias) < 2
    assert abs(fitted.unseen) < 2


def test_a_document_is_calibrated_on_other_folds() -> None:
    predictions = make_predictions(100, sharpness=3.0, unseen_right=0.7)
    fold = [p.document % 5 == 2 for p in predictions]
    others = [p for p, inside in zip(predictions, fold, strict=True) if not inside]
    own = [p for p, inside in zip(predictions, fold, strict=True) if inside]
    expected = apply(fit(others, SEEN), own)
    np.testing.assert_array_equal(out_of_fold(predictions, SEEN)[fold], expected)


def test_the_record_measures_each_stage() -> None:
    predictions = make_predictions(600, sharpness=3.0, unseen_right=0.7)
    fitted = fit(predictions, SEEN)
    record = describe(predictions, fitted, gold=700)
    assert record["mentions"] == 600
    assert record["temperature"] == pytest.approx(fitted.temperature, abs=1e-6)
    for measure in (record["log_loss"], record["ece"]):
        assert list(measure) == ["before", "temperature", "after", "out_of_fold"]
        assert measure["after"] < measure["before"]
        assert measure["out_of_fold"] < measure["before"]
    assert record["log_loss"]["after"] < record["log_loss"]["out_of_fold"]
    assert set(record) == {
        *("temperature", "slope", "bias", "unseen", "ambiguous", "length"),
        *("mentions", "log_loss", "ece"),
    }


def test_log_loss_by_hand() -> None:
    loss = log_loss(np.array([0.5, 0.25]), np.array([True, False]))
    assert loss == pytest.approx(-(np.log(0.5) + np.log(0.75)) / 2)
    assert log_loss(np.array([0.0]), np.array([True])) == pytest.approx(-np.log(1e-9))


def test_a_mention_is_correct_with_its_gold_span_and_label(trained: Trained) -> None:
    pipe = find_entity_pipe(trained.nlp)
    assert pipe is not None
    examples = make_examples(trained.nlp, times=1)
    gold = examples[0].reference
    gold.set_ents([Span(gold, 0, 2, "ORG"), Span(gold, 4, 5, "LOC")])
    predictions = predict_mentions(trained.nlp, pipe, examples)
    assert [(p.document, p.text, p.label, p.words, p.correct) for p in predictions] == [
        (0, "Anna Berg", "PER", 2, False),
        (0, "Oslo", "LOC", 1, True),
        (1, "EU", "ORG", 1, True),
        (1, "Lima", "LOC", 1, True),
    ]
    for prediction in predictions:
        assert len(prediction.probabilities) == len(TEMPERATURES)
        assert prediction.probabilities[-1] < prediction.plain <= prediction.probabilities[0]
