"""The page: it needs nothing from elsewhere, and text stays text."""

import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from bert_ner.errors import InputError
from bert_ner.evaluation.page import entities
from bert_ner.evaluation.evaluate import evaluate
from bert_ner.files import read_json, write_json
from tests.conftest import ROOT
from tests.pipes.training import Build, make_examples, train

SOURCE = {
    "corpus": "conll2003",
    "title": "a test",
    "kind": "sample",
    "where": "here",
    "licence": "none",
    "url": "",
    "files": {},
}
LOG = (
    '{"epoch": 1, "step": 9, "seconds": 1, "words": 2, "score": 0.9, "train_loss": {"ner": 0.3},'
    ' "dev": {"ents_f": 0.9, "ents_p": 0.8, "ents_r": 1.0, "ents_acc": 0.95, "ents_loss": 0.2}}\n'
)


class Links(HTMLParser):
    """Collects what a page would fetch, and its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe"):
            self.found.append(tag)
        addresses = [value or "" for key, value in attrs if key in ("src", "href")]
        self.found += [address for address in addresses if not address.startswith("#")]


def write_corpus(nlp: spacy.Language, folder: Path) -> Path:
    folder.mkdir()
    for split in ("train", "dev", "test"):
        docs = [example.reference for example in make_examples(nlp, 2)]
        if split == "test":  # has an error of the annotators
            docs.append(Doc(nlp.vocab, words=["rain", "fell"], ents=["B-PER", "O"]))
        DocBin(attrs=["SENT_START", "ENT_IOB", "ENT_TYPE"], docs=docs).to_disk(
            folder / f"{split}.spacy"
        )
    write_json(folder / "source.json", SOURCE)
    return folder


@pytest.fixture
def trained(build: Build, tmp_path: Path) -> tuple[Path, Path]:
    nlp = build()
    train(nlp, steps=20)
    nlp.meta["training"] = {"encoder": "tiny", "recipe": "<b>", "seed": 1}
    (tmp_path / "training").mkdir()
    nlp.to_disk(tmp_path / "training" / "pipeline")
    (tmp_path / "training" / "log.jsonl").write_text(LOG)
    write_json(tmp_path / "training" / "train.json", {"steps_per_epoch": 9})
    return tmp_path / "training" / "pipeline", write_corpus(nlp, tmp_path / "corpus")


def test_report_writes_all_of_it(trained: tuple[Path, Path], tmp_path: Path) -> None:
    pipeline, data = trained
    first = evaluate(pipeline, data, tmp_path / "a.json", tmp_path / "a.html").scores
    other = read_json(tmp_path / "a.json")
    other["training"]["seed"] = 2
    other["scores"]["test"]["f1"] -= 0.02
    write_json(tmp_path / "seed2.json", other)
    again: dict[str, Any] = evaluate(
        pipeline,
        data,
        tmp_path / "b.json",
        tmp_path / "b.html",
        against=tmp_path / "a.json",
        runs=[tmp_path / "seed2.json"],
    )
    stored = read_json(tmp_path / "a.json")
    assert stored["splits"]["test"] == again["splits"]["test"]
    assert stored["robustness"] == again["robustness"]
    assert first["learned"][0]["dev_loss"] == 0.2
    assert first["papers"] == []  # their figures are on the corpus, and these on a sample of it
    test = first["splits"]["test"]
    strict = test["views"]["strict"]
    assert strict["f1"] == pytest.approx(first["scores"]["test"]["f1"], abs=1e-9)
    assert strict["support"] == 9
    assert test["loss"] > 0
    assert (again["against"]["difference"], again["against"]["p"]) == (0.0, 1.0)
    assert (again["seeds"]["runs"], again["seeds"]["seeds"]) == (2, [1, 2])
    assert again["seeds"]["sd"] == pytest.approx(2 / 2**0.5)
    page = (tmp_path / "b.html").read_text()
    links = Links()
    links.feed(page)
    assert links.found == []
    for text in ("Learning curve", "0.2000", "Against", "ALL CAPS", "&lt;b&gt;", "built-in sample"):
        assert text in page
    assert f"{100 * strict['f1']:.2f}" in page
    # no text of the corpus is in what may be published
    assert "Anna" not in (tmp_path / "a.json").read_text()
    assert page.count('class="pair"') == len(first["cases"]) + sum(test["errors"].values())


def test_what_cannot_be_compared_or_read_is_named(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    pipeline, data = trained
    output, page, other = (tmp_path / name for name in ("m.json", "m.html", "other.json"))
    write_json(other, {"schema": 2})
    with pytest.raises(InputError, match=r"other\.json: expected metrics of schema 1, found 2"):
        evaluate(pipeline, data, output, page, against=other)
    write_json(other, {"schema": 1})
    with pytest.raises(InputError, match=r"other\.json: not the metrics of a run"):
        evaluate(pipeline, data, output, page, against=other)
    with pytest.raises(InputError, match=r"other\.json: not the metrics of a run"):
        evaluate(pipeline, data, output, page, runs=[other])
    (pipeline.parent / "log.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match=r"log\.jsonl:1: not a line"):
        evaluate(pipeline, data, output, page)
    (pipeline.parent / "log.jsonl").unlink()
    assert not list(tmp_path.glob("m.*"))
    evaluate(pipeline, data, output, page)
    own = read_json(output)
    for change, message in (
        ({}, "two runs have the same seed: 1, 1"),
        ({"epochs": 9, "seed": 2}, r"other\.json: expected the epochs None, found 9"),
        ({"seed": [1]}, r"other\.json: not the metrics of a run"),
    ):
        write_json(other, {**own, "training": {**own["training"], **change}})
        with pytest.raises(InputError, match=message):
            evaluate(pipeline, data, output, page, runs=[other])
    own["splits"]["test"]["documents"][0][2] += 1
    write_json(other, own)
    with pytest.raises(InputError, match=r"cannot be compared with: the two runs were not scored"):
        evaluate(pipeline, data, output, page, against=other)
    write_json(pipeline.parent / "train.json", {})
    (pipeline.parent / "log.jsonl").write_text(LOG)
    with pytest.raises(InputError, match=r"train\.json: steps_per_epoch must be"):
        evaluate(pipeline, data, output, page)


def test_neither_figures_nor_page_are_written_if_one_cannot_be(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    output, page = tmp_path / "m.json", tmp_path / "folder"
    output.write_text("before")
    page.mkdir()
    with pytest.raises(InputError, match="is a folder"):
        evaluate(*trained, output, page)
    assert output.read_text() == "before"
    with pytest.raises(InputError, match="Name two files"):
        evaluate(*trained, output, output)


def test_a_report_has_its_place_and_needs_little_of_a_pipeline(
    trained: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meta = read_json(trained[0] / "meta.json")
    write_json(trained[0] / "meta.json", {**meta, "training": "no table", "sources": {}})
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    evaluate(*trained)
    metrics = tmp_path / "metrics" / "pipeline"
    assert (metrics / "conll2003" / "report.html").exists()
    found = evaluate(*trained, against=metrics / "conll2003.json")
    assert found["against"]["difference"] == 0
    (tmp_path / "configs" / "cases.toml").write_text("[[cases]]\nabout = 1\n")
    with pytest.raises(InputError, match="needs the texts about and text"):
        evaluate(*trained)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "holds no documents"),
        (b"", "not a converted split"),
        (b"cut", "not a converted split"),
    ],
)
def test_an_empty_or_truncated_split_is_named_and_nothing_is_overwritten(
    trained: tuple[Path, Path], tmp_path: Path, content: bytes | None, message: str
) -> None:
    test = trained[1] / "test.spacy"
    if content is None:
        DocBin().to_disk(test)
    else:
        test.write_bytes(test.read_bytes()[:-9] if content else b"")
    output, page = tmp_path / "m.json", tmp_path / "m.html"
    output.write_text("before")
    page.write_text("before")
    with pytest.raises(InputError, match=rf"test\.spacy: {message}"):
        evaluate(*trained, output, page)
    assert (output.read_text(), page.read_text()) == ("before", "before")


def test_a_pipeline_without_confidence_has_a_report_too(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    labels = ["$\\frac$", "LOC"]  # the first is no formula for matplotlib
    ruler.add_patterns([{"label": label, "pattern": label[0] + "slo"} for label in labels])
    ruler.add_patterns([{"label": labels[0], "pattern": "Oslo"}])
    nlp.to_disk(tmp_path / "pipeline")
    data = write_corpus(nlp, tmp_path / "corpus")
    found = evaluate(tmp_path / "pipeline", data, tmp_path / "m.json", tmp_path / "m.html")
    assert found["splits"]["test"]["reliability"] is None
    assert found["splits"]["test"]["loss"] is None
    page = (tmp_path / "m.html").read_text()
    assert "Reliability of the confidence" not in page
    assert "$\\frac$" in page


def test_a_pipeline_that_cannot_know_the_corpus_is_refused(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    data = write_corpus(nlp, tmp_path / "corpus")
    nlp.to_disk(tmp_path / "blank")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "FILM", "pattern": "Oslo"}])
    nlp.to_disk(tmp_path / "other")
    for name, message in (
        ("blank", "no component that finds entities"),
        ("other", "none of its labels .* It has LOC, ORG, PER; the pipeline knows FILM"),
    ):
        with pytest.raises(InputError, match=message):
            evaluate(tmp_path / name, data, tmp_path / "m.json", tmp_path / "m.html")
    assert not list(tmp_path.glob("m.*"))


def test_words_and_labels_are_text_whatever_they_hold() -> None:
    words = ["<script>alert(1)</script>", "a&b", "x"]
    found = entities(
        words, [(0, 1, "<img src=x onerror=alert(1)>"), (2, 3, "LOC")], {"LOC": "#fff"}
    )
    assert "<script" not in found
    assert "<img" not in found
    assert "a&amp;b" in found
    assert "&lt;script&gt;" in found
    assert "#fff" in found


def test_an_installed_pipeline_is_loaded_by_its_name(
    trained: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, data = trained
    (tmp_path / "packages" / "en_installed-0.0.0.dist-info").mkdir(parents=True)
    metadata = "Metadata-Version: 2.1\nName: en_installed\nVersion: 0.0.0\n"
    (tmp_path / "packages" / "en_installed-0.0.0.dist-info" / "METADATA").write_text(metadata)
    code = f"import spacy\ndef load(**rest): return spacy.load({str(pipeline)!r}, **rest)\n"
    (tmp_path / "packages" / "en_installed.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    found = evaluate(Path("en_installed"), data, tmp_path / "m.json", tmp_path / "m.html")
    assert found["learned"] == []
    assert found["scores"]["test"]["f1"] > 0
