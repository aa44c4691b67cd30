"""The benchmark: speed and memory of our pipelines and of other systems."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..devices import choose_gpu, describe_machine
from ..errors import InputError
from ..files import read_json, require, sha256, write_json
from ..training.encoders import Encoder, resolve
from .epochs import measure_training, read_training_time
from .inference import measure_inference, measure_lengths, measure_stream
from .rate import find_matrix_rate
from .records import SpeedRecord
from .speed_page import write_page
from .systems import InferenceSettings
from .targets import judge
from .texts import CORPORA, GPU_FACTOR, count_words, read_texts

INT8_RECORD = "optimize.json"  # in the folder of an int8 variant


@dataclass(frozen=True, kw_only=True)
class SpeedOptions:
    """Options of the benchmark.

    pipeline (Path): Folder of the calibrated pipeline.
    int8 (Path | None): Folder of its int8 variant, None on a GPU.
    corpus (Path): Folder of the converted corpora.
    encoder (str): The encoder of the other systems, an argument for `resolve`.
    rounds (int): Number of turns per system.
    stream_words (int): Length of the stream in words, 0 for none.
    gpu_id (str): "auto", a GPU's number, or -1 for the CPU.
    """

    pipeline: Path
    int8: Path | None = None
    corpus: Path = Path("corpus")
    encoder: str = "pip"
    rounds: int = 5
    stream_words: int = 1_000_000
    gpu_id: str = "-1"


def run_benchmark(options: SpeedOptions, output: Path, page: Path) -> SpeedRecord:
    """Measure, compare with the targets, and write the record, its page and its plot.

    options (SpeedOptions): The options.
    output (Path): JSON file to write.
    page (Path): Markdown file to write. The plot is an SVG file next to it.
    RETURNS (SpeedRecord): The record.
    RAISES (InputError): If an input is missing or does not suit the device or the encoder.
    """
    gpu = choose_gpu(options.gpu_id)
    _check(options, gpu)
    encoder = resolve(options.encoder, gpu=gpu >= 0)
    require_encoder(options.pipeline, encoder)
    record = measure(options, encoder, gpu)
    write_json(output, record)
    write_page(record, page)
    return record


def _check(options: SpeedOptions, gpu: int) -> None:
    if gpu < 0 and options.int8 is None:
        raise InputError(
            "name the int8 variant of the pipeline (from scripts.quantize), or a GPU with --gpu-id."
        )
    if gpu >= 0 and options.int8 is not None:
        raise InputError(f"{options.int8}: runs on a CPU only. Leave it out with --gpu-id.")
    require(options.pipeline / "meta.json")
    if options.int8:
        require(options.int8 / INT8_RECORD)


def measure(options: SpeedOptions, encoder: Encoder, gpu: int) -> SpeedRecord:
    """Measure speed and memory.

    options (SpeedOptions): The options.
    encoder (Encoder): The encoder of all systems.
    gpu (int): Number of the GPU, -1 for the CPU.
    RETURNS (SpeedRecord): The measurements and the targets.
    """
    pipeline, corpus = options.pipeline, options.corpus
    texts = read_texts(corpus, GPU_FACTOR if gpu >= 0 else 1)
    settings = InferenceSettings(str(pipeline), str(options.int8 or ""), str(encoder.path), gpu=gpu)
    record: SpeedRecord = {
        "machine": describe_machine(gpu),
        "gpu": gpu >= 0,
        "date": date.today().isoformat(),
        "encoder": encoder.name,
        "corpora": [read_json(corpus / name / "source.json")["title"] for name in CORPORA],
        "words": {kind: count_words(items) for kind, items in texts.items()},
        "matrix_gflops": find_matrix_rate(gpu),
        "rows": measure_inference(settings, texts, options.rounds),
        "int8": read_json(options.int8 / INT8_RECORD) if options.int8 else None,
        "trained": read_training_time(pipeline),
        "training": measure_training(corpus / "conll2003", options.encoder, options.rounds, gpu),
        "growth": measure_lengths(settings, texts["documents"]),
        "stream": measure_stream(pipeline, texts["documents"], options.stream_words, gpu),
        "bars": [],
    }
    # a shared machine is slower at times, so the best of two rates is kept
    record["matrix_gflops"] = max(record["matrix_gflops"], find_matrix_rate(gpu))
    record["bars"] = judge(record)
    return record


def require_encoder(pipeline: Path, encoder: Encoder) -> None:
    """Check that the other systems get the encoder that a pipeline was fine-tuned from.

    pipeline (Path): The pipeline's folder.
    encoder (Encoder): The encoder of the other systems.
    RAISES (InputError): If the pipeline was fine-tuned from another one.
    """
    training = read_json(pipeline / "meta.json").get("training")
    if training and training["encoder_sha256"] != sha256(encoder.path / "model.safetensors"):
        raise InputError(
            f"{pipeline}: was fine-tuned from {training['encoder']}, but the other systems would "
            f"use {encoder.name}. Name the same encoder with --encoder."
        )
