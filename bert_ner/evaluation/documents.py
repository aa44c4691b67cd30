"""A document as a report sees it: its words, its gold mentions and the predicted ones."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from spacy.tokens import Doc, Span
from spacy.training import Example

from .matching import Mention, Pair, match


@dataclass(frozen=True)
class Document:
    """A document with its gold and predicted mentions.

    words (tuple[str, ...]): Its gold tokens.
    sentences (tuple[tuple[int, int], ...]): Half-open token ranges that cover it.
    pairs (tuple[Pair, ...]): Its mentions, paired.
    confidence (dict[Mention, float]): Of the predicted mentions; empty where the
        pipeline gives none.
    """

    words: tuple[str, ...]
    sentences: tuple[tuple[int, int], ...]
    pairs: tuple[Pair, ...]
    confidence: dict[Mention, float] = field(default_factory=dict)

    @property
    def gold(self) -> list[Mention]:
        """The gold mentions, in the order of the text."""
        return [pair.gold for pair in self.pairs if pair.gold]

    @property
    def predicted(self) -> list[Mention]:
        """The predicted mentions, in the order of the text."""
        return sorted(pair.predicted for pair in self.pairs if pair.predicted)

    def inside(self, mentions: Iterable[Mention], start: int, end: int) -> list[Mention]:
        """The mentions that touch a range of tokens."""
        return [m for m in mentions if m.start < end and start < m.end]

    def text(self, mention: Mention) -> str:
        """A mention's words, a space between each."""
        return " ".join(self.words[mention.start : mention.end])


def read_documents(examples: Iterable[Example]) -> list[Document]:
    """Take what a report needs out of annotated examples.

    A predicted mention that does not begin and end where gold tokens do, which
    happens where the pipeline has cut the text itself, stands for the gold tokens
    that it touches, with a label that no gold mention has.

    examples (Iterable[Example]): Examples whose predicted documents are annotated.
    RETURNS (list[Document]): The documents.
    """
    return [_read(example) for example in examples]


def _read(example: Example) -> Document:
    gold = example.reference
    same = [t.text for t in gold] == [t.text for t in example.predicted]
    found = {}
    for ent in example.predicted.ents:
        mention = _mention(ent) if same else _on_gold_tokens(ent, gold)
        found[mention] = ent._.confidence if ent.has_extension("confidence") else None
    return Document(
        words=tuple(token.text for token in gold),
        sentences=_sentences(gold),
        pairs=tuple(match(mentions_of(gold), found)),
        confidence={mention: value for mention, value in found.items() if value is not None},
    )


def mentions_of(doc: Doc) -> list[Mention]:
    """The entities of a spaCy document, in the order of the text."""
    return [_mention(ent) for ent in doc.ents]


def pairs_of(documents: Iterable[Document]) -> list[Pair]:
    """The pairs of all documents."""
    return [pair for document in documents for pair in document.pairs]


def _mention(ent: Span) -> Mention:
    return Mention(ent.start, ent.end, ent.label_)


MISALIGNED = "misaligned"


def _on_gold_tokens(ent: Span, gold: Doc) -> Mention:
    """Where a mention of the pipeline's own tokens lies among the gold ones."""
    exact = gold.char_span(ent.start_char, ent.end_char)
    if exact is not None:
        return Mention(exact.start, exact.end, ent.label_)
    wide = gold.char_span(ent.start_char, ent.end_char, alignment_mode="expand")
    # two of them in one gold token stay two
    return Mention(wide.start, wide.end, f"{ent.label_} ({MISALIGNED} at {ent.start_char})")


def _sentences(doc: Doc) -> tuple[tuple[int, int], ...]:
    if not len(doc):
        return ()
    if not doc.has_annotation("SENT_START"):
        return ((0, len(doc)),)
    return tuple((sentence.start, sentence.end) for sentence in doc.sents)
