"""Documents of a report: words, sentences, and paired gold and predicted mentions."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from spacy.tokens import Doc, Span
from spacy.training import Example

from .matching import Mention, Pair, match


@dataclass(frozen=True)
class Document:
    """A document with its gold and predicted mentions.

    words (tuple[str, ...]): The gold tokens.
    sentences (tuple[tuple[int, int], ...]): Half-open token ranges that cover the
        document.
    pairs (tuple[Pair, ...]): The gold and predicted mentions in pairs.
    confidence (dict[Mention, float]): Confidence of each predicted mention. Empty if the
        pipeline gives none.
    """

    words: tuple[str, ...]
    sentences: tuple[tuple[int, int], ...]
    pairs: tuple[Pair, ...]
    confidence: dict[Mention, float] = field(default_factory=dict)

    @property
    def gold(self) -> list[Mention]:
        """The gold mentions in text order."""
        return [pair.gold for pair in self.pairs if pair.gold]

    @property
    def predicted(self) -> list[Mention]:
        """The predicted mentions in text order."""
        return sorted(pair.predicted for pair in self.pairs if pair.predicted)

    def inside(self, mentions: Iterable[Mention], start: int, end: int) -> list[Mention]:
        """Select the mentions that overlap a range of tokens."""
        return [m for m in mentions if m.start < end and start < m.end]

    def text(self, mention: Mention) -> str:
        """Join a mention's words with spaces."""
        return " ".join(self.words[mention.start : mention.end])


def read_documents(examples: Iterable[Example]) -> list[Document]:
    """Convert annotated examples to documents.

    If the pipeline tokenized the text itself, the boundaries of a predicted mention may
    fall inside a gold token. Such a mention gets the range of the gold tokens that it
    overlaps, and a label that no gold mention has, so that it counts as wrong.

    examples (Iterable[Example]): Examples whose predicted documents are annotated.
    RETURNS (list[Document]): The documents.
    """
    return [_read(example) for example in examples]


def _read(example: Example) -> Document:
    gold = example.reference
    same_tokens = [t.text for t in gold] == [t.text for t in example.predicted]
    confidence: dict[Mention, float | None] = {}
    for ent in example.predicted.ents:
        mention = _mention(ent) if same_tokens else _on_gold_tokens(ent, gold)
        confidence[mention] = ent._.confidence if ent.has_extension("confidence") else None
    return Document(
        words=tuple(token.text for token in gold),
        sentences=_sentences(gold),
        pairs=tuple(match(mentions_of(gold), confidence)),
        confidence={m: value for m, value in confidence.items() if value is not None},
    )


def mentions_of(doc: Doc) -> list[Mention]:
    """Convert the entities of a spaCy document to mentions, in text order."""
    return [_mention(ent) for ent in doc.ents]


def pairs_of(documents: Iterable[Document]) -> list[Pair]:
    """List the pairs of all documents."""
    return [pair for document in documents for pair in document.pairs]


def _mention(ent: Span) -> Mention:
    return Mention(ent.start, ent.end, ent.label_)


MISALIGNED = "misaligned"


def _on_gold_tokens(ent: Span, gold: Doc) -> Mention:
    """Convert an entity on the pipeline's own tokens to a mention on gold tokens."""
    exact = gold.char_span(ent.start_char, ent.end_char)
    if exact is not None:
        return Mention(exact.start, exact.end, ent.label_)
    wide = gold.char_span(ent.start_char, ent.end_char, alignment_mode="expand")
    # the offset keeps two of them in one gold token apart
    return Mention(wide.start, wide.end, f"{ent.label_} ({MISALIGNED} at {ent.start_char})")


def _sentences(doc: Doc) -> tuple[tuple[int, int], ...]:
    if not len(doc):
        return ()
    if not doc.has_annotation("SENT_START"):
        return ((0, len(doc)),)
    return tuple((sentence.start, sentence.end) for sentence in doc.sents)
