"""HTML fragments: text stays text, whatever it holds."""

import re
import string
from html.parser import HTMLParser

import pytest

from bert_ner.html import Highlight, highlight, plain, table
from bert_ner.palette import label_colours

HOSTILE = '<b onclick="x">'
TEXT = f"{HOSTILE}\n  Oslo & سلمى\r\n "
SPANS: list[Highlight] = [
    {"start": 0, "end": 15, "label": HOSTILE, "score": 0.5},
    {"start": 18, "end": 22, "label": "LOC", "score": 0.95},
    {"start": 25, "end": 29, "label": "PER"},
]


class Parsed(HTMLParser):
    """The text of an HTML fragment, and its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags = "", list[str]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert {name for name, _ in attrs} <= {"class", "dir", "style"}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_highlight_keeps_every_character_and_adds_no_tag_of_the_text() -> None:
    colours = label_colours(span["label"] for span in SPANS)
    without_spans = highlight(TEXT, [], {})
    assert "\n" not in without_spans
    assert Parsed(without_spans).text == TEXT
    parsed = Parsed(highlight(TEXT, SPANS, colours))
    assert parsed.tags == ["div", *["mark", "bdi", "span"] * 3]
    assert parsed.text == f"{HOSTILE} {HOSTILE} 0.50\n  Oslo LOC 0.95 & سلمى PER\r\n "


@pytest.mark.parametrize(
    ("score", "shown"), [(0.5996, "0.59"), (0.6, "0.60"), (0.29, "0.29"), (1.0, "1.00")]
)
def test_a_highlighted_score_is_rounded_down(score: float, shown: str) -> None:
    spans: list[Highlight] = [{"start": 0, "end": 1, "label": "A", "score": score}]
    assert Parsed(highlight("a", spans, {"A": "#fff"})).text == f"a A {shown}"


def test_table_escapes_and_shows_unknown_values_as_empty() -> None:
    html = table(HOSTILE, ["a"], ["b", "c"], [(HOSTILE, 0.5, None), ("x", 3, 1.0)])
    cells = re.findall(r"<td[^>]*>(.*?)</td>", html)
    assert cells == ["&lt;b onclick=&quot;x&quot;&gt;", "0.5000", "", "x", "3", "1.0000"]
    assert "<b" not in html.replace("<body", "")


def test_markdown_stays_text() -> None:
    markdown = f"![x](http://x/y) :smile: $a$\n# b {string.punctuation}"
    escaped = plain(markdown)
    assert re.sub(r"\\(.)", r"\1", escaped) == markdown.replace("\n", " ")
    assert not set(re.sub(r"\\.", "", escaped)) & set(string.punctuation)
