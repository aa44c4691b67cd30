"""The page of a report: it loads nothing from elsewhere, and text stays text."""

from html.parser import HTMLParser
from typing import cast

from bert_ner.evaluation.page import entities
from bert_ner.evaluation.records import Metrics
from bert_ner.palette import label_colour
from tests.evaluation.helpers import Evaluated


class Links(HTMLParser):
    """Collects what a page would fetch, and its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe"):
            self.links.append(tag)
        addresses = [value or "" for key, value in attrs if key in ("src", "href")]
        self.links += [address for address in addresses if not address.startswith("#")]
        if tag == "a":
            self.anchors += [address[1:] for address in addresses if address.startswith("#")]
        if tag == "h2":
            self.ids += [value or "" for key, value in attrs if key == "id"]


def test_the_page_shows_all_sections_and_loads_nothing(evaluated: Evaluated) -> None:
    metrics = cast(Metrics, evaluated.result.scores)
    test = metrics["splits"]["test"]
    page = evaluated.page.read_text()
    parser = Links()
    parser.feed(page)
    assert parser.links == []
    assert parser.anchors == parser.ids
    assert parser.ids == [
        *("scores", "errors", "worst", "learned", "confidence", "robustness"),
    ]
    for text in ("Learning curve", "0.2000", "ALL CAPS", "&lt;b&gt;", "built-in sample"):
        assert text in page
    assert f"{100 * test['views']['strict']['f1']:.2f}" in page
    assert page.count('class="pair"') == len(metrics["cases"]) + sum(test["errors"].values())


def test_words_and_labels_are_escaped() -> None:
    words = ["<script>alert(1)</script>", "a&b", "x"]
    hostile = "<img src=x onerror=alert(1)>"
    html = entities(words, [(0, 1, hostile), (2, 3, "LOC")], {"LOC": "#fff"})
    assert "<script" not in html
    assert "<img" not in html
    assert "a&amp;b" in html
    assert "&lt;script&gt;" in html
    assert "background:#fff" in html
    assert f"background:{label_colour(hostile)}" in html
