"""Tag schemes: reading entities from tags, and writing entities as tags."""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

TAG = re.compile(r"O|[BILUES]-\S+")
_BILUO_ONLY = frozenset("LUES")
_ALIASES = {"E": "L", "S": "U"}  # IOBES calls the last tag E and the single tag S


class Scheme(StrEnum):
    """The way tags mark the start and end of an entity.

    IOB1: `I-` for every token of an entity, except `B-` for the first token of an
        entity that directly follows one of the same label.
    IOB2: `B-` for the first token of an entity, `I-` for the others.
    BILUO: begin, in, last; `U-` for an entity of one token. IOBES is the same with
        other letters.
    """

    IOB1 = "IOB1"
    IOB2 = "IOB2"
    BILUO = "BILUO"


class TagSpan(NamedTuple):
    """An entity as a half-open range of tokens."""

    start: int
    end: int
    label: str


def detect_scheme(sentences: Iterable[Sequence[str]]) -> Scheme:
    """Detect the scheme of a file.

    It is BILUO if any tag has a prefix that only BILUO or IOBES has. It is IOB1 if
    some entity starts with `I-`, and `B-` occurs only where IOB1 needs it: directly
    after an entity of the same label. Otherwise it is IOB2.

    sentences (Iterable[Sequence[str]]): The tags of each sentence, all legal.
    RETURNS (Scheme): The scheme.
    """
    starts_with_i = False
    needless_b = False
    for tags in sentences:
        previous = "O"
        for tag in tags:
            if tag[0] in _BILUO_ONLY:
                return Scheme.BILUO
            same_label = previous != "O" and previous[2:] == tag[2:]
            starts_with_i |= tag[0] == "I" and not same_label
            needless_b |= tag[0] == "B" and not same_label
            previous = tag
    return Scheme.IOB1 if starts_with_i and not needless_b else Scheme.IOB2


def tags_to_spans(tags: Sequence[str], scheme: Scheme) -> tuple[list[TagSpan], int]:
    """Read the entities of a sentence from its tags, as the conlleval script does.

    A tag that the scheme does not allow at its position is repaired: an `I-` that
    continues no entity starts one, and an entity that is never closed ends before
    the next tag that does not continue it.

        O  I-PER  I-PER  I-LOC    in IOB2:  (1, 3, PER) (3, 4, LOC), 2 repairs
        O  I-PER  I-PER  I-LOC    in IOB1:  the same, 0 repairs

    tags (Sequence[str]): `O` or a prefix, a hyphen and a label.
    scheme (Scheme): The scheme of the file.
    RETURNS (tuple[list[TagSpan], int]): The entities in order, and the number of
        repaired tags.
    """
    spans: list[TagSpan] = []
    repairs = 0
    start, label = 0, ""  # the open entity; no label, no entity
    for i, tag in enumerate(tags):
        prefix = _ALIASES.get(tag[0], tag[0])
        continues = bool(label) and prefix in "IL" and tag[2:] == label
        if not continues:
            if label:
                spans.append(TagSpan(start, i, label))
                repairs += scheme is Scheme.BILUO  # it has no last tag
            start, label = i, tag[2:]
            repairs += prefix == "L" or (prefix == "I" and scheme is not Scheme.IOB1)
        if prefix in "LU":
            spans.append(TagSpan(start, i + 1, label))
            label = ""
    if label:
        spans.append(TagSpan(start, len(tags), label))
        repairs += scheme is Scheme.BILUO
    return spans, repairs


def spans_to_tags(spans: Iterable[TagSpan], length: int, scheme: Scheme) -> list[str]:
    """Write entities as the tags of a sentence.

    spans (Iterable[TagSpan]): The entities, in order, without overlap.
    length (int): The number of tokens.
    scheme (Scheme): The scheme to write.
    RETURNS (list[str]): One tag for each token.
    """
    tags = ["O"] * length
    for start, end, label in spans:
        follows = start > 0 and tags[start - 1][2:] == label
        tags[start:end] = [f"I-{label}"] * (end - start)
        if scheme is not Scheme.IOB1 or follows:
            tags[start] = f"B-{label}"
        if scheme is Scheme.BILUO:
            tags[end - 1] = f"L-{label}" if end - start > 1 else f"U-{label}"
    return tags
