"""Entities are filtered and downloaded without changing the annotation."""

import csv
import io
import json
from typing import Any

import pytest

from bert_ner.annotation.records import AnnotatedSpan, Annotation
from bert_ner.demo import entities

HOSTILE = '<b onclick="x">'
TEXT = f"{HOSTILE}\n  Oslo & سلمى\r\n "


def make_span(start: int, end: int, label: str, score: float | None = None) -> AnnotatedSpan:
    span: AnnotatedSpan = {
        "start": start,
        "end": end,
        "token_start": 0,
        "token_end": 0,
        "label": label,
    }
    if score is not None:
        span["score"] = score
    return span


ANNOTATION: Annotation = {
    "text": TEXT,
    "tokens": [],
    "spans": [
        make_span(0, 15, HOSTILE, 0.5),
        make_span(18, 22, "LOC", 0.95),
        make_span(25, 29, "PER"),
    ],
}


def test_entities_are_filtered_by_confidence_and_label() -> None:
    def labels_left(**options: Any) -> list[str]:
        filters = {"min_confidence": 0.0, "labels": [], **options}
        return [s["label"] for s in entities.filter_entities(ANNOTATION, **filters)["spans"]]

    assert labels_left() == [HOSTILE, "LOC", "PER"]
    assert labels_left(min_confidence=0.95) == ["LOC", "PER"]  # no confidence passes the filter
    assert labels_left(min_confidence=0.96, labels=["LOC"]) == []
    assert labels_left(labels=["PER", "LOC"]) == ["LOC", "PER"]
    assert len(ANNOTATION["spans"]) == 3


def test_labels_and_confidence_are_seen() -> None:
    assert entities.labels_in(ANNOTATION) == sorted([HOSTILE, "LOC", "PER"])
    assert entities.has_confidence(ANNOTATION)
    assert not entities.has_confidence({**ANNOTATION, "spans": ANNOTATION["spans"][2:]})


def test_csv_has_the_rows_of_the_table() -> None:
    rows = list(csv.reader(io.StringIO(entities.to_csv(ANNOTATION).removeprefix("\ufeff"))))
    assert rows[0] == ["entity", "label", "confidence", "start", "end"]
    assert rows[1:] == [
        [HOSTILE, HOSTILE, "0.5", "0", "15"],
        ["Oslo", "LOC", "0.95", "18", "22"],
        ["سلمى", "PER", "", "25", "29"],
    ]


@pytest.mark.parametrize("sign", "=+-@")
def test_csv_has_no_formulas(sign: str) -> None:
    spans = [make_span(0, 3, f"{sign}L", 0.5)]
    written = entities.to_csv({"text": f"{sign}1a", "tokens": [], "spans": spans})
    assert written.startswith("\ufeffentity,")
    assert written.splitlines()[1] == f"'{sign}1a,'{sign}L,0.5,0,3"


def test_json_is_the_annotation_in_one_line() -> None:
    (line,) = entities.to_json_lines(ANNOTATION).splitlines()
    assert json.loads(line) == ANNOTATION
    assert "سلمى" in line
