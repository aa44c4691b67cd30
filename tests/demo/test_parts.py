"""What the page is made of, without a browser."""

import csv
import io
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language

from bert_ner.annotation.annotator import Annotation, annotate
from bert_ner.demo import pipelines, rows
from bert_ner.demo.examples import MOVIES, examples_for
from bert_ner.demo.launch import OPTIONS, PAGE, arguments, check_port
from bert_ner.errors import InputError
from tests.conftest import ROOT
from tests.demo.conftest import write_built
from tests.helpers import fails

HOSTILE = '<b onclick="x">'
TEXT = f"{HOSTILE}\n  Oslo & سلمى\r\n "
ANNOTATION: dict[str, Any] = {
    "text": TEXT,
    "tokens": [],
    "spans": [
        {"start": 0, "end": 15, "label": HOSTILE, "score": 0.5},
        {"start": 18, "end": 22, "label": "LOC", "score": 0.95},
        {"start": 25, "end": 29, "label": "PER"},
    ],
}


def test_keep_by_confidence_and_label() -> None:
    def kept(**options: Any) -> list[str]:
        chosen = {"least": 0.0, "labels": [], **options}
        return [span["label"] for span in rows.keep(ANNOTATION, **chosen)["spans"]]

    assert kept() == [HOSTILE, "LOC", "PER"]
    assert kept(least=0.95) == ["LOC", "PER"]  # what has no confidence stays
    assert kept(least=0.96, labels=["LOC"]) == []
    assert kept(labels=["PER", "LOC"]) == ["LOC", "PER"]
    assert len(ANNOTATION["spans"]) == 3


def test_csv_and_rows() -> None:
    table = list(csv.reader(io.StringIO(rows.to_csv(ANNOTATION).removeprefix("\ufeff"))))
    assert table[0] == ["entity", "label", "confidence", "start", "end"]
    assert table[1:] == [
        [HOSTILE, HOSTILE, "0.5", "0", "15"],
        ["Oslo", "LOC", "0.95", "18", "22"],
        ["سلمى", "PER", "", "25", "29"],
    ]


@pytest.mark.parametrize("sign", "=+-@")
def test_csv_has_no_formulas(sign: str) -> None:
    spans = [{"start": 0, "end": 3, "label": f"{sign}L", "score": 0.5}]
    written = rows.to_csv({"text": f"{sign}1a", "tokens": [], "spans": spans})
    assert written.startswith("\ufeffentity,")
    assert written.splitlines()[1] == f"'{sign}1a,'{sign}L,0.5,0,3"


def test_examples_suit_the_labels() -> None:
    assert examples_for(["Actor", "Plot"]) == list(MOVIES)
    assert examples_for(["geo", "per"], 1) == [
        "Ingrid Solheim left Statkraft in March to run the Port of Narvik, the mayor said."
    ]


def test_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "get_installed_models", list)
    with pytest.raises(InputError, match="spacy project run all"):
        pipelines.find([], tmp_path)
    write_built(tmp_path)
    for number, config in enumerate(["[nlp]\n[nlp]", "[nlp]\npipeline = 7\n[components]"]):
        folder = tmp_path / "config" / f"damaged{number}" / "pipeline"
        folder.mkdir(parents=True)
        (folder / "config.cfg").write_text(config)
    found = pipelines.find([], tmp_path)
    assert [Path(name).parent.name for name in found] == ["broken", "mit_movie"]
    assert pipelines.find([found[1]], tmp_path) == [found[1]]
    with pytest.raises(InputError, match="--pipeline nowhere: neither"):
        pipelines.find(["nowhere"], tmp_path)
    with pytest.raises(InputError, match="not a pipeline that loads"):
        pipelines.load(found[0])


@pytest.fixture
def nlp() -> Language:
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "LOC", "pattern": "Oslo"}, {"label": "A", "pattern": "a"}])
    return nlp


def test_annotate_text(nlp: Language) -> None:
    longest = "Oslo" + " " * (pipelines.LIMIT - 4)
    assert [s["label"] for s in pipelines.annotate_text(nlp, longest)["spans"]] == ["LOC"]
    with pytest.raises(InputError, match="100,001 characters, and this page takes 100,000"):
        pipelines.annotate_text(nlp, longest + " ")
    with pytest.raises(InputError, match="1,001 characters without white space between them"):
        pipelines.annotate_text(nlp, "Oslo " + "(" * 1_001)
    with pytest.raises(InputError, match="There is no text"):
        pipelines.annotate_text(nlp, "\n ")


def test_visitors_take_turns(nlp: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most = 0, 0

    def slowly(nlp: Language, texts: list[str]) -> list[Annotation | Exception]:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.02)
        inside -= 1
        return annotate(nlp, texts)

    monkeypatch.setattr(pipelines, "annotate", slowly)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: pipelines.annotate_text(nlp, text), ["Oslo"] * 8))
    assert [len(annotation["spans"]) for annotation in found] == [1] * 8
    assert most == 1


def test_what_a_pipeline_says_of_itself(nlp: Language) -> None:
    assert pipelines.describe(nlp) == "Trained on: unknown. Finds: A, LOC."
    assert pipelines.scores_of(nlp) == ("As its author gives them.", [])
    nlp.meta |= {"sources": [{"name": "a sample"}], "corpus": {"kind": "sample"}, "training": {}}
    assert "Trained on: a sample." in pipelines.describe(nlp)
    assert "expect mistakes on real text" in pipelines.describe(nlp)
    nlp.meta["training"] = {"seed": 1}
    nlp.meta["performance"] = {
        **{"ents_p": 0.5, "ents_r": 0.25, "ents_f": 1 / 3, "speed": 9},
        "ents_per_type": {"B": {"p": None, "r": 0, "f": 0}, "A": {"p": 1, "r": 0, "f": 0}},
    }
    said, scores = pipelines.scores_of(nlp)
    assert "dev split" in said
    assert scores == [("all", 0.5, 0.25, 1 / 3), ("A", 1.0, 0.0, 0.0)]


def test_the_command_stays_on_this_machine() -> None:
    given = arguments(["a", "b"], 8600)
    assert given[:2] == ["run", str(PAGE)]
    assert given[-3:] == ["--", "a", "b"]
    for option in (
        "--server.address=127.0.0.1",
        "--server.port=8600",
        "--browser.gatherUsageStats=false",
        "--server.headless=true",
        "--server.allowedHosts=127.0.0.1",
        "--client.showErrorDetails=none",
    ):
        assert option in given
    assert {f"--{name}={value}" for name, value in OPTIONS.items()} <= set(given)
    assert PAGE.is_relative_to(ROOT)


def test_a_port_in_use() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port}: .* --port {port + 1}"):
            check_port(port)


def test_without_streamlit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bert_ner.demo.launch.find_spec", lambda name: None)
    assert "pip install -e '.[app]'" in fails(monkeypatch, capsys, "app")
