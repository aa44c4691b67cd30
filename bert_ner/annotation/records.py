"""Types of an annotation, in Prodigy's layout. Offsets are half-open, in characters."""

from typing import NotRequired, TypedDict


class AnnotatedToken(TypedDict):
    """A token; `ws` says whether a space follows."""

    text: str
    start: int
    end: int
    id: int
    ws: bool


class AnnotatedSpan(TypedDict):
    """An entity; `token_end` is the id of its last token, `score` the confidence, 0 to 1."""

    start: int
    end: int
    token_start: int
    token_end: int
    label: str
    score: NotRequired[float]


class WordPiece(TypedDict):
    """A word piece as in the encoder's vocabulary, with the IOB2 tag of its token."""

    text: str
    start: int
    end: int
    tag: str
    score: NotRequired[float]


class Annotation(TypedDict):
    """A text with its tokens and entities, and its word pieces if requested."""

    text: str
    tokens: list[AnnotatedToken]
    spans: list[AnnotatedSpan]
    pieces: NotRequired[list[WordPiece]]
