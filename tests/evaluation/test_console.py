"""Scores as text for the terminal."""

from bert_ner.evaluation.console import format_scores
from tests.evaluation.helpers import Evaluated


def test_the_text_names_the_scores_and_what_was_measured(evaluated: Evaluated) -> None:
    scores = evaluated.result.scores
    text = format_scores(scores)
    assert text.startswith(f"{scores['pipeline']}, trained on: {scores['trained_on']}\n")
    assert "scored on: a test, from here" in text
    for split in ("dev", "test"):
        assert f"{100 * scores['scores'][split]['f1']:.2f}" in text
        assert f"\n{split}: expected calibration error " in text
    assert "  ORG " in text
    assert "words per second on" in text
    assert text.endswith("Scores on the built-in sample are not scores on conll2003.")
