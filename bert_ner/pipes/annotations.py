"""Entities of a document, with their confidence, from decoded mentions."""

import numpy as np
from spacy.tokens import Doc, Span, SpanGroup
from spacy.util import filter_spans

from .crf import Mention


def install_extension() -> None:
    """Register `ent._.confidence`, None by default."""
    if not Span.has_extension("confidence"):
        Span.set_extension("confidence", default=None)


def annotate(
    doc: Doc, mentions: list[Mention], *, min_confidence: float = 0.0, spans_key: str = "ner"
) -> None:
    """Set `doc.ents`, `ent._.confidence` and the span group with its scores.

    Existing entities are kept, as by spaCy's own `ner`, and mentions that overlap
    them are dropped. Existing entities get no confidence.

    doc (Doc): The document, changed in place.
    mentions (list[Mention]): Half-open token ranges with label and confidence.
    min_confidence (float): Mentions with a lower confidence are dropped, from 0 to 1.
    spans_key (str): Key of the span group in `doc.spans`.
    """
    existing = list(doc.ents)
    confidences: dict[Span, float] = {}
    for start, end, label, confidence in mentions:
        span = trim(doc, start, end, label)
        if span is not None and confidence >= min_confidence:
            confidences[span] = confidence
    ents = filter_spans(existing + [s for s in confidences if not _overlaps(s, existing)])
    doc.set_ents(ents, default="outside")
    added = [ent for ent in doc.ents if ent in confidences and ent not in existing]
    for ent in added:
        ent._.confidence = confidences[ent]
    group = SpanGroup(doc, name=spans_key, spans=added)
    group.attrs["scores"] = np.array([confidences[ent] for ent in added], dtype="f")
    doc.spans[spans_key] = group


def trim(doc: Doc, start: int, end: int, label: str) -> Span | None:
    """A mention without white space at its ends, or None if it is all white space."""
    while start < end and doc[start].is_space:
        start += 1
    while start < end and doc[end - 1].is_space:
        end -= 1
    return Span(doc, start, end, label=label) if start < end else None


def _overlaps(span: Span, others: list[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)
