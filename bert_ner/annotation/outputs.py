"""Output formats: each renders one annotation at a time, so that outputs can be resumed."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import wasabi

from ..errors import printable
from ..html import highlight
from ..palette import label_colour
from .options import FormatName
from .records import AnnotatedSpan, Annotation, WordPiece


@dataclass(frozen=True)
class Format:
    """A format: renders an annotation, and has text before, between and after annotations."""

    render: Callable[[Annotation], str]
    head: str = ""
    between: str = ""
    foot: str = ""


def to_json(data: Mapping[str, object], indent: int | None = None) -> str:
    """Convert an annotation to JSON.

    data (Mapping[str, object]): An annotation, possibly with other fields.
    indent (int | None): Spaces per level; None writes one line.
    RETURNS (str): JSON. Characters are escaped only if UTF-8 cannot encode them, NaN and
        infinity are null, and values without a JSON type, such as dates, are strings.
    """
    try:
        text = json.dumps(
            data, ensure_ascii=False, allow_nan=False, indent=indent, default=_to_string
        )
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return json.dumps(data, indent=indent, default=_to_string)
    except ValueError:
        finite = {key: _replace_nan(value) for key, value in data.items()}
        return to_json(finite, indent)
    return text


def _to_string(value: object) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


def _replace_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _replace_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_table(annotation: Annotation) -> str:
    """Convert an annotation to a table of its word pieces, or else of its entities."""
    rows: list[tuple[object, ...]]
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


def mention(annotation: Annotation, span: AnnotatedSpan) -> str:
    """Cut the text of a span out of the annotated text."""
    return annotation["text"][span["start"] : span["end"]]


def _score(item: AnnotatedSpan | WordPiece) -> str:
    return f"{item['score']:.2f}" if "score" in item else ""


def to_conll(annotation: Annotation) -> str:
    """Convert an annotation to lines of a token and its IOB2 tag, without white space tokens."""
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
    """Convert an annotation to a fragment of HTML with highlighted entities."""
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
FORMATS = {
    FormatName.TABLE: Format(to_table, between="\n"),
    FormatName.JSON: Format(
        lambda a: to_json(a, indent=2), head="[\n", between=",\n", foot="\n]\n"
    ),
    FormatName.JSONL: Format(lambda a: to_json(a) + "\n"),
    FormatName.CONLL: Format(to_conll),
    FormatName.HTML: Format(to_html, head=PAGE),
}
