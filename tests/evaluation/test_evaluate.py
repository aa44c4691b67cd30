"""Evaluation: the metrics file, the page, and errors in its inputs."""

import shutil
from pathlib import Path
from typing import cast

import pytest
import spacy
from spacy.tokens import DocBin

from bert_ner.errors import InputError
from bert_ner.evaluation.evaluate import check_labels, evaluate
from bert_ner.evaluation.records import Metrics
from bert_ner.evaluation.scoring import load
from bert_ner.files import read_json, write_json
from tests.conftest import ROOT
from tests.evaluation.helpers import LOG, Evaluated, Run, write_corpus


def metrics_of(evaluated: Evaluated) -> Metrics:
    return cast(Metrics, evaluated.result.scores)


def test_the_metrics_file_has_all_measurements_and_no_text(evaluated: Evaluated) -> None:
    metrics = metrics_of(evaluated)
    stored = read_json(evaluated.output)
    assert list(stored) == list(metrics)
    assert next(iter(stored)) == "schema"
    assert stored["splits"] == metrics["splits"]
    assert metrics["learned"][0]["dev_loss"] == 0.2
    assert metrics["papers"] == []  # their figures are on the corpus, and these on a sample of it
    test = metrics["splits"]["test"]
    strict = test["views"]["strict"]
    assert strict["f1"] == pytest.approx(metrics["scores"]["test"]["f1"], abs=1e-9)
    assert strict["support"] == 9
    assert (test["loss"] or 0) > 0
    assert "Anna" not in evaluated.output.read_text()


def test_comparisons_are_added(run: Run, evaluated: Evaluated, tmp_path: Path) -> None:
    other = read_json(evaluated.output)
    other["training"]["seed"] = 2
    other["scores"]["test"]["f1"] -= 0.02
    write_json(tmp_path / "seed2.json", other)
    page = tmp_path / "b.html"
    result = evaluate(
        *run,
        tmp_path / "b.json",
        page,
        against=evaluated.output,
        runs=[tmp_path / "seed2.json"],
    )
    metrics, first = cast(Metrics, result.scores), metrics_of(evaluated)
    assert metrics["splits"]["test"] == first["splits"]["test"]
    assert metrics["robustness"] == first["robustness"]
    assert metrics["against"] is not None
    assert (metrics["against"]["difference"], metrics["against"]["p"]) == (0.0, 1.0)
    assert metrics["seeds"] is not None
    assert (metrics["seeds"]["runs"], metrics["seeds"]["seeds"]) == (2, [1, 2])
    assert metrics["seeds"]["sd"] == pytest.approx(2 / 2**0.5)
    assert "Compared with" in page.read_text()
    assert "2 runs that differ only in their seed" in page.read_text()
    assert result.text().endswith(str(page))


def test_without_a_page_there_are_only_the_scores(
    run: Run, evaluated: Evaluated, tmp_path: Path
) -> None:
    result = evaluate(*run, tmp_path / "m.json")
    scores, first = read_json(tmp_path / "m.json"), metrics_of(evaluated)
    assert list(scores) == [
        *("pipeline", "trained_on", "training", "source", "scores", "machine", "date")
    ]
    for split in ("dev", "test"):
        speed = {"words_per_second": 0}
        assert {**scores["scores"][split], **speed} == {**first["scores"][split], **speed}
    assert result.page is None
    assert result.text().endswith(str(tmp_path / "m.json"))
    with pytest.raises(InputError, match="Add --page"):
        evaluate(*run, tmp_path / "m.json", against=evaluated.output)


def test_invalid_inputs_are_named(run: Run, tmp_path: Path) -> None:
    output, page, other = (tmp_path / name for name in ("m.json", "m.html", "other.json"))
    write_json(other, {"schema": 2})
    with pytest.raises(InputError, match=r"other\.json: expected metrics of schema 1, found 2"):
        evaluate(*run, output, page, against=other)
    write_json(other, {"schema": 1})
    with pytest.raises(InputError, match=r"other\.json: not the metrics of a run"):
        evaluate(*run, output, page, runs=[other])
    log, record = (run.pipeline.parent / name for name in ("log.jsonl", "train.json"))
    log.write_text("{}\n")
    with pytest.raises(InputError, match=r"log\.jsonl:1: not a line"):
        evaluate(*run, output, page)
    write_json(record, {})
    log.write_text(LOG)
    with pytest.raises(InputError, match=r"train\.json: steps_per_epoch must be"):
        evaluate(*run, output, page)
    assert not list(tmp_path.glob("m.*"))


def test_runs_that_do_not_match_are_named(run: Run, evaluated: Evaluated, tmp_path: Path) -> None:
    other, own = tmp_path / "other.json", read_json(evaluated.output)
    for change, message in (
        ({}, "two runs have the same seed: 1, 1"),
        ({"epochs": 9, "seed": 2}, r"other\.json: expected the epochs None, found 9"),
        ({"seed": [1]}, r"other\.json: not the metrics of a run"),
    ):
        write_json(other, {**own, "training": {**own["training"], **change}})
        with pytest.raises(InputError, match=message):
            evaluate(*run, tmp_path / "m.json", tmp_path / "m.html", runs=[other])
    assert not list(tmp_path.glob("m.*"))


