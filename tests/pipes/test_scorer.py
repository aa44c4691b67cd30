"""The accuracy of tags."""

import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from bert_ner.pipes.scorer import ner_score


def test_accuracy_is_that_of_iob2_tags() -> None:
    nlp = spacy.blank("en")
    words = ["Anna", "Maria", "Berg", "saw", "Oslo"]
    gold, predicted = Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words)
    gold.ents = [Span(gold, 0, 3, "PER"), Span(gold, 4, 5, "LOC")]
    predicted.ents = [Span(predicted, 0, 2, "PER"), Span(predicted, 4, 5, "ORG")]
    scores = ner_score([Example(predicted, gold)])
    # B-PER and I-PER and O are right, the third word of the name and Oslo are not
    assert scores["ents_acc"] == 3 / 5
    assert scores["ents_f"] == 0.0
    partly = Doc(nlp.vocab, words=words, ents=["B-PER", "I-PER", "", "", ""])
    assert ner_score([Example(predicted, partly)])["ents_acc"] == 1.0
    assert ner_score([Example(predicted, Doc(nlp.vocab, words=words))])["ents_acc"] is None
