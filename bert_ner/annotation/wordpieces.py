"""How the encoder saw a text: word pieces, with the tags that their tokens got."""

from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from ..errors import InputError
from .annotator import DIGITS, Extract, confidence, to_annotation


def with_pieces(nlp: Language) -> Extract:
    """What makes annotations with `pieces`.

    RAISES (InputError): If the pipeline has no encoder with word pieces.
    """
    _encoder_of(nlp)
    return lambda doc: {**to_annotation(doc), "pieces": to_pieces(nlp, doc)}


def to_pieces(nlp: Language, doc: Doc) -> list[dict[str, Any]]:
    """The word pieces of a document, in order.

    nlp (Language): The pipeline that has annotated it.
    doc (Doc): The document.
    RETURNS (list[dict[str, Any]]): text as the vocabulary has it, start and end in
        characters, tag (IOB2), and the score of the entity, where there is one. A
        token that stands in two windows has its word pieces once, from the first.
    """
    model = _encoder_of(nlp)
    longest = getattr(model.transformer.config, "max_position_embeddings", 512)
    longest = min(longest, model.tokenizer.model_max_length)
    entities = {token.i: ent for ent in doc.ents for token in ent}
    begun: set[int] = set()
    pieces: list[dict[str, Any]] = []
    reached = 0
    for window in model.attrs["get_spans"]([doc])[0] if len(doc) else ():
        encoded = model.tokenizer(
            [token.text for token in window],
            is_split_into_words=True,
            truncation=True,
            max_length=longest,
        )
        for text, word, (start, end) in zip(
            encoded.tokens(), encoded.word_ids(), encoded.encodings[0].offsets, strict=True
        ):
            if word is None or window.start + word < reached:
                continue
            token = window[word]
            piece = {"text": text, "start": token.idx + start, "end": token.idx + end, "tag": "O"}
            if ent := entities.get(token.i):
                piece["tag"] = f"{'I' if ent.start in begun else 'B'}-{ent.label_}"
                begun.add(ent.start)
                if (score := confidence(ent)) is not None:
                    piece["score"] = round(score, DIGITS)
            pieces.append(piece)
        reached = max(reached, window.end)
    return pieces


def _encoder_of(nlp: Language) -> Any:
    for _, pipe in nlp.pipeline:
        model: Any = getattr(pipe, "model", None)
        if hasattr(model, "tokenizer"):
            return model
    raise InputError("the pipeline has no encoder with word pieces. Leave out --by-word-piece.")
