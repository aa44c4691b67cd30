"""The arithmetic of an encoder, and the rate of the device."""

from pathlib import Path

import pytest
import torch

from bert_ner.benchmark.rate import count_matrix_weights, measure_matrix_rate
from bert_ner.files import read_json


def test_only_linear_layers_are_counted(encoder: Path) -> None:
    config = read_json(encoder / "config.json")
    width, inner = config["hidden_size"], config["intermediate_size"]
    layer = 4 * width * width + 2 * width * inner
    assert count_matrix_weights(str(encoder)) == config["num_hidden_layers"] * layer


def test_the_fastest_product_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(n * n / 2 for n in range(1000))  # each product takes longer than the last
    monkeypatch.setattr("bert_ner.benchmark.rate.time.perf_counter", lambda: next(clock))
    monkeypatch.setattr("bert_ner.benchmark.rate.SIZES", {"cpu": (8, torch.float32)})
    assert measure_matrix_rate(-1) == 2 * 8**3 / 0.5 / 1e9
