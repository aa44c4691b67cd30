"""Filters the entities of an annotation, and converts them for tables and downloads."""

import csv
import io
import json
from collections.abc import Collection
from typing import NamedTuple

from ..annotation.records import Annotation


class EntityRow(NamedTuple):
    """A row of the table; offsets are half-open, in characters of the text."""

    entity: str
    label: str
    confidence: float | None
    start: int
    end: int


def filter_entities(
    annotation: Annotation, *, min_confidence: float, labels: Collection[str]
) -> Annotation:
    """Filter entities without running the pipeline again.

    annotation (Annotation): The annotation. It is not changed.
    min_confidence (float): Entities below this confidence are dropped; those without a
        confidence stay.
    labels (Collection[str]): Entities with other labels are dropped; all stay if empty.
    RETURNS (Annotation): An annotation with the remaining entities.
    """
    spans = [
        span
        for span in annotation["spans"]
        if span.get("score", 1.0) >= min_confidence and (not labels or span["label"] in labels)
    ]
    return {**annotation, "spans": spans}


def labels_in(annotation: Annotation) -> list[str]:
    """List the labels in an annotation, sorted."""
    return sorted({span["label"] for span in annotation["spans"]})


def has_confidence(annotation: Annotation) -> bool:
    """Check whether any entity has a confidence."""
    return any("score" in span for span in annotation["spans"])


def to_rows(annotation: Annotation) -> list[EntityRow]:
    """Convert the entities to rows of a table."""
    text = annotation["text"]
    return [
        EntityRow(text[s["start"] : s["end"]], s["label"], s.get("score"), s["start"], s["end"])
        for s in annotation["spans"]
    ]


def to_csv(annotation: Annotation) -> str:
    """Convert the entities to CSV with a header, without formulas for a spreadsheet."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(EntityRow._fields)
    writer.writerows(
        [_without_formula(row.entity), _without_formula(row.label), *row[2:]]
        for row in to_rows(annotation)
    )
    return "\ufeff" + file.getvalue()  # Excel needs the byte order mark to read UTF-8


def _without_formula(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def to_json_lines(annotation: Annotation) -> str:
    """Convert the annotation to one line of JSON, in Prodigy's layout."""
    return json.dumps(annotation, ensure_ascii=False) + "\n"
