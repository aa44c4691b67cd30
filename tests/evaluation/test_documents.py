"""Documents of annotated examples."""

from spacy.tokens import Doc, Span
from spacy.training import Example

from bert_ner.evaluation.documents import read_documents
from tests.evaluation.helpers import GOLD, NLP, PREDICTED, TEXT


def test_documents_are_read_with_their_sentences_and_confidence() -> None:
    gold = Doc(NLP.vocab, words=TEXT, sent_starts=[i in (0, 8) for i in range(len(TEXT))])
    gold.ents = [Span(gold, *mention) for mention in GOLD]
    predicted = Doc(NLP.vocab, words=TEXT)
    predicted.ents = [Span(predicted, *mention) for mention in PREDICTED]
    read = read_documents([Example(predicted, gold)])[0]
    assert (read.gold, read.predicted) == (GOLD, PREDICTED)
    assert read.sentences == ((0, 8), (8, 15))
    assert read.confidence == {}
