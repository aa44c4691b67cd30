"""What annotations are written as, and the engine they come from."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import spacy
from spacy.tokens import Doc

from bert_ner.annotation import annotator
from bert_ner.annotation.annotator import annotate, explain, load, to_annotation
from bert_ner.annotation.outputs import FORMATS, to_conll, to_json, to_table
from bert_ner.annotation.wordpieces import to_pieces, with_pieces
from bert_ner.errors import InputError
from tests.pipes.training import Build, encoder_key, train

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog

TEXT = "In Oslo,\u2028 Anna Berg\n said 😀 שלום Oslo."


def test_offsets_are_those_of_the_text_as_given(ruler: Path) -> None:
    (found,) = annotate(load(ruler), [TEXT])
    assert isinstance(found, dict)
    assert found["text"] == TEXT
    assert [TEXT[s["start"] : s["end"]] for s in found["spans"]] == ["Oslo", "Anna Berg", "Oslo"]
    assert "".join(t["text"] + " " * t["ws"] for t in found["tokens"]) == TEXT
    assert all(TEXT[t["start"] : t["end"]] == t["text"] for t in found["tokens"])
    assert [t["id"] for t in found["tokens"]] == list(range(len(found["tokens"])))
    assert "score" not in found["spans"][0]  # this pipeline has none


def test_a_text_that_fails_does_not_take_the_others_along(ruler: Path) -> None:
    first, long, broken, last = annotate(load(ruler), ["Oslo", "x" * 1_000_001, "\ud800", "Oslo"])
    assert isinstance(first, dict)
    assert first == last
    assert isinstance(long, ValueError)
    assert explain(long).startswith("ValueError: [E088] Text of length 1000001 exceeds maximum")
    assert isinstance(broken, UnicodeEncodeError)


def test_long_texts_are_not_in_memory_with_all_others(
    ruler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nlp, together = load(ruler), []
    pipe = nlp.pipe

    def watched(texts: list[str]) -> Any:
        together.append([len(text) for text in texts])
        return pipe(texts)

    monkeypatch.setattr(nlp, "pipe", watched)
    monkeypatch.setattr(annotator, "TOGETHER", 30)
    texts = ["Oslo", "rain " * 20, "Oslo", "in Oslo", "Oslo" + " rain" * 4, ""]
    found: Any = annotate(nlp, texts)
    assert together == [[4], [100], [4, 7], [24, 0]]
    assert [annotation["text"] for annotation in found] == texts


def test_memory_does_not_grow_with_what_was_read(ruler: Path) -> None:
    nlp = load(ruler)
    before = len(nlp.vocab.strings)
    annotate(nlp, [f"word{i}" for i in range(100)])
    assert len(nlp.vocab.strings) == before


def test_confidence_is_rounded_and_can_be_asked_for(build: Build, tmp_path: Path) -> None:
    nlp = build()
    train(nlp)
    nlp.to_disk(tmp_path / "pipeline")
    text = "Anna Berg lives in Oslo ."
    (found,) = annotate(load(tmp_path / "pipeline"), [text])
    assert isinstance(found, dict)
    scores = [span["score"] for span in found["spans"]]
    assert scores == [round(e._.confidence, annotator.DIGITS) for e in nlp(text).ents]
    (none,) = annotate(load(tmp_path / "pipeline", min_confidence=1.0), [text])
    assert isinstance(none, dict)
    assert len(none["spans"]) < len(scores)


@pytest.mark.parametrize(
    ("name", "least", "message"),
    [
        ("en_bert_ner", 0.0, r"en_bert_ner is not installed\. Run `pip install"),
        ("nowhere", 0.0, "nowhere: not a pipeline"),
        ("ruler", 0.5, "does not say how sure it is"),
        ("ruler", 1.5, "expected a number from 0 to 1"),
        ("blank", 0.0, "has no component that finds entities"),
    ],
)
def test_a_pipeline_that_will_not_do_is_said(
    name: str, least: float, message: str, ruler: Path, tmp_path: Path
) -> None:
    spacy.blank("en").to_disk(tmp_path / "blank")
    named = {"ruler": ruler, "blank": tmp_path / "blank"}.get(name, name)
    with pytest.raises(InputError, match=message):
        load(named, min_confidence=least)


def annotation(text: str, *spans: tuple[int, int, str], score: float | None = None) -> Any:
    doc = Doc(spacy.blank("en").vocab, words=text.split(" "))
    doc.ents = [spacy.tokens.Span(doc, *span[:2], label=span[2]) for span in spans]
    found = to_annotation(doc)
    if score is not None:
        found["spans"] = [{**span, "score": score} for span in found["spans"]]
    return found


def test_the_table_is_that_of_the_papers() -> None:
    table = to_table(annotation("Anna Berg saw Oslo", (0, 2, "PER"), (3, 4, "LOC"), score=0.987))
    assert table.splitlines() == [
        "entity   confidence   mention     start   end",
        "------   ----------   ---------   -----   ---",
        "PER            0.99   Anna Berg       0     9",
        "LOC            0.99   Oslo           14    18",
    ]
    assert to_table(annotation("rain")) == "no entities\n"


def test_a_hostile_text_does_nothing_to_a_terminal() -> None:
    table = to_table(annotation("\x1b[2J\nOslo here", (0, 1, "LOC")))
    assert "\x1b" not in table
    assert r"\x1b[2J\nOslo" in table


def test_conll_has_a_token_and_its_tag_in_each_line() -> None:
    found = annotation("Anna Berg \n saw Oslo Lima", (0, 2, "PER"), (4, 5, "LOC"), (5, 6, "LOC"))
    assert to_conll(found) == (
        "-DOCSTART- O\n\nAnna B-PER\nBerg I-PER\nsaw O\nOslo B-LOC\nLima B-LOC\n\n"
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_list_and_json_lines_are_lines(count: int) -> None:
    found = [annotation("naïve Oslo\u2028 😀", (1, 2, "LOC"))] * count
    form = FORMATS["json"]
    written = form.head + form.between.join(map(form.render, found)) + form.foot
    assert json.loads(written) == found
    lines = "".join(map(FORMATS["jsonl"].render, found))
    assert [json.loads(line) for line in lines.split("\n") if line] == found
    assert "naïve" in lines or not count


def test_a_page_shows_text_and_labels_as_text(chromium: "Browser", tmp_path: Path) -> None:
    form = FORMATS["html"]
    hostile = "<script>alert(1)</script> <b>Oslo</b> & שלום\n two"
    found = [annotation(hostile, (0, 2, "<i>X"), score=0.5), annotation("Oslo", (0, 1, "LOC"))]
    path = tmp_path / "page.html"
    path.write_text(form.head + "".join(map(form.render, found)) + form.foot, encoding="utf-8")
    page = chromium.new_page(viewport={"width": 400, "height": 800})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))

    def dismiss(dialog: "Dialog") -> None:
        said.append("dialog")
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
    assert not said
    page.close()


def test_json_of_what_utf_8_cannot_have_is_escaped() -> None:
    assert to_json({"text": "a", "id": "\ud800"}) == '{"text": "a", "id": "\\ud800"}'


def test_what_json_has_no_type_for_is_written_readably() -> None:
    found = json.loads(to_json({"a": float("nan"), "b": [float("inf"), 1.5], "c": b"\xffx"}))
    assert found == {"a": None, "b": [None, 1.5], "c": "\\xffx"}


def test_word_pieces_say_how_the_encoder_saw_it(build: Build) -> None:
    nlp = build(**{encoder_key("get_spans__max_pieces"): 12, encoder_key("get_spans__context"): 3})
    train(nlp)
    text = "Anna Berg lives in Oslo . " * 5
    doc = nlp(text)
    pieces = to_pieces(nlp, doc)
    assert {"Anna Berg", "Oslo"} <= {ent.text for ent in doc.ents}
    covered = [(p["start"], p["end"]) for p in pieces]
    assert covered == sorted(set(covered))  # in order, and none twice, although windows overlap
    assert "".join(text[start:end] for start, end in covered) == text.replace(" ", "")
    assert len(pieces) > len(doc)
    for ent in doc.ents:
        inside = [p for p in pieces if ent.start_char <= p["start"] < ent.end_char]
        tags = [p["tag"] for p in inside]
        assert tags == [f"B-{ent.label_}"] + [f"I-{ent.label_}"] * (len(tags) - 1)
        assert {p["score"] for p in inside} == {round(ent._.confidence, 4)}
    assert to_pieces(nlp, nlp("")) == []
    (found,) = annotate(nlp, ["Anna Berg"], with_pieces(nlp))
    assert isinstance(found, dict)
    assert to_table(found).splitlines()[0].split() == [
        "word",
        "piece",
        "tag",
        "confidence",
        "start",
        "end",
    ]


def test_a_pipeline_without_an_encoder_has_no_word_pieces(ruler: Path) -> None:
    with pytest.raises(InputError, match="no encoder with word pieces"):
        with_pieces(load(ruler))
