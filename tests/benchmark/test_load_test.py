"""Clients that drive the service, and what is said of what they saw."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language

from bert_ner.annotation.annotator import annotate
from bert_ner.benchmark.clients import Seen, drive, service
from bert_ner.benchmark.load_test import MODES, differences, judge, main, read_texts, summarise
from bert_ner.benchmark.texts import read_sentences
from bert_ner.errors import InputError
from bert_ner.files import read_json
from tests.serving.conftest import Finder, Serve


def test_clients_send_one_text_at_a_time_until_the_time_is_over(
    serve: Serve, nlp: Language, finder: Finder
) -> None:
    client = serve()
    texts = [f"Ann left Oslo {i} 😀" for i in range(10)]
    seen = asyncio.run(drive(client.base_url.port or 0, texts, clients=4, seconds=0.5))
    assert set(seen.statuses) == {200}
    assert seen.statuses[200] == len(seen.seconds) == len(finder.read) > 10
    assert seen.elapsed >= 0.5
    assert max(finder.batches) <= 4
    offline = dict(zip(texts, annotate(nlp, texts), strict=True))
    assert {t: [json.loads(b) for b in bodies] for t, bodies in seen.bodies.items()} == {
        text: [annotation] for text, annotation in offline.items()
    }


def test_a_line_that_breaks_is_an_error(serve: Serve) -> None:
    client = serve()
    port = client.base_url.port or 0
    client.app.state.batcher.refuse()
    seen = asyncio.run(drive(port, ["x"], clients=1, seconds=0.1))
    assert set(seen.statuses) == {503}
    seen = asyncio.run(drive(1, ["x"], clients=2, seconds=0.1))
    assert seen.statuses == {0: 2}


def answer(label: str, score: float) -> dict[str, Any]:
    return {"spans": [{"start": 0, "end": 1, "label": label, "score": score}]}


def test_differences_from_offline() -> None:
    seen = Seen()
    seen.bodies["same"] = {json.dumps(answer("LOC", s)).encode() for s in (0.5, 0.5001)}
    seen.bodies["other"] = {json.dumps(answer(n, 0.5)).encode() for n in ("PER", "LOC", "ORG")}
    offline = {text: answer("LOC", 0.5) for text in ("same", "other", "unseen")}
    others, furthest = differences(seen, offline)
    assert others == 1
    assert furthest == pytest.approx(1e-4)


def judged(fast: dict[str, int], per_second: float, others: int, furthest: float) -> list[bool]:
    runs = {
        name: {"statuses": statuses, "requests_per_second": speed}
        for name, statuses, speed in zip(MODES, (fast, {"200": 9}), (per_second, 10), strict=True)
    }
    return [bar["met"] for bar in judge(runs, others, furthest)]


def test_every_bar_can_be_missed() -> None:
    assert judged({"200": 90, "429": 10}, 20.0, 0, 1e-4) == [True] * 7
    assert judged({"200": 89, "429": 11}, 20.0, 0, 0.0).index(False) == 0
    assert judged({"200": 99, "500": 1}, 20.0, 0, 0.0).index(False) == 1
    assert judged({"200": 99, "0": 1}, 20.0, 0, 0.0).index(False) == 1
    assert judged({"200": 9}, 20.0, 1, 0.0).index(False) == 4
    assert judged({"200": 9}, 20.0, 0, 2e-4).index(False) == 5
    assert judged({"200": 9}, 19.9, 0, 0.0).index(False) == 6


def test_a_summary() -> None:
    seen = Seen(elapsed=2.0, seconds=[0.1] * 98 + [0.2, 0.3])
    seen.statuses.update({200: 100, 429: 1})
    assert summarise(seen) == {
        "requests_per_second": 50.0,
        "latency_ms": {"p50": 100.0, "p95": 100.0, "p99": 201.0},
        "statuses": {"200": 100, "429": 1},
    }
    assert summarise(Seen(elapsed=1.0))["requests_per_second"] == 0


def test_the_whole_with_real_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "LOC", "pattern": "Oslo"}])
    nlp.to_disk(tmp_path / "pipeline")
    monkeypatch.setattr("bert_ner.benchmark.load_test.RATIO", 1000.0)
    output = tmp_path / "serve.json"
    with pytest.raises(InputError, match="missed: requests a second"):
        main(str(tmp_path / "pipeline"), clients=4, seconds=1.0, output=output)
    record = read_json(output)
    assert [bar["met"] for bar in record["bars"]] == [True] * 6 + [False]
    assert set(record["runs"]) == set(MODES)
    assert record["texts"] == {"from": "examples.txt", "count": 10}


def test_a_service_that_does_not_start() -> None:
    with (
        pytest.raises(InputError, match=r"did not start: -m scripts\.serve nowhere"),
        service("nowhere"),
    ):
        pass


def test_texts_are_sentences(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    doc = nlp("Rain fell . Ann left .")
    for token in doc:
        token.is_sent_start = token.i in (0, 3)
    spacy.tokens.DocBin([*("SENT_START", "ORTH")], docs=[doc]).to_disk(tmp_path / "test.spacy")
    assert read_sentences(tmp_path / "test.spacy") == ["Rain fell .", "Ann left ."]
    assert read_texts(tmp_path / "test.spacy") == ["Rain fell .", "Ann left ."]
