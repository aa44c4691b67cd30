"""Measure how fast pipelines are, beside what else there is, and say if a bar is missed."""

import itertools
from datetime import date
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from scripts import cli
from scripts.encoder import resolve
from scripts.errors import InputError
from scripts.files import replacing, write_json
from scripts.machine import describe_machine, resident_memory_mb
from scripts.pipeline import load_pipeline
from scripts.progress import track
from scripts.speed import systems, training
from scripts.speed.page import plot_speed, render
from scripts.speed.texts import count_words, read_texts, stream, take_words
from scripts.speed.worker import Timing, Worker

BARS = (  # system, what it is compared with, and the least ratio, on documents
    ("ours", "loop", 0.9),
    ("ours", "stock", 1.65),
    ("ours", "hf-pipeline-32", 2.6),
    ("ours-int8", "loop", 1.6),
)
SLOWEST_EPOCH = 1.15  # ours, as a multiple of the plain loop's
MEMORY_GROWTH = 1.1  # while a stream is read, after its first tenth
LENGTHS = (1_000, 3_000, 10_000, 30_000, 100_000)  # words of a single document
WARM = 50  # this share of an epoch is trained before time is taken
SAMPLES = 20  # of memory, over a stream


def measure_inference(
    settings: systems.Settings, texts: dict[str, list[str]], rounds: int
) -> list[dict[str, Any]]:
    """Let all systems take turns on texts of each kind.

    settings (Settings): What they are made from.
    texts (dict[str, list[str]]): The texts of each kind.
    rounds (int): How often each has a turn.
    RETURNS (list[dict[str, Any]]): For each system and kind of texts: words_per_second
        (the median), the range of it, ratio_to_loop and peak_mb.
    """
    workers = [Worker(name, load, settings) for name, load in systems.SYSTEMS.items()]
    rows = []
    for kind, given in texts.items():
        words = count_words(given)
        for worker in workers:
            worker.run(given[: len(given) // 10 + 1])  # warm
        turns = list(itertools.product(range(rounds), workers))
        timings: dict[str, list[Timing]] = {worker.name: [] for worker in workers}
        for _, worker in track(turns, kind, total=len(turns)):
            timings[worker.name].append(worker.run(given))
        speeds = {name: [words / t.seconds for t in found] for name, found in timings.items()}
        rows += [
            {
                "system": name,
                "texts": kind,
                "words_per_second": round(median(found)),
                "range": [round(min(found)), round(max(found))],
                "ratio_to_loop": round(median(found) / median(speeds["loop"]), 3),
                "peak_mb": timings[name][-1].peak_mb,
            }
            for name, found in speeds.items()
        ]
    for worker in workers:
        worker.stop()
    return rows


def measure_training(data: Path, rounds: int) -> list[dict[str, Any]]:
    """Let ours and the plain loop train for an epoch, in turns.

    data (Path): The folder of the converted corpus.
    rounds (int): How many turns each takes for its epoch.
    RETURNS (list[dict[str, Any]]): For each: words_per_second, seconds_per_epoch and
        ratio_to_loop (of the seconds).
    """
    words = training.count_words(data)
    workers = [
        Worker(name, load, training.Settings(data=str(data), half=half))
        for name, (load, half) in training.SYSTEMS.items()
    ]
    for worker in workers:
        worker.run(words // WARM)
    done: dict[str, list[Timing]] = {worker.name: [] for worker in workers}
    turns = list(itertools.product(range(rounds), workers))
    for _, worker in track(turns, "training", total=len(turns)):
        done[worker.name].append(worker.run(words // rounds))
    for worker in workers:
        worker.stop()
    speeds = {
        name: sum(t.done for t in found) / sum(t.seconds for t in found)
        for name, found in done.items()
    }
    return [
        {
            "system": name,
            "words_per_second": round(speed),
            "seconds_per_epoch": round(words / speed),
            "ratio_to_loop": round(speeds["loop"] / speed, 3),
            "peak_mb": done[name][-1].peak_mb,
        }
        for name, speed in speeds.items()
    ]


def measure_growth(settings: systems.Settings, texts: list[str]) -> list[dict[str, Any]]:
    """How time and memory grow with the length of a single document.

    RETURNS (list[dict[str, Any]]): words, seconds and peak_mb for each length.
    """
    rows = []
    for length in track(LENGTHS, "long documents", total=len(LENGTHS)):
        document = " ".join(take_words(stream(texts, length), length))
        worker = Worker("ours", systems.ours, settings)
        worker.run([texts[0]])  # warm
        timing = worker.run([document])
        worker.stop()
        rows.append(
            {
                "words": count_words([document]),
                "seconds": round(timing.seconds, 2),
                "peak_mb": timing.peak_mb,
            }
        )
    return rows


def measure_stream(pipeline: Path, texts: list[str], words: int) -> list[dict[str, Any]]:
    """How memory grows while `nlp.pipe` reads a stream and no document is kept.

    RETURNS (list[dict[str, Any]]): Words so far and resident_mb, at `SAMPLES` points.
    """
    nlp = load_pipeline(pipeline)
    rows: list[dict[str, Any]] = []
    seen = 0
    docs = nlp.pipe(stream(texts, words))
    for doc in track(docs, "a stream", total=None):
        seen += len(doc.text.split())
        if seen * SAMPLES >= words * (len(rows) + 1):
            rows.append({"words": seen, "resident_mb": round(resident_memory_mb())})
    return rows


def judge(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Compare what was measured with the bars.

    record (dict[str, Any]): The contents of the JSON file.
    RETURNS (list[dict[str, Any]]): For each bar: what, found, bar, and met.
    """
    speed = {
        r["system"]: r["words_per_second"] for r in record["rows"] if r["texts"] == "documents"
    }
    bars = []
    for system, other, least in BARS:
        ratio = speed[system] / speed[other]
        bars.append(_bar(f"{system} / {other}, words a second", ratio, least, ratio >= least))
    for row in record["training"]:
        if row["system"] == "ours":
            ratio = row["ratio_to_loop"]
            what = "an epoch of training, ours / loop"
            bars.append(_bar(what, ratio, SLOWEST_EPOCH, ratio <= SLOWEST_EPOCH))
    if memory := [row["resident_mb"] for row in record["stream"]]:
        start = memory[SAMPLES // 10 - 1]
        ratio = max(memory) / start
        what = "memory over a stream, largest / after its first tenth"
        bars.append(_bar(what, ratio, MEMORY_GROWTH, ratio <= MEMORY_GROWTH))
    return bars


def _bar(what: str, found: float, bar: float, met: bool) -> dict[str, Any]:
    return {"what": what, "found": round(found, 3), "bar": bar, "met": met}


def main(
    pipeline: Annotated[Path, typer.Argument(help="The finished pipeline.")],
    int8: Annotated[Path, typer.Argument(help="What scripts.optimize made of it.")],
    corpus: Annotated[Path, typer.Option(help="Folder of converted corpora.")] = Path("corpus"),
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("metrics/speed.json"),
    page: Annotated[Path, typer.Option(help="The page to write.")] = Path("docs/speed.md"),
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each system.")] = 5,
    stream_words: Annotated[int, typer.Option(help="Words of the stream; 0 for none.")] = 1_000_000,
) -> None:
    """Measure how fast pipelines are, on a CPU, and exit with 1 if a bar is missed."""
    for path in (pipeline / "meta.json", int8 / "meta.json"):
        if not path.exists():
            raise InputError(f"{path}: not found. Run the steps before this one first.")
    texts = read_texts(corpus)
    encoder = resolve("pip", gpu=False)
    settings = systems.Settings(str(pipeline), str(int8), str(encoder.path))
    record: dict[str, Any] = {
        "machine": describe_machine(-1),
        "date": date.today().isoformat(),
        "encoder": encoder.name,
        "words": {kind: count_words(given) for kind, given in texts.items()},
        "rows": measure_inference(settings, texts, rounds),
        "training": measure_training(corpus / "conll2003", rounds),
        "growth": measure_growth(settings, texts["documents"]),
        "stream": measure_stream(pipeline, texts["documents"], stream_words),
    }
    record["bars"] = judge(record)
    write_json(output, record)
    with replacing(page) as partial:
        partial.write_text(render(record), encoding="utf-8")
    with replacing(page.with_suffix(".svg")) as partial:
        partial.write_text(plot_speed(record["rows"]), encoding="utf-8")
    print(page)
    if missed := [bar for bar in record["bars"] if not bar["met"]]:
        lines = "; ".join(f"{bar['what']}: {bar['found']}, bar {bar['bar']}" for bar in missed)
        raise InputError(f"missed: {lines}")


if __name__ == "__main__":
    cli.run(main)