def test_neither_file_is_written_if_one_cannot_be(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, page = tmp_path / "m.json", tmp_path / "folder"
    output.write_text("before")
    page.mkdir()
    with pytest.raises(InputError, match="is a folder"):
        evaluate(*run, output, page)
    assert output.read_text() == "before"
    with pytest.raises(InputError, match="Name two files"):
        evaluate(*run, output, output)


def test_the_metrics_file_has_a_default_place(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipeline's meta.json may say nothing about the training."""
    meta = read_json(run.pipeline / "meta.json")
    write_json(run.pipeline / "meta.json", {**meta, "training": "no table", "sources": {}})
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    result = evaluate(*run, page=tmp_path / "report.html")
    assert result.output == Path("metrics/pipeline/conll2003.json")
    assert result.output.exists()
    assert (tmp_path / "report.html").exists()
    (tmp_path / "configs" / "cases.toml").write_text("[[cases]]\nabout = 1\n")
    with pytest.raises(InputError, match="needs the texts about and text"):
        evaluate(*run, page=tmp_path / "report.html")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "contains no documents"),
        (b"", "not a converted split"),
        (b"cut", "not a converted split"),
    ],
)
def test_an_empty_or_truncated_split_is_named_and_nothing_is_overwritten(
    run: Run, tmp_path: Path, content: bytes | None, message: str
) -> None:
    test = run.corpus / "test.spacy"
    if content is None:
        DocBin().to_disk(test)
    else:
        test.write_bytes(test.read_bytes()[:-9] if content else b"")
    output, page = tmp_path / "m.json", tmp_path / "m.html"
    output.write_text("before")
    page.write_text("before")
    with pytest.raises(InputError, match=rf"test\.spacy: {message}"):
        evaluate(*run, output, page)
    assert (output.read_text(), page.read_text()) == ("before", "before")


def test_a_pipeline_without_confidence_has_a_report(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    labels = ["$\\frac$", "LOC"]  # the first is no formula for matplotlib
    ruler.add_patterns([{"label": label, "pattern": label[0] + "slo"} for label in labels])
    ruler.add_patterns([{"label": labels[0], "pattern": "Oslo"}])
    nlp.to_disk(tmp_path / "pipeline")
    data = write_corpus(nlp, tmp_path / "corpus")
    page = tmp_path / "m.html"
    result = evaluate(tmp_path / "pipeline", data, tmp_path / "m.json", page)
    metrics = cast(Metrics, result.scores)
    assert metrics["splits"]["test"]["reliability"] is None
    assert metrics["splits"]["test"]["loss"] is None
    assert "Reliability of the confidence" not in page.read_text()
    assert "$\\frac$" in page.read_text()
    assert "calibration error" not in result.text()
    (note,) = result.notes
    assert "has labels that the pipeline cannot find. It has LOC, ORG, PER" in note
    assert result.text().startswith(note)


def test_a_pipeline_that_cannot_know_the_corpus_is_refused(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    data = write_corpus(nlp, tmp_path / "corpus")
    nlp.to_disk(tmp_path / "blank")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "FILM", "pattern": "Oslo"}])
    nlp.to_disk(tmp_path / "other")
    for name, message in (
        ("blank", "no component that finds entities"),
        ("other", "has no label of the pipeline. It has LOC, ORG, PER; the pipeline knows FILM"),
    ):
        for page in (None, tmp_path / "m.html"):
            with pytest.raises(InputError, match=message):
                evaluate(tmp_path / name, data, tmp_path / "m.json", page)
    assert not list(tmp_path.glob("m.*"))


def test_a_pipeline_that_knows_all_labels_needs_no_remark(trained: Run) -> None:
    assert check_labels(load(*trained, gpu=-1), trained.corpus) == []


def test_an_installed_pipeline_is_loaded_by_its_name(
    trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "packages" / "en_installed-0.0.0.dist-info").mkdir(parents=True)
    metadata = "Metadata-Version: 2.1\nName: en_installed\nVersion: 0.0.0\n"
    (tmp_path / "packages" / "en_installed-0.0.0.dist-info" / "METADATA").write_text(metadata)
    code = f"import spacy\ndef load(**rest): return spacy.load({str(trained.pipeline)!r}, **rest)\n"
    (tmp_path / "packages" / "en_installed.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    files = tmp_path / "m.json", tmp_path / "m.html"
    result = evaluate(Path("en_installed"), trained.corpus, *files)
    assert cast(Metrics, result.scores)["learned"] == []
    assert result.scores["scores"]["test"]["f1"] > 0
