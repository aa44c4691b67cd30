"""Scores of a split."""

from dataclasses import replace
from pathlib import Path

import pytest

from bert_ner.errors import InputError
from bert_ner.evaluation.scoring import load, score, score_split, uncalibrated_error
from bert_ner.loading import find_entity_pipe
from tests.evaluation.helpers import Evaluated, Run


def test_scores_agree_with_the_paired_mentions(trained: Run, evaluated: Evaluated) -> None:
    nlp = load(*trained, gpu=-1)
    split = score_split(nlp, trained.corpus / "test.spacy")
    pairs = [pair for document in split.documents for pair in document.pairs]
    correct = sum(pair.outcome == "correct" for pair in pairs)
    assert split.scores["recall"] == pytest.approx(correct / 9)
    assert list(split.scores["labels"]) == ["LOC", "ORG", "PER"]
    stored = evaluated.result.scores["scores"]["test"]
    assert split.scores["f1"] == pytest.approx(stored["f1"])
    assert split.scores["confidence"] is not None
    assert split.scores["words_per_second"] > 0
    assert score(nlp, trained.corpus / "dev.spacy")["f1"] > 0.5


def test_the_error_before_calibration_needs_all_mentions(trained: Run) -> None:
    nlp = load(*trained, gpu=-1)
    examples = score_split(nlp, trained.corpus / "test.spacy").examples
    pipe = find_entity_pipe(nlp)
    assert pipe is not None
    error = uncalibrated_error(nlp, examples)
    assert error is not None
    assert 0 <= error <= 1
    pipe.calibration = replace(pipe.calibration, temperature=2.0)
    assert uncalibrated_error(nlp, examples) == error
    assert pipe.calibration.temperature == 2.0
    pipe.min_confidence = 0.5
    assert uncalibrated_error(nlp, examples) is None


def test_missing_files_are_named(trained: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"meta\.json: not found"):
        load(tmp_path, trained.corpus, gpu=-1)
    with pytest.raises(InputError, match=r"dev\.spacy: not found"):
        load(trained.pipeline, tmp_path, gpu=-1)
