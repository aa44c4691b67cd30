"""What of an annotation is shown, and how it is downloaded."""

import csv
import io
import json
from collections.abc import Collection
from typing import Any, NamedTuple

from ..annotation.annotator import Annotation


class Row(NamedTuple):
    """An entity; offsets are half-open, in characters of the text as given."""

    entity: str
    label: str
    confidence: float | None
    start: int
    end: int


def keep(annotation: Annotation, *, least: float, labels: Collection[str]) -> Annotation:
    """Leave out spans, without asking the pipeline again.

    annotation (Annotation): See `bert_ner.annotation.annotator.to_annotation`.
    least (float): Spans of less confidence are left out; those without any stay.
    labels (Collection[str]): Spans of other labels are left out; all stay if empty.
    RETURNS (Annotation): The same with fewer spans.
    """
    spans = [
        span
        for span in annotation["spans"]
        if span.get("score", 1.0) >= least and (not labels or span["label"] in labels)
    ]
    return {**annotation, "spans": spans}


def labels_in(annotation: Annotation) -> list[str]:
    """The labels that occur in an annotation, in order."""
    return sorted({span["label"] for span in annotation["spans"]})


def has_confidence(annotation: Annotation) -> bool:
    """Whether the pipeline says of any span how sure it is."""
    return any("score" in span for span in annotation["spans"])


def rows(annotation: Annotation) -> list[Row]:
    """The spans of an annotation as a table."""
    text = annotation["text"]
    return [
        Row(text[s["start"] : s["end"]], s["label"], s.get("score"), s["start"], s["end"])
        for s in annotation["spans"]
    ]


def to_csv(annotation: Annotation) -> str:
    """The table as CSV, with a header, such that spreadsheets show texts and compute none."""
    file = io.StringIO()
    writer: Any = csv.writer(file, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(
        [_harmless(row.entity), _harmless(row.label), *row[2:]] for row in rows(annotation)
    )
    return "\ufeff" + file.getvalue()  # by which Excel knows UTF-8


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def to_json_lines(annotation: Annotation) -> str:
    """The annotation as one line of JSON, in Prodigy's layout."""
    return json.dumps(annotation, ensure_ascii=False) + "\n"
