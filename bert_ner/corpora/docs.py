"""From native documents to spaCy's, and counting what is in them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from .formats import Document
from .splits import sentence_text
from .tags import Scheme, tags_to_spans

STORED = ("TAG", "SENT_START", "ENT_IOB", "ENT_TYPE")  # of each token


@dataclass
class Split:
    """A converted split and what was counted on the way."""

    docs: DocBin = field(default_factory=lambda: DocBin(attrs=STORED))
    documents: int = 0
    sentences: int = 0
    tokens: int = 0
    entities: Counter[str] = field(default_factory=Counter)
    repairs: int = 0
    texts: Counter[str] = field(default_factory=Counter)

    def stats(self) -> dict[str, Any]:
        """The counts, as they are printed and saved."""
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
    vocab (Vocab): The vocabulary to make Docs with.
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

    Its spaces are left unknown: for a Doc whose spaces are known, spaCy's
    corpus reader tokenises the text again and loses entities.

    document (Document): The native document.
    scheme (Scheme): Its tag scheme.
    vocab (Vocab): The vocabulary.
    RETURNS (tuple[Doc, int]): The Doc, and how many entity tags were repaired.
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
