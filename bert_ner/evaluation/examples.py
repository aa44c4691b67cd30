"""Annotates marked-up sentences and records correct, wrong and missed entities."""

import re
from pathlib import Path
from typing import NamedTuple, TypedDict

from spacy.language import Language

from ..errors import InputError
from ..files import write_json
from ..loading import load_pipeline, trained_on

_ENTITY = re.compile(r"\[([^\[\]|]+)\|([^\[\]|]+)\]")


class Entity(NamedTuple):
    """An entity in a raw text, as half-open character offsets."""

    start: int
    end: int
    label: str


class AnnotatedExample(TypedDict):
    """A marked-up sentence with its predicted and missed entities.

    A predicted entity is its text, label, "right" or "wrong", and confidence or None; a
    missed one its text and label.
    """

    text: str
    found: list[tuple[str, str, str, float | None]]
    missed: list[tuple[str, str]]


class ExamplesRecord(TypedDict):
    """The file that `examples` writes."""

    pipeline: str
    trained_on: str
    examples: list[AnnotatedExample]


def parse(line: str) -> tuple[str, list[Entity]]:
    """Parse a sentence with marked entities, such as `[Oslo|LOC] shines.`.

    line (str): The marked-up sentence.
    RETURNS (tuple[str, list[Entity]]): The plain text and its entities.
    """
    text, end = "", 0
    entities = []
    for match in _ENTITY.finditer(line):
        text += line[end : match.start()]
        entities.append(Entity(len(text), len(text) + len(match[1]), match[2]))
        text += match[1]
        end = match.end()
    return text + line[end:], entities


def annotate(nlp: Language, lines: list[str]) -> list[AnnotatedExample]:
    """Annotate marked-up sentences.

    nlp (Language): The pipeline.
    lines (list[str]): The sentences.
    RETURNS (list[AnnotatedExample]): The sentences with their predicted and missed
        entities.
    """
    parsed = [parse(line) for line in lines]
    docs = nlp.pipe(text for text, _ in parsed)
    results: list[AnnotatedExample] = []
    for doc, (text, gold) in zip(docs, parsed, strict=True):
        predicted = [Entity(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]
        scores = [ent._.confidence if ent.has_extension("confidence") else None for ent in doc.ents]
        results.append(
            {
                "text": text,
                "found": [
                    (
                        text[entity.start : entity.end],
                        entity.label,
                        "right" if entity in gold else "wrong",
                        None if score is None else round(score, 4),
                    )
                    for entity, score in zip(predicted, scores, strict=True)
                ],
                "missed": [(text[e.start : e.end], e.label) for e in gold if e not in predicted],
            }
        )
    return results


def record_examples(pipeline: str, sentences: Path, output: Path) -> ExamplesRecord:
    """Annotate a file of marked-up sentences and write the result.

    pipeline (str): Name or folder of the pipeline.
    sentences (Path): The file with one sentence per line.
    output (Path): The JSON file to write.
    RETURNS (ExamplesRecord): The contents of the JSON file.
    RAISES (InputError): If the pipeline or the file does not exist.
    """
    if not sentences.exists():
        raise InputError(f"{sentences}: not found.")
    lines = [line for line in sentences.read_text(encoding="utf-8").splitlines() if line]
    nlp = load_pipeline(pipeline)
    record: ExamplesRecord = {
        "pipeline": f"{nlp.meta['lang']}_{nlp.meta['name']}-{nlp.meta['version']}",
        "trained_on": trained_on(nlp),
        "examples": annotate(nlp, lines),
    }
    write_json(output, record)
    return record
