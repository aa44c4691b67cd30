"""Speed and memory of predictions: systems in turns, long documents, a stream."""

from pathlib import Path
from statistics import median

from ..devices import reserved_memory_mb, resident_memory_mb
from ..progress import track
from .rate import count_matrix_weights
from .records import LengthRow, SpeedRow, StreamRow
from .systems import FOR_CPU, SYSTEMS, InferenceSettings, load_ours, ours
from .texts import count_words, stream, take_words
from .worker import Timing, Worker, stopping, take_turns

LENGTHS = (1_000, 3_000, 10_000, 30_000, 100_000)  # words of a single document
REPEATS = 3  # of each document
SAMPLES = 20  # of memory, over a stream


def measure_inference(
    settings: InferenceSettings, texts: dict[str, list[str]], rounds: int
) -> list[SpeedRow]:
    """Let all systems process texts of each kind in turns.

    settings (InferenceSettings): The models to compare.
    texts (dict[str, list[str]]): The texts by kind.
    rounds (int): Number of turns per system.
    RETURNS (list[SpeedRow]): A row for each system and kind.
    """
    workers: list[Worker[list[str]]] = [
        Worker(name, load, settings, settings.gpu)
        for name, load in SYSTEMS.items()
        if settings.gpu < 0 or name not in FOR_CPU
    ]
    weights = count_matrix_weights(settings.encoder)
    rows = []
    with stopping(workers):
        for kind, items in texts.items():
            for worker in workers:
                worker.run(items[: len(items) // 10 + 1])  # warm up
            timings = take_turns(workers, items, rounds, kind)
            rows += _to_rows(kind, count_words(items), timings, weights)
    return rows


def _to_rows(
    kind: str, words: int, timings: dict[str, list[Timing]], weights: int
) -> list[SpeedRow]:
    speeds = {name: [words / one.seconds for one in runs] for name, runs in timings.items()}
    operations = 2 * weights * timings["loop"][-1].done / words / 1e9  # of a word
    return [
        {
            "system": name,
            "texts": kind,
            "words_per_second": round(median(values)),
            "range": [round(min(values)), round(max(values))],
            "ratio_to_loop": round(median(values) / median(speeds["loop"]), 3),
            "gflops": round(median(values) * operations, 1),
            "peak_mb": timings[name][-1].peak_mb,
        }
        for name, values in speeds.items()
    ]


def measure_lengths(settings: InferenceSettings, texts: list[str]) -> list[LengthRow]:
    """Measure how time and memory grow with the length of a single document.

    settings (InferenceSettings): The models; only ours is used.
    texts (list[str]): The texts that documents are made of.
    RETURNS (list[LengthRow]): A row for each length, with the median of `REPEATS` times.
    """
    rows: list[LengthRow] = []
    for length in track(LENGTHS, "long documents", total=len(LENGTHS)):
        document = " ".join(take_words(stream(texts, length), length))
        worker: Worker[list[str]] = Worker("ours", ours, settings, settings.gpu)
        with stopping([worker]):
            worker.run([document])  # warm up
            timings = [worker.run([document]) for _ in range(REPEATS)]
        rows.append(
            {
                "words": count_words([document]),
                "seconds": round(median(one.seconds for one in timings), 4),
                "peak_mb": timings[-1].peak_mb,
            }
        )
    return rows


def measure_stream(pipeline: Path, texts: list[str], words: int, gpu: int) -> list[StreamRow]:
    """Measure memory while `nlp.pipe` processes a stream and no document is kept.

    pipeline (Path): The pipeline's folder.
    texts (list[str]): The texts, which are repeated.
    words (int): Length of the stream.
    gpu (int): Number of the GPU, -1 for the CPU.
    RETURNS (list[StreamRow]): A row at each of `SAMPLES` points.
    """
    nlp = load_ours(str(pipeline), gpu)
    rows: list[StreamRow] = []
    seen = 0
    docs = nlp.pipe(stream(texts, words))
    for doc in track(docs, "a stream", total=None):
        seen += len(doc.text.split())
        if seen * SAMPLES >= words * (len(rows) + 1):
            row: StreamRow = {"words": seen, "resident_mb": round(resident_memory_mb())}
            if gpu >= 0:
                row["gpu_mb"] = round(reserved_memory_mb(gpu))
            rows.append(row)
    return rows
