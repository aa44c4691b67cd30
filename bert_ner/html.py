"""HTML fragments: texts with highlighted entities, and tables. All text is escaped."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NotRequired, TypedDict

from .palette import INK, label_colour

Cell = str | float | None


class Highlight(TypedDict):
    """An entity to highlight: half-open character offsets, and the confidence if it has one."""

    start: int
    end: int
    label: str
    score: NotRequired[float]


def highlight(text: str, spans: Iterable[Highlight], colours: Mapping[str, str]) -> str:
    """Highlight the entities of a text.

    text (str): The text.
    spans (Iterable[Highlight]): Entities that do not overlap.
    colours (Mapping[str, str]): Backgrounds by label. Labels without one get one by
        `label_colour`.
    RETURNS (str): HTML on one line, since Streamlit changes spaces at the ends of lines.
    """
    end, parts = 0, []
    for span in sorted(spans, key=lambda span: span["start"]):
        parts.append(_escape(text[end : span["start"]]))
        end = span["end"]
        label, score = span["label"], span.get("score")
        confidence = "" if score is None else f" {_round_down(score):.2f}"
        parts.append(
            f'<mark style="background:{colours.get(label) or label_colour(label)};color:{INK}">'
            f"<bdi>{_escape(text[span['start'] : end])}</bdi>"
            f'<span dir="ltr"> {_escape(label)}{confidence}</span></mark>'
        )
    parts.append(_escape(text[end:]))
    return f'<div class="annotated" dir="auto">{"".join(parts)}</div>'


def _round_down(score: float) -> float:
    """Round a score down to two digits, so that it passes a filter with the value shown."""
    return math.floor(round(100 * score, 4)) / 100  # 0.29 is 28.999999999999996 hundredths


def table(
    title: str, texts: Sequence[str], numbers: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> str:
    """Render a table with right-aligned numbers.

    title (str): Name of the table for screen readers.
    texts (Sequence[str]): Headers of the first columns.
    numbers (Sequence[str]): Headers of the other columns.
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
    """Escape Markdown for Streamlit, which then shows the text as it is."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
