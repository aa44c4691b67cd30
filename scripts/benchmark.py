"""Measure how fast pipelines are, beside what else there is, and say if a bar is missed."""

import itertools
from datetime import date
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from scripts import cli
from scripts.encoder import Encoder, resolve
from scripts.errors import InputError
from scripts.files import read_json, replacing, sha256, write_json
from scripts.machine import describe_machine, resident_memory_mb
from scripts.pipeline import load_pipeline
from scripts.progress import track
from scripts.speed import systems, training
from scripts.speed.page import plot_speed, render
from scripts.speed.texts import READ, count_words, read_texts, stream, take_words
from scripts.speed.worker import Timing, Worker
from scripts.train import EncoderOption

BARS = (  # system, what it is compared with, and the least ratio, on documents
    ("ours", "loop", 0.9),
    ("ours", "stock", 1.65),
    ("ours", "hf-pipeline-32", 2.6),
    ("ours-int8", "loop", 1.6),
)
INT8_COST = 0.3  # points of F1
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


def measure_training(data: Path, encoder: str, rounds: int) -> list[dict[str, Any]]:
    """Let ours and the plain loop train for an epoch, in turns.

    data (Path): The folder of the converted corpus.
    encoder (str): The encoder to fine-tune, as `resolve` takes it.
    rounds (int): How many turns each takes for its epoch.
    RETURNS (list[dict[str, Any]]): For each: words_per_second, seconds_per_epoch and
        ratio_to_loop (of the seconds).
    """
    words = training.count_words(data)
    workers = [
        Worker(name, load, training.Settings(data=str(data), encoder=encoder, half=half))
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
                "seconds": round(timing.seconds, 4),
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
        what = f"{system} / {other}, words a second, documents"
        bars.append(_bar(what, ratio, least, ratio >= least))
    cost = 100 * (record["int8"]["f1"]["before"] - record["int8"]["f1"]["after"])
    bars.append(_bar("points of F1 that int8 costs", cost, INT8_COST, cost <= INT8_COST))
    for row in record["training"]:
        if row["system"] == "ours":
            ratio = row["ratio_to_loop"]
            what = "an epoch of training, ours / loop"
            bars.append(_bar(what, ratio, SLOWEST_EPOCH, ratio <= SLOWEST_EPOCH))
    if start := first_tenth(record["stream"]):
        ratio = max(row["resident_mb"] for row in record["stream"]) / start["resident_mb"]
        what = "memory over a stream, largest / after its first tenth"
        bars.append(_bar(what, ratio, MEMORY_GROWTH, ratio <= MEMORY_GROWTH))
    return bars


def first_tenth(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The row that stands at the end of a stream's first tenth; None without a stream."""
    return next((row for row in rows if row["words"] * 10 >= rows[-1]["words"]), None)


def require_encoder(pipeline: Path, encoder: Encoder) -> None:
    """Make sure that the others get the encoder that a pipeline was fine-tuned from.

    RAISES (InputError): If it was another one.
    """
    trained = read_json(pipeline / "meta.json").get("training")
    if trained and trained["encoder_sha256"] != sha256(encoder.path / "model.safetensors"):
        raise InputError(
            f"{pipeline}: was fine-tuned from {trained['encoder']}, and the others would have "
            f"{encoder.name}. Name the same one with --encoder."
        )


def _bar(what: str, found: float, bar: float, met: bool) -> dict[str, Any]:
    return {"what": what, "found": round(found, 3), "bar": bar, "met": met}


def write_page(record: dict[str, Any], page: Path) -> None:
    """Write the page of a record, and the plot beside it."""
    with replacing(page) as partial:
        partial.write_text(render({**record, "tenth": first_tenth(record["stream"])}), "utf-8")
    with replacing(page.with_suffix(".svg")) as partial:
        partial.write_text(plot_speed(record["rows"]), encoding="utf-8")


def main(
    pipeline: Annotated[Path, typer.Argument(help="The finished pipeline.")],
    int8: Annotated[Path, typer.Argument(help="What scripts.optimize made of it.")],
    corpus: Annotated[Path, typer.Option(help="Folder of converted corpora.")] = Path("corpus"),
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("metrics/speed.json"),
    page: Annotated[Path, typer.Option(help="The page to write.")] = Path("docs/speed.md"),
    encoder: EncoderOption = "pip",
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each system.")] = 5,
    stream_words: Annotated[int, typer.Option(help="Words of the stream; 0 for none.")] = 1_000_000,
) -> None:
    """Measure how fast pipelines are, on a CPU, and exit with 1 if a bar is missed."""
    for path in (pipeline / "meta.json", int8 / "optimize.json"):
        if not path.exists():
            raise InputError(f"{path}: not found. Run the steps before this one first.")
    chosen = resolve(encoder, gpu=False)
    require_encoder(pipeline, chosen)
    texts = read_texts(corpus)
    settings = systems.Settings(str(pipeline), str(int8), str(chosen.path))
    record: dict[str, Any] = {
        "machine": describe_machine(-1),
        "date": date.today().isoformat(),
        "encoder": chosen.name,
        "corpora": [read_json(corpus / name / "source.json")["title"] for name in READ],
        "words": {kind: count_words(given) for kind, given in texts.items()},
        "rows": measure_inference(settings, texts, rounds),
        "int8": read_json(int8 / "optimize.json"),
        "training": measure_training(corpus / "conll2003", encoder, rounds),
        "growth": measure_growth(settings, texts["documents"]),
        "stream": measure_stream(pipeline, texts["documents"], stream_words),
    }
    record["bars"] = judge(record)
    write_json(output, record)
    write_page(record, page)
    print(page)
    if missed := [bar for bar in record["bars"] if not bar["met"]]:
        lines = "; ".join(f"{bar['what']}: {bar['found']}, bar {bar['bar']}" for bar in missed)
        raise InputError(f"missed: {lines}")


if __name__ == "__main__":
    cli.run(main)
