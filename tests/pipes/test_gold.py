"""Gold tags with and without alignment."""

from spacy.tokens import Doc, Span
from spacy.training import Example

from bert_ner.pipes.gold import gold_tags
from tests.pipes.training import Build


def test_gold_tags_of_equal_tokens_are_those_of_the_alignment(build: Build) -> None:
    nlp = build()
    words = ["Anna", "Berg", "Oslo", "met", "the", "big", "old", "EU", "."]
    gold = Doc(nlp.vocab, words=words)
    spans = [Span(gold, 0, 2, "PER"), Span(gold, 2, 3, "PER"), Span(gold, 4, 8, "ORG")]
    gold.set_ents(spans, default="outside")
    some = Doc(nlp.vocab, words=words)
    some.set_ents([Span(some, 0, 2, "PER")], default="missing")
    for reference, predicted in (
        (gold, words),
        (some, words),  # is not annotated as a whole
        (gold, ["Anna Berg", *words[2:]]),  # has other tokens
    ):
        example = Example(Doc(nlp.vocab, words=predicted), reference)
        assert gold_tags(example) == list(example.get_aligned_ner())
    assert gold_tags(Example(Doc(nlp.vocab, words=words), gold))[:3] == ["B-PER", "L-PER", "U-PER"]
