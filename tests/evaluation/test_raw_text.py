"""Running text from tokens."""

from spacy.tokens import Doc, Span

from bert_ner.evaluation.documents import MISALIGNED, read_documents
from bert_ner.evaluation.raw_text import raw_example, spaces_after
from tests.evaluation.helpers import NLP


def test_running_text_is_typeset_and_scored_by_characters() -> None:
    words = ["He", "said", ":", '"', "We", "won", ",", "3-1", ".", '"', "Al-Rashid", "'s"]
    words += ["$", "5"]
    text = "".join(w + " " * s for w, s in zip(words, spaces_after(words), strict=True))
    assert text == 'He said: "We won, 3-1." Al-Rashid\'s $5'
    gold = Doc(NLP.vocab, words=words)
    gold.ents = [Span(gold, 10, 11, "PER")]
    example = raw_example(NLP, gold)
    predicted = example.predicted
    assert predicted.text == text
    start = text.index("Al-")
    whole = predicted.char_span(start, start + 9, "PER")
    part = predicted.char_span(start, start + 2, "PER")
    rest = predicted.char_span(start + 3, start + 9, "PER")
    assert None not in (whole, part, rest)
    for spans, labels in (
        ([whole], ["PER"]),
        ([part, rest], [f"PER ({MISALIGNED} at {start})", f"PER ({MISALIGNED} at {start + 3})"]),
    ):
        predicted.ents = spans
        assert [m.label for m in read_documents([example])[0].predicted] == labels
