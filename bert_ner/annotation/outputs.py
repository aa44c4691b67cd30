"""What annotations are written as."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import wasabi

from ..errors import printable
from ..html import highlight
from ..palette import label_colour
from .annotator import Annotation

FormatName = Literal["table", "json", "jsonl", "conll", "html"]


@dataclass(frozen=True)
class Format:
    """How annotations become a file: each by itself, so that a long file can be gone on with."""

    render: Callable[[Annotation], str]
    head: str = ""
    between: str = ""
    foot: str = ""


def to_json(annotation: Annotation, indent: int | None = None) -> str:
    """JSON with other scripts as they are, unless UTF-8 cannot have them."""
    options: dict[str, Any] = {"indent": indent, "default": _shown}
    try:
        found = json.dumps(annotation, ensure_ascii=False, allow_nan=False, **options)
        found.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return json.dumps(annotation, **options)
    except ValueError:
        return to_json(_without_nan(annotation), indent)
    return found


def _shown(value: object) -> str:
    """What JSON has no type for, such as a date."""
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


def _without_nan(value: Any) -> Any:
    """The same with null for numbers that are none, of which JSON has no notion."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_table(annotation: Annotation) -> str:
    """The entities as the papers print them, or the word pieces if they are there."""
    if "pieces" in annotation:
        header = ("word piece", "tag", "confidence", "start", "end")
        rows = [
            (printable(p["text"]), p["tag"], _score(p), p["start"], p["end"])
            for p in annotation["pieces"]
        ]
    else:
        header = ("entity", "confidence", "mention", "start", "end")
        rows = [
            (s["label"], _score(s), printable(mention(annotation, s)), s["start"], s["end"])
            for s in annotation["spans"]
        ]
    if not rows:
        return "no entities\n"
    aligns = tuple("r" if name in ("confidence", "start", "end") else "l" for name in header)
    table: str = wasabi.table(rows, header=header, divider=True, aligns=aligns, max_col=60)
    return table.lstrip("\n")


def mention(annotation: Annotation, span: dict[str, Any]) -> str:
    """The text of a span."""
    text: str = annotation["text"]
    return text[span["start"] : span["end"]]


def _score(found: dict[str, Any]) -> str:
    return f"{found['score']:.2f}" if "score" in found else ""


def to_conll(annotation: Annotation) -> str:
    """A token and its tag (IOB2) in each line, without white space that is a token by itself."""
    tags = ["O"] * len(annotation["tokens"])
    for span in annotation["spans"]:
        tags[span["token_start"]] = f"B-{span['label']}"
        for i in range(span["token_start"] + 1, span["token_end"] + 1):
            tags[i] = f"I-{span['label']}"
    lines = [
        f"{token['text']} {tag}\n"
        for token, tag in zip(annotation["tokens"], tags, strict=True)
        if not any(c.isspace() for c in token["text"])
    ]
    return "".join(["-DOCSTART- O\n\n", *lines, "\n"])


def to_html(annotation: Annotation) -> str:
    """The text with its entities marked, as a part of a page."""
    colours = {label: label_colour(label) for label in {s["label"] for s in annotation["spans"]}}
    return highlight(annotation["text"], annotation["spans"], colours) + "\n"


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Entities</title>
<style>
body { font: 1rem/2 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
.annotated { white-space: pre-wrap; overflow-wrap: anywhere; padding: 1rem 0; }
.annotated + .annotated { border-top: 1px solid #ccc; }
mark { padding: 0.1em 0.3em; border-radius: 0.3em; }
mark span { font-size: 0.75rem; font-weight: 600; }
</style>
"""
FORMATS: dict[FormatName, Format] = {
    "table": Format(to_table, between="\n"),
    "json": Format(lambda a: to_json(a, indent=2), head="[\n", between=",\n", foot="\n]\n"),
    "jsonl": Format(lambda a: to_json(a) + "\n"),
    "conll": Format(to_conll),
    "html": Format(to_html, head=PAGE),
}
