"""Texts and tables as HTML in which nothing of the text is HTML."""

import colorsys
import math
import re
from collections.abc import Iterable, Sequence
from html import escape
from zlib import crc32

from .annotator import Annotation

INK = "#16181d"  # on all colours of labels, in a light and in a dark theme
Cell = str | float | None
_GOLDEN_ANGLE = 0.381966  # of the circle: neighbours in the order differ much


def colours(labels: Iterable[str]) -> dict[str, str]:
    """A pale colour for each label, the same whenever the labels are.

    labels (Iterable[str]): The labels.
    RETURNS (dict[str, str]): Their colours, such as `#f5c3b8`.
    """
    return {label: _pale(0.05 + i * _GOLDEN_ANGLE) for i, label in enumerate(sorted(set(labels)))}


def colour_alone(label: str) -> str:
    """A pale colour for a label, where the others are not known. Two may be alike."""
    return _pale(crc32(label.encode()) / 2**32)


def _pale(hue: float) -> str:
    channels = colorsys.hls_to_rgb(hue % 1, 0.82, 0.75)
    return "#" + "".join(f"{round(255 * c):02x}" for c in channels)


def highlight(annotation: Annotation, colour: dict[str, str]) -> str:
    """A text with its entities marked.

    annotation (Annotation): See `bert_ner.annotation.annotator.to_annotation`.
    colour (dict[str, str]): The labels' colours.
    RETURNS (str): HTML on one line: Streamlit would change spaces at the ends of lines.
    """
    text, end, parts = annotation["text"], 0, []
    for span in sorted(annotation["spans"], key=lambda span: span["start"]):
        parts.append(_escape(text[end : span["start"]]))
        end = span["end"]
        label, score = span["label"], span.get("score")
        sure = "" if score is None else f" {_round_down(score):.2f}"
        parts.append(
            f'<mark style="background:{colour[label]};color:{INK}">'
            f"<bdi>{_escape(text[span['start'] : end])}</bdi>"
            f'<span dir="ltr"> {_escape(label)}{sure}</span></mark>'
        )
    parts.append(_escape(text[end:]))
    return f'<div class="annotated" dir="auto">{"".join(parts)}</div>'


def _round_down(score: float) -> float:
    """A score to two digits, such that a least one of what is shown keeps it."""
    return math.floor(round(100 * score, 4)) / 100  # 0.29 is 28.999999999999996 hundredths


def table(
    title: str, texts: Sequence[str], numbers: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> str:
    """A table, its numbers on the right.

    title (str): What it shows, for those who do not see it.
    texts (Sequence[str]): The names of the first columns.
    numbers (Sequence[str]): The names of the others.
    rows (Iterable[Sequence]): The cells; None is an empty one.
    RETURNS (str): HTML on one line. The keyboard can scroll it.
    """
    head = "".join(f'<th scope="col">{_escape(name)}</th>' for name in texts)
    head += "".join(f'<th scope="col" class="number">{_escape(name)}</th>' for name in numbers)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f'<div class="table" role="region" tabindex="0" aria-label="{_escape(title)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(value: Cell) -> str:
    if isinstance(value, str):
        return f'<td dir="auto">{_escape(value)}</td>'
    shown = f"{value:.4f}" if isinstance(value, float) else "" if value is None else f"{value}"
    return f'<td class="number">{shown}</td>'


def _escape(text: str) -> str:
    return escape(text).replace("\n", "&#10;").replace("\r", "&#13;")


def plain(text: str) -> str:
    """Text for where Streamlit takes Markdown, so that all of it is text."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
