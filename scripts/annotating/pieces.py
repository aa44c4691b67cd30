"""How the encoder saw a text: word pieces, with the tags that their tokens got."""

from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from scripts.annotating.engine import DIGITS, Extract, confidence, to_annotation
from scripts.errors import InputError


def with_pieces(nlp: Language) -> Extract:
    """What makes annotations with `pieces`.

    RAISES (InputError): If the pipeline has no encoder with word pieces.
    """
    _tokenizer_of(nlp)
    return lambda doc: {**to_annotation(doc), "pieces": to_pieces(nlp, doc)}


def to_pieces(nlp: Language, doc: Doc) -> list[dict[str, Any]]:
    """The word pieces of a document, in order.

    nlp (Language): The pipeline that has annotated it.
    doc (Doc): The document.
    RETURNS (list[dict[str, Any]]): text as the vocabulary has it, start and end in
        characters, tag (IOB2), and the score of the entity, where there is one. A
        token that stands in two windows has its word pieces once, from the first.
    """
    tokenizer, get_spans = _tokenizer_of(nlp)
    scores = {token.i: confidence(ent) for ent in doc.ents for token in ent}
    pieces: list[dict[str, Any]] = []
    reached = 0
    for window in get_spans([doc])[0] if len(doc) else ():
        encoded = tokenizer([t.text for t in window], is_split_into_words=True, truncation=True)
        for text, word, (start, end) in zip(
            encoded.tokens(), encoded.word_ids(), encoded.encodings[0].offsets, strict=True
        ):
            if word is None or window.start + word < reached:
                continue
            token = window[word]
            tag = f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O"
            begins = not pieces or start == 0
            if not begins and tag.startswith("B-"):
                tag = f"I-{token.ent_type_}"
            piece = {"text": text, "start": token.idx + start, "end": token.idx + end, "tag": tag}
            score = scores.get(token.i)
            pieces.append(piece if score is None else {**piece, "score": round(score, DIGITS)})
        reached = max(reached, window.end)
    return pieces


def _tokenizer_of(nlp: Language) -> tuple[Any, Any]:
    for _, pipe in nlp.pipeline:
        model: Any = getattr(pipe, "model", None)
        if hasattr(model, "tokenizer"):
            return model.tokenizer, model.attrs["get_spans"]
    raise InputError("the pipeline has no encoder with word pieces. Leave out --by-word-piece.")
