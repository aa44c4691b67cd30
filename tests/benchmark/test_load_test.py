"""The load test judges and writes its measurements."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest
import spacy
from spacy.tokens import DocBin

from bert_ner.annotation.records import Annotation
from bert_ner.benchmark import load_test
from bert_ner.benchmark.clients import Responses
from bert_ner.benchmark.load_test import (
    MODES,
    LoadOptions,
    compare,
    judge,
    read_texts,
    run_load_test,
    summarize,
)
from bert_ner.benchmark.records import LoadRun
from bert_ner.files import read_json
from tests.conftest import ROOT


def annotation(label: str, score: float) -> Annotation:
    span = {"start": 0, "end": 1, "label": label, "score": score}
    return cast(Annotation, {"spans": [span]})


def test_differences_from_offline() -> None:
    responses = Responses()
    responses.bodies["same"] = {
        json.dumps(annotation("LOC", score)).encode() for score in (0.5, 0.5001)
    }
    responses.bodies["other"] = {
        json.dumps(annotation(label, 0.5)).encode() for label in ("PER", "LOC", "ORG")
    }
    offline = {text: annotation("LOC", 0.5) for text in ("same", "other", "unseen")}
    changed, largest = compare(responses, offline)
    assert changed == 1
    assert largest == pytest.approx(1e-4)


def judged(fast: dict[str, int], per_second: float, changed: int, largest: float) -> list[bool]:
    runs: dict[str, LoadRun] = {
        name: {"statuses": statuses, "requests_per_second": speed, "latency_ms": {}}
        for name, statuses, speed in zip(MODES, (fast, {"200": 9}), (per_second, 10), strict=True)
    }
    return [target["met"] for target in judge(runs, changed, largest)]


def test_every_target_can_be_missed() -> None:
    assert judged({"200": 90, "429": 10}, 20.0, 0, 1e-4) == [True] * 7
    assert judged({"200": 89, "429": 11}, 20.0, 0, 0.0).index(False) == 0
    assert judged({"200": 99, "500": 1}, 20.0, 0, 0.0).index(False) == 1
    assert judged({"200": 99, "0": 1}, 20.0, 0, 0.0).index(False) == 1
    assert judged({"200": 9}, 20.0, 1, 0.0).index(False) == 4
    assert judged({"200": 9}, 20.0, 0, 2e-4).index(False) == 5
    assert judged({"200": 9}, 19.9, 0, 0.0).index(False) == 6


def test_a_summary() -> None:
    responses = Responses(elapsed=2.0, seconds=[0.1] * 98 + [0.2, 0.3])
    responses.statuses.update({200: 100, 429: 1})
    assert summarize(responses) == {
        "requests_per_second": 50.0,
        "latency_ms": {"p50": 100.0, "p95": 100.0, "p99": 201.0},
        "statuses": {"200": 100, "429": 1},
    }
    assert summarize(Responses(elapsed=1.0))["requests_per_second"] == 0


def test_texts_are_sentences(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    doc = nlp("Rain fell . Ann left .")
    for token in doc:
        token.is_sent_start = token.i in (0, 3)
    DocBin(["SENT_START", "ORTH"], docs=[doc]).to_disk(tmp_path / "test.spacy")
    assert read_texts(tmp_path / "test.spacy") == ["Rain fell .", "Ann left ."]
    assert len(read_texts(ROOT / "docs" / "examples.txt")) == 10


def test_the_service_runs_with_and_without_batches(
    ruler: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def measure(command: Sequence[str], texts: list[str], options: LoadOptions) -> Responses:
        commands.append(list(command))
        responses = Responses(elapsed=1.0, seconds=[0.1] * (40 if len(commands) == 1 else 10))
        responses.statuses[200] = len(responses.seconds)
        return responses

    monkeypatch.setattr(load_test, "measure", measure)
    options = LoadOptions(
        pipeline=str(ruler), texts=ROOT / "docs" / "examples.txt", clients=4, seconds=1.0
    )
    record = run_load_test(["serve"], options, tmp_path / "serve.json")
    assert commands == [
        ["serve", str(ruler), "--gpu-id", "-1"],
        ["serve", str(ruler), "--gpu-id", "-1", "--max-batch", "1"],
    ]
    assert read_json(tmp_path / "serve.json") == record
    assert all(target["met"] for target in record["bars"])
    assert record["texts"] == {"from": "examples.txt", "count": 10}
    published = read_json(ROOT / "docs" / "results" / "serve.json")
    assert list(record) == list(published)
    assert [one["what"] for one in record["bars"]] == [one["what"] for one in published["bars"]]


@pytest.mark.slow
def test_the_load_test_with_processes(
    ruler: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_test, "RATIO", 1000.0)
    options = LoadOptions(
        pipeline=str(ruler), texts=ROOT / "docs" / "examples.txt", clients=64, seconds=1.0
    )
    command = [sys.executable, "-m", "scripts.serve"]
    record = run_load_test(command, options, tmp_path / "serve.json")
    assert [target["met"] for target in record["bars"]] == [True] * 6 + [False]
    assert set(record["runs"]) == set(MODES)
