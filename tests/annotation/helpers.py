"""Functions that tests of annotation call."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import spacy
from spacy.tokens import Doc, Span

from bert_ner.annotation.annotator import to_annotation
from bert_ner.annotation.inputs import find_files
from bert_ner.annotation.journal import Progress
from bert_ner.annotation.options import WorkerOptions
from bert_ner.annotation.records import Annotation
from bert_ner.annotation.to_file import annotate_to_file


def write_records(path: Path, count: int, broken: tuple[int, ...] = ()) -> None:
    """Write JSON lines of random texts, some of them broken."""
    rng = random.Random(1)
    words = ["Anna Berg", "Oslo", "rain", "over", "😀", "the"]
    with path.open("w", encoding="utf-8") as file:
        for i in range(count):
            text = " ".join(rng.choices(words, k=rng.randint(0, 12)))
            file.write("{broken\n" if i in broken else json.dumps({"text": text, "id": i}) + "\n")


def read_lines(path: Path) -> list[Any]:
    """Read JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def names_in(folder: Path) -> set[str]:
    """List the names of the files in a folder."""
    return {path.name for path in folder.iterdir()}


def annotate_file(path: Path, output: Path, options: WorkerOptions, **others: Any) -> Progress:
    """Annotate a file into another one."""
    return annotate_to_file(find_files(path, None), output, options=options, **others)


def records_done(output: Path) -> int:
    """Read from the journal of a run how many records are done."""
    try:
        state = json.loads(output.with_name(f"{output.name}.progress").read_text(encoding="utf-8"))
    except OSError:
        return 0
    records: int = state["progress"]["records"]
    return records


def children(process: int) -> list[str]:
    """List the ids of a process's children."""
    path = Path(f"/proc/{process}/task/{process}/children")
    return path.read_text(encoding="utf-8").split()


def command(*arguments: object) -> list[str]:
    """Make a command line of `scripts.annotate`."""
    return [sys.executable, "-m", "scripts.annotate", *map(str, arguments)]


def make_annotation(
    text: str, *spans: tuple[int, int, str], score: float | None = None
) -> Annotation:
    """Make an annotation of words between spaces; spans are in tokens."""
    doc = Doc(spacy.blank("en").vocab, words=text.split(" "))
    doc.ents = [Span(doc, start, end, label=label) for start, end, label in spans]
    annotation = to_annotation(doc)
    for span in annotation["spans"] if score is not None else ():
        span["score"] = score or 0.0
    return annotation


def run(*arguments: object, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run `scripts.annotate` to its end."""
    return subprocess.run(command(*arguments), capture_output=True, text=True, **options)
