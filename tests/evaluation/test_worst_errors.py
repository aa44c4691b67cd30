"""The errors with the highest confidence."""

from bert_ner.evaluation.worst_errors import worst_errors
from tests.evaluation.helpers import GOLD, PREDICTED, TEXT, document


def test_the_most_confident_errors_come_first_with_their_sentences() -> None:
    confidence = {PREDICTED[0]: 1.0, PREDICTED[1]: 0.6, PREDICTED[2]: 0.7, PREDICTED[3]: 0.9}
    errors = worst_errors([document(GOLD, PREDICTED, confidence)], 10)
    assert [(e["kind"], e["confidence"]) for e in errors] == [
        ("invented", 0.9),
        ("wrong boundary", 0.7),
        ("wrong label", 0.6),
        ("missed", None),
    ]
    assert errors[0]["words"] == TEXT[8:]
    assert errors[0]["predicted"] == [(5, 6, "PER")]
    assert errors[2]["gold"] == [(0, 2, "PER"), (4, 5, "ORG"), (6, 7, "LOC")]
    assert len(worst_errors([document(GOLD, PREDICTED, confidence)], 2)) == 2
