"""Speed and memory of predictions."""

from pathlib import Path

import pytest

from bert_ner.benchmark import inference
from bert_ner.benchmark.inference import SAMPLES, measure_inference, measure_lengths, measure_stream
from bert_ner.benchmark.systems import FOR_CPU, SYSTEMS, InferenceSettings


def load_pieces(_: InferenceSettings) -> object:
    return lambda texts: 2 * sum(len(text.split()) for text in texts)


@pytest.mark.usefixtures("inline_workers")
def test_systems_take_turns_on_each_kind(encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "SYSTEMS", dict.fromkeys(SYSTEMS, load_pieces))
    monkeypatch.setattr(inference, "count_matrix_weights", lambda _: 250_000_000)
    settings = InferenceSettings("", "", str(encoder))
    rows = measure_inference(settings, {"queries": ["a b"], "documents": ["a b c d"]}, 3)
    assert [(row["texts"], row["system"]) for row in rows] == [
        (kind, name) for kind in ("queries", "documents") for name in SYSTEMS
    ]
    # 2 words and 4 word pieces in 50 ms
    assert rows[0]["words_per_second"] == 40
    assert rows[0]["ratio_to_loop"] == 1.0
    assert rows[0]["gflops"] == 40.0  # 4 pieces / 50 ms * 2 * 0.25e9
    on_gpu = InferenceSettings("", "", str(encoder), gpu=0)
    rows = measure_inference(on_gpu, {"queries": ["a b"]}, 1)
    assert {row["system"] for row in rows} == set(SYSTEMS) - FOR_CPU


@pytest.mark.usefixtures("inline_workers")
def test_long_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "LENGTHS", (4, 10))
    monkeypatch.setattr(inference, "ours", load_pieces)
    rows = measure_lengths(InferenceSettings("", "", ""), ["a b c"])
    assert [row["words"] for row in rows] == [6, 12]
    assert [row["seconds"] for row in rows] == [0.13, 0.25]


def test_a_stream(settings: InferenceSettings) -> None:
    rows = measure_stream(Path(settings.pipeline), ["Anna lives in Oslo .", "Rain ."], 200, -1)
    assert len(rows) == SAMPLES
    assert [row["words"] for row in rows] == sorted(row["words"] for row in rows)
    assert rows[-1]["words"] >= 200
    assert all(row["resident_mb"] > 10 for row in rows)
    assert "gpu_mb" not in rows[0]
