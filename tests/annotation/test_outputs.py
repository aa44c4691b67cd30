"""Output formats show an annotation without changing it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bert_ner.annotation.options import FormatName
from bert_ner.annotation.outputs import FORMATS, to_conll, to_json, to_table
from tests.annotation.helpers import make_annotation

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog


def test_every_name_has_a_format() -> None:
    assert list(FORMATS) == list(FormatName)


def test_the_table_is_that_of_the_papers() -> None:
    annotation = make_annotation("Anna Berg saw Oslo", (0, 2, "PER"), (3, 4, "LOC"), score=0.987)
    assert to_table(annotation).splitlines() == [
        "entity   confidence   mention     start   end",
        "------   ----------   ---------   -----   ---",
        "PER            0.99   Anna Berg       0     9",
        "LOC            0.99   Oslo           14    18",
    ]
    assert to_table(make_annotation("rain")) == "no entities\n"


def test_a_hostile_text_does_not_control_the_terminal() -> None:
    table = to_table(make_annotation("\x1b[2J\nOslo here", (0, 1, "LOC")))
    assert "\x1b" not in table
    assert r"\x1b[2J\nOslo" in table


def test_conll_has_a_token_and_its_tag_in_each_line() -> None:
    annotation = make_annotation(
        "Anna Berg \n saw Oslo Lima", (0, 2, "PER"), (4, 5, "LOC"), (5, 6, "LOC")
    )
    assert to_conll(annotation) == (
        "-DOCSTART- O\n\nAnna B-PER\nBerg I-PER\nsaw O\nOslo B-LOC\nLima B-LOC\n\n"
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_list_and_json_lines_are_lines(count: int) -> None:
    annotations = [make_annotation("naïve Oslo\u2028 😀", (1, 2, "LOC"))] * count
    form = FORMATS[FormatName.JSON]
    written = form.head + form.between.join(map(form.render, annotations)) + form.foot
    assert json.loads(written) == annotations
    lines = "".join(map(FORMATS[FormatName.JSONL].render, annotations))
    assert [json.loads(line) for line in lines.split("\n") if line] == annotations
    assert "naïve" in lines or not count


def test_json_escapes_characters_that_utf_8_cannot_encode() -> None:
    assert to_json({"text": "a", "id": "\ud800"}) == '{"text": "a", "id": "\\ud800"}'


def test_json_has_readable_values_for_other_types() -> None:
    values = json.loads(to_json({"a": float("nan"), "b": [float("inf"), 1.5], "c": b"\xffx"}))
    assert values == {"a": None, "b": [None, 1.5], "c": "\\xffx"}
    assert json.loads(to_json({"a": {"b": float("nan")}}, indent=2)) == {"a": {"b": None}}


def test_html_escapes_text_and_labels() -> None:
    annotation = make_annotation("<b>Oslo</b> & rain", (0, 1, "<i>X"), score=0.5)
    html = FORMATS[FormatName.HTML].render(annotation)
    assert "<bdi>&lt;b&gt;Oslo&lt;/b&gt;</bdi>" in html
    assert "<b>" not in html
    assert "<i>" not in html
    assert html.endswith("</div>\n")
    assert html.count("\n") == 1


@pytest.mark.slow
def test_a_page_shows_text_and_labels_as_text(chromium: "Browser", tmp_path: Path) -> None:
    form = FORMATS[FormatName.HTML]
    hostile = "<script>alert(1)</script> <b>Oslo</b> & שלום\n two"
    annotations = [
        make_annotation(hostile, (0, 2, "<i>X"), score=0.5),
        make_annotation("Oslo", (0, 1, "LOC")),
    ]
    path = tmp_path / "page.html"
    path.write_text(form.head + "".join(map(form.render, annotations)) + form.foot, "utf-8")
    page = chromium.new_page(viewport={"width": 400, "height": 800})
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))

    def dismiss(dialog: "Dialog") -> None:
        messages.append("dialog")
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.goto(path.as_uri())
    assert page.locator(".annotated").count() == 2
    assert page.locator("bdi").all_text_contents() == [
        "<script>alert(1)</script> <b>Oslo</b>",
        "Oslo",
    ]
    assert page.locator("mark span").first.text_content() == " <i>X 0.50"
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.locator("script, b, i").count() == 0
    assert not messages
    page.close()
