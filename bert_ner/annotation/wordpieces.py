"""Adds the encoder's word pieces to annotations, with the tags of their tokens."""

from collections.abc import Iterator
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span, Token

from ..errors import InputError
from .annotator import DIGITS, Extract, confidence, to_annotation
from .records import WordPiece


def with_wordpieces(nlp: Language) -> Extract:
    """Make a function that converts a document to an annotation with `pieces`.

    nlp (Language): The pipeline.
    RETURNS (Callable[[Doc], Annotation]): The function.
    RAISES (InputError): If the pipeline has no encoder with word pieces.
    """
    _encoder_of(nlp)
    return lambda doc: {**to_annotation(doc), "pieces": to_wordpieces(nlp, doc)}


def to_wordpieces(nlp: Language, doc: Doc) -> list[WordPiece]:
    """List the word pieces of a document.

    nlp (Language): The pipeline that has annotated it.
    doc (Doc): The document.
    RETURNS (list[WordPiece]): The word pieces in order, with IOB2 tags, and the scores
        of entities. A token in two windows has the word pieces of the first window.
    RAISES (InputError): If the pipeline has no encoder with word pieces.
    """
    model = _encoder_of(nlp)
    entities = {token.i: ent for ent in doc.ents for token in ent}
    begun: set[int] = set()  # entities that have a B tag
    pieces: list[WordPiece] = []
    done = 0  # tokens
    for window in model.attrs["get_spans"]([doc])[0] if len(doc) else ():
        for text, token, start, end in _encode(model, window):
            if token.i < done:
                continue
            piece: WordPiece = {"text": text, "start": start, "end": end, "tag": "O"}
            if ent := entities.get(token.i):
                piece["tag"] = f"{'I' if ent.start in begun else 'B'}-{ent.label_}"
                begun.add(ent.start)
                if (score := confidence(ent)) is not None:
                    piece["score"] = round(score, DIGITS)
            pieces.append(piece)
        done = max(done, window.end)
    return pieces


def _encode(model: Any, window: Span) -> Iterator[tuple[str, Token, int, int]]:
    """Split a window into word pieces: text, token, and characters of the document."""
    longest = getattr(model.transformer.config, "max_position_embeddings", 512)
    encoded = model.tokenizer(
        [token.text for token in window],
        is_split_into_words=True,
        truncation=True,
        max_length=min(longest, model.tokenizer.model_max_length),
    )
    for text, word, (start, end) in zip(
        encoded.tokens(), encoded.word_ids(), encoded.encodings[0].offsets, strict=True
    ):
        if word is not None:  # None is a special piece, such as [CLS]
            token = window[word]
            yield text, token, token.idx + start, token.idx + end


def _encoder_of(nlp: Language) -> Any:
    for _, pipe in nlp.pipeline:
        model: Any = getattr(pipe, "model", None)
        if hasattr(model, "tokenizer"):
            return model
    raise InputError("the pipeline has no encoder with word pieces. Omit --by-word-piece.")
