"""Texts in, annotations out, with any spaCy pipeline that finds entities."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span

from ..errors import InputError, first_line
from ..loading import load_pipeline

PIPELINE = "en_bert_ner"
DIGITS = 4  # of a score
TOGETHER = 500_000  # characters of texts in memory at once
LONGEST_WORD = 1_000  # characters: spaCy's tokenizer takes the square of them on some, as on "((("
Annotation = dict[str, Any]
Extract = Callable[[Doc], Annotation]


def load(name: str | Path = PIPELINE, *, min_confidence: float = 0.0) -> Language:
    """Load a pipeline that finds entities.

    name (str | Path): Its name or its folder.
    min_confidence (float): Entities below it are dropped, from 0 to 1.
    RETURNS (Language): The pipeline.
    RAISES (InputError): If there is none, if it finds no entities, or if it does
        not say how sure it is although a confidence is wanted.
    """
    try:
        nlp = load_pipeline(name)
    except InputError as error:
        if str(name) != PIPELINE:
            raise
        raise InputError(
            f"{PIPELINE} is not installed. Run `pip install packages/{PIPELINE}-0.1.0/dist/*.whl`, "
            "or name a pipeline with --pipeline, such as training/config/conll2003/pipeline."
        ) from error
    if not _finders(nlp):
        raise InputError(f"{name}: has no component that finds entities. Name another pipeline.")
    if min_confidence:
        if not 0 <= min_confidence <= 1:
            raise InputError(f"a confidence of {min_confidence}: expected a number from 0 to 1.")
        set_min_confidence(nlp, min_confidence)
    return nlp


def _finders(nlp: Language) -> list[str]:
    """The components that find entities."""
    return [pipe for pipe in nlp.pipe_names if "doc.ents" in nlp.get_pipe_meta(pipe).assigns]


def labels_of(nlp: Language) -> list[str]:
    """The labels of a pipeline's entities, in order."""
    return sorted({label for pipe in _finders(nlp) for label in nlp.pipe_labels.get(pipe, [])})


def set_min_confidence(nlp: Language, least: float) -> None:
    """Let a pipeline drop entities of less confidence."""
    for _, pipe in nlp.pipeline:
        if hasattr(pipe, "min_confidence"):
            pipe.min_confidence = least
            return
    raise InputError("the pipeline does not say how sure it is. Leave the confidence out.")


def annotate(
    nlp: Language, texts: Sequence[str], extract: Extract | None = None
) -> list[Annotation | Exception]:
    """Annotate texts, together where that works, and one by one where it does not.

    nlp (Language): The pipeline. What it keeps of the texts is forgotten afterwards.
    texts (Sequence[str]): The texts.
    extract (Callable[[Doc], Annotation]): What is made of a document, `to_annotation`
        if not given. The document is gone afterwards.
    RETURNS (list[Annotation | Exception]): One for each text: its annotation, or what
        went wrong with it.
    """
    extract = extract or to_annotation
    found: list[Annotation | Exception] = []
    with nlp.memory_zone():
        for group in _groups(texts):
            try:
                found += [extract(doc) for doc in nlp.pipe(group)]
            except Exception:
                found += [_annotate_alone(nlp, text, extract) for text in group]
    return found


def _groups(texts: Sequence[str]) -> Iterator[list[str]]:
    """Texts of together `TOGETHER` characters, or a single longer one, in order."""
    group: list[str] = []
    characters = 0
    for text in texts:
        characters += len(text)
        if group and characters > TOGETHER:
            yield group
            group, characters = [], len(text)
        group.append(text)
    if group:
        yield group


def _annotate_alone(nlp: Language, text: str, extract: Extract) -> Annotation | Exception:
    try:
        return extract(nlp(text))
    except Exception as error:
        return error


def to_annotation(doc: Doc) -> Annotation:
    """A document as plain data, in Prodigy's layout.

    RETURNS (Annotation): `text`; `tokens`, each with text, start, end, id and ws,
        which says whether a space follows; and `spans`, each with start, end,
        token_start, token_end (the last token's id), label, and, if the pipeline
        gives one, score: the confidence from 0 to 1, rounded. Offsets are in characters.
    """
    return {
        "text": doc.text,
        "tokens": [
            {
                "text": token.text,
                "start": token.idx,
                "end": token.idx + len(token),
                "id": token.i,
                "ws": bool(token.whitespace_),
            }
            for token in doc
        ],
        "spans": [_to_span(ent) for ent in doc.ents],
    }


def _to_span(ent: Span) -> dict[str, Any]:
    span = {
        "start": ent.start_char,
        "end": ent.end_char,
        "token_start": ent.start,
        "token_end": ent.end - 1,
        "label": ent.label_,
    }
    score = confidence(ent)
    return span if score is None else {**span, "score": round(score, DIGITS)}


def confidence(ent: Span) -> float | None:
    """How sure the pipeline is of an entity, None where it does not say."""
    found: float | None = ent._.confidence if ent.has_extension("confidence") else None
    return found


def longest_word(text: str) -> int:
    """How many characters at most of a text have no white space between them."""
    return max(map(len, text.split()), default=0)


def explain(error: Exception) -> str:
    """What went wrong with a text, in one line."""
    return f"{type(error).__name__}: {first_line(error)}"
