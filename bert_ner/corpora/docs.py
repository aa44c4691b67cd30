"""Makes spaCy's Docs of native documents and counts their contents."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TypedDict

from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from .formats import Document
from .splits import sentence_text
from .tags import Scheme, tags_to_spans

STORED = ("TAG", "SENT_START", "ENT_IOB", "ENT_TYPE")  # attributes of each token


class SplitStats(TypedDict):
    """Counts of a converted split. `entities` has one for each label and "all"."""

    documents: int
    sentences: int
    tokens: int
    entities: dict[str, int]
    repaired_tags: int
    repeated_sentences: int


@dataclass
class Split:
    """A converted split with its counts; `texts` has each sentence with its frequency."""

    docs: DocBin = field(default_factory=lambda: DocBin(attrs=STORED))
    documents: int = 0
    sentences: int = 0
    tokens: int = 0
    entities: Counter[str] = field(default_factory=Counter)
    repairs: int = 0
    texts: Counter[str] = field(default_factory=Counter)

    def stats(self) -> SplitStats:
        """Collect the counts as stats.json has them."""
        return {
            "documents": self.documents,
            "sentences": self.sentences,
            "tokens": self.tokens,
            "entities": {**dict(sorted(self.entities.items())), "all": self.entities.total()},
            "repaired_tags": self.repairs,
            "repeated_sentences": self.texts.total() - len(self.texts),
        }


def convert(documents: list[Document], scheme: Scheme, vocab: Vocab) -> Split:
    """Convert the documents of a split.

    documents (list[Document]): The native documents.
    scheme (Scheme): Their tag scheme.
    vocab (Vocab): The vocabulary of the Docs.
    RETURNS (Split): The Docs and the counts.
    """
    split = Split()
    for document in documents:
        doc, repairs = make_doc(document, scheme, vocab)
        split.docs.add(doc)
        split.documents += 1
        split.sentences += len(document)
        split.tokens += len(doc)
        split.entities.update(ent.label_ for ent in doc.ents)
        split.repairs += repairs
        split.texts.update(map(sentence_text, document))
    return split


def make_doc(document: Document, scheme: Scheme, vocab: Vocab) -> tuple[Doc, int]:
    """Make a Doc with gold tokens, sentence starts, tags and entities.

    The Doc's spaces stay unknown: spaCy's corpus reader tokenizes the text of a
    Doc with known spaces again and loses entities.

    document (Document): The native document.
    scheme (Scheme): Its tag scheme.
    vocab (Vocab): The vocabulary.
    RETURNS (tuple[Doc, int]): The Doc, and the number of repaired entity tags.
    """
    tokens = [token for sentence in document for token in sentence]
    doc = Doc(
        vocab,
        words=[token.word for token in tokens],
        tags=["" if token.pos == "_" else token.pos for token in tokens],
        sent_starts=[i == 0 for sentence in document for i in range(len(sentence))],
    )
    ents: list[Span] = []
    offset = repairs = 0
    for sentence in document:
        spans, repaired = tags_to_spans([token.tag for token in sentence], scheme)
        ents += [Span(doc, offset + s.start, offset + s.end, label=s.label) for s in spans]
        repairs += repaired
        offset += len(sentence)
    doc.set_ents(ents, default="outside")
    return doc, repairs
