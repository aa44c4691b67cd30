"""The page without a browser, as Streamlit runs it."""

import sys
from pathlib import Path

import pytest
from spacy.language import Language
from streamlit.testing.v1 import AppTest

from bert_ner.annotation.annotator import annotate
from bert_ner.annotation.records import Annotation
from bert_ner.demo import pipelines
from bert_ner.demo.launch import PAGE

TIMEOUT = 60  # seconds, for a busy machine


@pytest.fixture
def page(ruler: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(sys, "argv", ["page.py", str(ruler)])
    return AppTest.from_file(PAGE, default_timeout=TIMEOUT).run()


def html_of(page: AppTest) -> str:
    return "".join(element.proto.body for element in page.get("html"))


def test_a_text_is_annotated_once_and_filtered(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []

    def watched(nlp: Language, batch: list[str]) -> list[Annotation | Exception]:
        texts.extend(batch)
        return annotate(nlp, batch)

    monkeypatch.setattr(pipelines, "annotate", watched)
    page.text_area(key="text").input("Anna Berg left Oslo.")
    page.button[0].click().run()
    assert "<bdi>Anna Berg</bdi>" in html_of(page)
    assert [caption.value for caption in page.caption][-1] == "2 of 2 entities shown"
    page.multiselect[0].select("LOC").run()
    assert "<bdi>Anna Berg</bdi>" not in html_of(page)
    assert "<bdi>Oslo</bdi>" in html_of(page)
    assert texts == ["Anna Berg left Oslo."]
    assert not page.exception


def test_an_example_is_annotated_with_a_click(page: AppTest) -> None:
    (example,) = (button for button in page.button if "Halden" in button.label)
    example.click().run()
    assert str(page.text_area(key="text").value).startswith("Shares of Halden Marine")
    assert "<bdi>Oslo</bdi>" in html_of(page)


def test_errors_are_shown(page: AppTest) -> None:
    page.text_area(key="text").input(" ")
    page.button[0].click().run()
    assert "There is no text yet" in page.error[0].value


def test_a_pipeline_without_confidence_has_no_slider(page: AppTest) -> None:
    page.text_area(key="text").input("Oslo")
    page.button[0].click().run()
    assert len(page.slider) == 0
    captions = [caption.value for caption in page.caption]
    assert "This pipeline gives no confidence to filter by." in captions
