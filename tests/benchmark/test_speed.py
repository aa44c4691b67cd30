"""The benchmark as a whole, on the tiny encoder."""

from pathlib import Path

import pytest

from bert_ner.benchmark import epochs, inference
from bert_ner.benchmark.inference import SAMPLES
from bert_ner.benchmark.records import SpeedRecord
from bert_ner.benchmark.speed import SpeedOptions, require_encoder, run_benchmark
from bert_ner.benchmark.systems import InferenceSettings
from bert_ner.errors import InputError
from bert_ner.files import read_json, sha256, write_json
from bert_ner.training.encoders import Encoder

SYSTEMS = ("ours", "loop")  # each system has a test in its module


@pytest.fixture
def options(
    settings: InferenceSettings, corpus: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> SpeedOptions:
    """Options of a small benchmark with two systems."""
    monkeypatch.setattr(inference, "LENGTHS", (10, 40))
    for module in (inference, epochs):
        some = {name: module.SYSTEMS[name] for name in SYSTEMS}
        monkeypatch.setattr(module, "SYSTEMS", some)
    monkeypatch.setattr("bert_ner.benchmark.targets.ON_CPU", (("ours", "loop", 1e9),))
    monkeypatch.setattr("bert_ner.benchmark.rate.TURNS", 2)
    return SpeedOptions(
        pipeline=Path(settings.pipeline),
        int8=Path(settings.int8),
        corpus=corpus,
        encoder=str(encoder),
        rounds=1,
        stream_words=200,
    )


def check(record: SpeedRecord, output: Path, page: Path) -> None:
    assert read_json(output) == record
    assert {row["system"] for row in record["rows"]} == set(SYSTEMS)
    assert {row["texts"] for row in record["rows"]} == {"queries", "sentences", "documents"}
    assert all(row["peak_mb"] > 0 for row in record["rows"])
    assert record["matrix_gflops"] >= 0
    assert [row["words"] for row in record["growth"]][1] >= 40
    assert len(record["stream"]) == SAMPLES
    assert not record["bars"][0]["met"]
    text = page.read_text(encoding="utf-8")
    for name in SYSTEMS:
        assert f"| `{name}` |" in text
    assert "**missed**" in text
    assert page.with_suffix(".svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.usefixtures("inline_workers")
def test_the_benchmark_writes_record_and_page(options: SpeedOptions, tmp_path: Path) -> None:
    output, page = tmp_path / "metrics" / "speed.json", tmp_path / "docs" / "speed.md"
    check(run_benchmark(options, output, page), output, page)


@pytest.mark.slow
def test_the_benchmark_with_processes(options: SpeedOptions, tmp_path: Path) -> None:
    output, page = tmp_path / "metrics" / "speed.json", tmp_path / "docs" / "speed.md"
    record = run_benchmark(options, output, page)
    check(record, output, page)
    assert all(row["gflops"] > 0 and row["words_per_second"] > 0 for row in record["rows"])
    assert record["matrix_gflops"] > 0


def test_the_int8_variant_is_required_on_a_cpu_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(int8: Path | None = None, gpu_id: str = "-1") -> None:
        options = SpeedOptions(pipeline=tmp_path, int8=int8, gpu_id=gpu_id)
        run_benchmark(options, tmp_path / "speed.json", tmp_path / "speed.md")

    with pytest.raises(InputError, match=r"name the int8 variant .* scripts\.quantize"):
        run()
    with pytest.raises(InputError, match=r"meta\.json: not found"):
        run(tmp_path / "int8")
    monkeypatch.setattr("bert_ner.benchmark.speed.choose_gpu", lambda _: 0)
    with pytest.raises(InputError, match="int8: runs on a CPU only"):
        run(tmp_path / "int8", gpu_id="0")
    with pytest.raises(InputError, match=r"meta\.json: not found"):
        run(gpu_id="0")


def test_the_other_systems_need_the_encoder_of_the_pipeline(encoder: Path, tmp_path: Path) -> None:
    tiny = Encoder(name="tiny", path=encoder, reason="")
    training = {"encoder": "large", "encoder_sha256": sha256(encoder / "model.safetensors")}
    write_json(tmp_path / "meta.json", {"training": training})
    require_encoder(tmp_path, tiny)
    write_json(tmp_path / "meta.json", {"training": {**training, "encoder_sha256": "another"}})
    message = "fine-tuned from large, but the other systems would use tiny"
    with pytest.raises(InputError, match=message):
        require_encoder(tmp_path, tiny)
