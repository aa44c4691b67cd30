"""Scores of tokens, compared with seqeval and scikit-learn."""

import pytest
from hypothesis import given
from seqeval.metrics import accuracy_score
from sklearn.metrics import f1_score

from bert_ner.evaluation.matching import Mention
from bert_ner.evaluation.tokens import iob2, token_scores
from tests.evaluation.helpers import TEXT, document, mentions


@given(mentions(), mentions())
def test_token_scores_are_those_of_seqeval_and_scikit_learn(
    gold: list[Mention], predicted: list[Mention]
) -> None:
    tags = [iob2(len(TEXT), side) for side in (gold, predicted)]
    ours = token_scores([document(gold, predicted)])
    assert ours["accuracy"] == pytest.approx(accuracy_score([tags[0]], [tags[1]]))
    for average in ("macro", "weighted"):
        theirs = f1_score(*tags, average=average, zero_division=0)
        assert {"macro": ours["macro_f1"], "weighted": ours["weighted_f1"]}[
            average
        ] == pytest.approx(theirs)
