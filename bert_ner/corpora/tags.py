"""Tag schemes: what the tags of a sentence say about its entities."""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

TAG = re.compile(r"O|[BILUES]-\S+")
_BILUO_ONLY = frozenset("LUES")
_ALIASES = {"E": "L", "S": "U"}  # IOBES calls the last tag E and the single tag S


class Scheme(StrEnum):
    """How tags mark where an entity starts and ends.

    IOB1: `I-` inside; `B-` only where an entity follows one of the same label.
    IOB2: `B-` starts every entity, `I-` goes on.
    BILUO: begin, in, last; `U-` for an entity of one token. Also as IOBES.
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
    """Tell which scheme a file uses.

    It is BILUO if a tag only BILUO or IOBES has occurs. It is IOB1 if some
    entity starts with `I-` and `B-` stands only where IOB1 needs it: directly
    after an entity of the same label.

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
    """Read the entities off a sentence's tags, as conlleval does.

    A tag that the scheme does not allow where it stands is repaired without
    guessing: an `I-` that continues nothing starts an entity, and an entity
    that is never closed ends where the next tag does not continue it.

        O  I-PER  I-PER  I-LOC    in IOB2:  (1, 3, PER) (3, 4, LOC), 2 repairs
        O  I-PER  I-PER  I-LOC    in IOB1:  the same, 0 repairs

    tags (Sequence[str]): `O` or a prefix, a hyphen and a label.
    scheme (Scheme): The scheme of the file.
    RETURNS (tuple[list[TagSpan], int]): The entities in order, and how many
        tags were repaired.
    """
    spans: list[TagSpan] = []
    repairs = 0
    start, label = 0, ""  # the open entity; no label, no entity
    for i, tag in enumerate(tags):
        prefix = _ALIASES.get(tag[0], tag[0])
        goes_on = bool(label) and prefix in "IL" and tag[2:] == label
        if not goes_on:
            if label:
                spans.append(TagSpan(start, i, label))
                repairs += scheme is Scheme.BILUO  # it had no last tag
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
