"""Annotates texts with any spaCy pipeline that finds entities."""

from collections.abc import Callable, Sequence
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Span

from ..errors import InputError, first_line
from ..loading import find_confidence_pipe, load_pipeline
from ..pipes.batching import batch_by_length
from .records import AnnotatedSpan, Annotation

PIPELINE = "en_bert_ner"
DIGITS = 4  # of a score
MAX_GROUP_CHARS = 500_000  # characters of texts in memory at once
Extract = Callable[[Doc], Annotation]


def load(name: str | Path = PIPELINE, *, min_confidence: float = 0.0) -> Language:
    """Load a pipeline that finds entities.

    name (str | Path): Its name or its folder.
    min_confidence (float): Entities below this confidence are dropped, from 0 to 1.
    RETURNS (Language): The pipeline.
    RAISES (InputError): If the pipeline does not exist, finds no entities, or has no
        confidence although `min_confidence` is set.
    """
    try:
        nlp = load_pipeline(name)
    except InputError as error:
        if str(name) != PIPELINE:
            raise
        raise InputError(
            f"{PIPELINE} is not installed. Run `pip install packages/config-conll2003/dist/*.whl`, "
            "or name a pipeline with --pipeline, such as training/config/conll2003/pipeline."
        ) from error
    if not _entity_pipes(nlp):
        raise InputError(f"{name}: has no component that finds entities. Name another pipeline.")
    if min_confidence:
        if not 0 <= min_confidence <= 1:
            raise InputError(f"a confidence of {min_confidence}: expected a number from 0 to 1.")
        set_min_confidence(nlp, min_confidence)
    return nlp


def _entity_pipes(nlp: Language) -> list[str]:
    return [pipe for pipe in nlp.pipe_names if "doc.ents" in nlp.get_pipe_meta(pipe).assigns]


def labels_of(nlp: Language) -> list[str]:
    """List the labels of a pipeline's entities, sorted."""
    return sorted({label for pipe in _entity_pipes(nlp) for label in nlp.pipe_labels.get(pipe, [])})


def set_min_confidence(nlp: Language, min_confidence: float) -> None:
    """Make a pipeline drop entities of lower confidence.

    nlp (Language): The pipeline. It is changed.
    min_confidence (float): The lowest confidence to keep, from 0 to 1.
    RAISES (InputError): If the pipeline gives no confidence.
    """
    pipe = find_confidence_pipe(nlp)
    if pipe is None:
        raise InputError("the pipeline gives no confidence. Omit the minimum confidence.")
    pipe.min_confidence = min_confidence


def annotate(
    nlp: Language, texts: Sequence[str], extract: Extract | None = None
) -> list[Annotation | Exception]:
    """Annotate texts in batches; if a batch fails, annotate its texts one by one.

    nlp (Language): The pipeline. Its vocabulary forgets the texts afterwards.
    texts (Sequence[str]): The texts.
    extract (Callable[[Doc], Annotation] | None): Converts a document; None is
        `to_annotation`. The document must not be kept.
    RETURNS (list[Annotation | Exception]): One item for each text: its annotation, or
        the error.
    """
    extract = extract or to_annotation
    results: list[Annotation | Exception] = []
    with nlp.memory_zone():
        for group in batch_by_length(texts, MAX_GROUP_CHARS):
            try:
                results += [extract(doc) for doc in nlp.pipe(group)]
            except Exception:
                results += [_annotate_alone(nlp, text, extract) for text in group]
    return results


def _annotate_alone(nlp: Language, text: str, extract: Extract) -> Annotation | Exception:
    try:
        return extract(nlp(text))
    except Exception as error:
        return error


def to_annotation(doc: Doc) -> Annotation:
    """Convert a document to plain data, in Prodigy's layout.

    doc (Doc): The document.
    RETURNS (Annotation): Its text, tokens and entities. An entity has a score, rounded
        to `DIGITS`, if the pipeline gives a confidence.
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


def _to_span(ent: Span) -> AnnotatedSpan:
    span: AnnotatedSpan = {
        "start": ent.start_char,
        "end": ent.end_char,
        "token_start": ent.start,
        "token_end": ent.end - 1,
        "label": ent.label_,
    }
    if (score := confidence(ent)) is not None:
        span["score"] = round(score, DIGITS)
    return span


def confidence(ent: Span) -> float | None:
    """Read the confidence of an entity, None if the pipeline gives none."""
    score: float | None = ent._.confidence if ent.has_extension("confidence") else None
    return score


def explain(error: Exception) -> str:
    """Describe an error in one line."""
    return f"{type(error).__name__}: {first_line(error)}"
