"""Run a pipeline on marked-up sentences and record what it found, right and wrong."""

import re
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from spacy.language import Language

from ..errors import InputError
from ..files import write_json
from ..loading import load_pipeline, trained_on

_ENTITY = re.compile(r"\[([^\[\]|]+)\|([^\[\]|]+)\]")


class Mention(NamedTuple):
    """An entity in a raw text, as half-open character offsets."""

    start: int
    end: int
    label: str


def parse(line: str) -> tuple[str, list[Mention]]:
    """Read a sentence with its entities marked, such as `[Oslo|LOC] shines.`, off a line.

    line (str): The marked sentence.
    RETURNS (tuple[str, list[Mention]]): The bare text and its entities.
    """
    text, end = "", 0
    mentions = []
    for match in _ENTITY.finditer(line):
        text += line[end : match.start()]
        mentions.append(Mention(len(text), len(text) + len(match[1]), match[2]))
        text += match[1]
        end = match.end()
    return text + line[end:], mentions


def annotate(nlp: Language, lines: list[str]) -> list[dict[str, Any]]:
    """Run a pipeline on marked sentences.

    nlp (Language): The pipeline.
    lines (list[str]): The sentences, entities marked.
    RETURNS (list[dict[str, Any]]): For each sentence its text, and the entities
        found as [text, label, "right" or "wrong", confidence or None], and those
        missed as [text, label].
    """
    parsed = [parse(line) for line in lines]
    docs = nlp.pipe(text for text, _ in parsed)
    results = []
    for doc, (text, expected) in zip(docs, parsed, strict=True):
        found = [Mention(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]
        sure = [ent._.confidence if ent.has_extension("confidence") else None for ent in doc.ents]
        missed = [mention for mention in expected if mention not in found]
        results.append(
            {
                "text": text,
                "found": [
                    [
                        text[m.start : m.end],
                        m.label,
                        "right" if m in expected else "wrong",
                        None if confidence is None else round(confidence, 4),
                    ]
                    for m, confidence in zip(found, sure, strict=True)
                ],
                "missed": [[text[m.start : m.end], m.label] for m in missed],
            }
        )
    return results


def main(
    pipeline: Annotated[str, typer.Argument(help="An installed pipeline or a folder.")],
    sentences: Annotated[Path, typer.Argument(help="Sentences, one a line: [Oslo|LOC] shines.")],
    output: Annotated[Path, typer.Option(help="JSON file to write.")],
) -> None:
    """Record what a pipeline finds in marked-up sentences."""
    if not sentences.exists():
        raise InputError(f"{sentences}: not found.")
    lines = [line for line in sentences.read_text(encoding="utf-8").splitlines() if line]
    nlp = load_pipeline(pipeline)
    name = f"{nlp.meta['lang']}_{nlp.meta['name']}-{nlp.meta['version']}"
    record = {"pipeline": name, "trained_on": trained_on(nlp), "examples": annotate(nlp, lines)}
    write_json(output, record)
