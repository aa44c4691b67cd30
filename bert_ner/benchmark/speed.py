"""Measure how fast pipelines are, beside what else there is, and say if a bar is missed."""

import itertools
import json
from datetime import date
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from ..devices import choose_gpu, describe_machine, reserved_memory_mb, resident_memory_mb
from ..errors import InputError
from ..files import read_json, replacing, sha256, write_json
from ..progress import track
from ..training.encoders import Encoder, resolve
from ..cli import EncoderOption
from . import systems, training
from .page import plot_speed, render
from .rate import count_matrix_weights, load_matrix_rate
from .targets import GOAL, first_tenth, judge
from .texts import MORE_ON_GPU, READ, count_words, read_texts, stream, take_words
from .worker import Timing, Worker

LENGTHS = (1_000, 3_000, 10_000, 30_000, 100_000)  # words of a single document
TIMES = 3  # that one is read
WARM = 50  # this share of an epoch is trained before time is taken
SAMPLES = 20  # of memory, over a stream


def find_matrix_rate(gpu: int) -> int:
    """The rate of `measure_matrix_rate`, found in a process of its own.

    Where PyTorch has multiplied before a pipeline is loaded, its cache keeps what it has
    made for every shape: see bert_ner/pipes/encoder.py.
    """
    worker = Worker("matrices", load_matrix_rate, gpu, gpu)
    rate = worker.run(None).done
    worker.stop()
    return rate


def measure_inference(
    settings: systems.Settings, texts: dict[str, list[str]], rounds: int
) -> list[dict[str, Any]]:
    """Let all systems take turns on texts of each kind.

    settings (Settings): What they are made from.
    texts (dict[str, list[str]]): The texts of each kind.
    rounds (int): How often each has a turn.
    RETURNS (list[dict[str, Any]]): For each system and kind of texts: words_per_second
        (the median), the range of it, ratio_to_loop, gflops (what the encoder's matrices
        take for the texts' word pieces, in billions a second) and peak_mb.
    """
    workers = [
        Worker(name, load, settings, settings.gpu)
        for name, load in systems.SYSTEMS.items()
        if settings.gpu < 0 or name not in systems.FOR_CPU
    ]
    weights = count_matrix_weights(settings.encoder)
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
        work = 2 * weights * timings["loop"][-1].done / words / 1e9  # of a word
        rows += [
            {
                "system": name,
                "texts": kind,
                "words_per_second": round(median(found)),
                "range": [round(min(found)), round(max(found))],
                "ratio_to_loop": round(median(found) / median(speeds["loop"]), 3),
                "gflops": round(median(found) * work, 1),
                "peak_mb": timings[name][-1].peak_mb,
            }
            for name, found in speeds.items()
        ]
    for worker in workers:
        worker.stop()
    return rows


def measure_training(data: Path, encoder: str, rounds: int, gpu: int) -> list[dict[str, Any]]:
    """Let ours and the plain loop train for an epoch, in turns.

    data (Path): The folder of the converted corpus.
    encoder (str): The encoder to fine-tune, as `resolve` takes it.
    gpu (int): The GPU's number, -1 for the CPU.
    rounds (int): How many turns each takes for its epoch.
    RETURNS (list[dict[str, Any]]): For each: words_per_second, seconds_per_epoch and
        ratio_to_loop (of the seconds).
    """
    words = training.count_words(data)
    workers = [
        Worker(name, load, training.Settings(str(data), encoder, half=half, gpu=gpu), gpu)
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

    RETURNS (list[dict[str, Any]]): words, seconds (the median of `TIMES`) and peak_mb for
        each length.
    """
    rows = []
    for length in track(LENGTHS, "long documents", total=len(LENGTHS)):
        document = " ".join(take_words(stream(texts, length), length))
        worker = Worker("ours", systems.ours, settings, settings.gpu)
        worker.run([document])  # warm
        timings = [worker.run([document]) for _ in range(TIMES)]
        worker.stop()
        rows.append(
            {
                "words": count_words([document]),
                "seconds": round(median(t.seconds for t in timings), 4),
                "peak_mb": timings[-1].peak_mb,
            }
        )
    return rows


def measure_stream(pipeline: Path, texts: list[str], words: int, gpu: int) -> list[dict[str, Any]]:
    """How memory grows while `nlp.pipe` reads a stream and no document is kept.

    RETURNS (list[dict[str, Any]]): Words so far and resident_mb, on a GPU gpu_mb, too, at
        `SAMPLES` points.
    """
    nlp = systems.load_ours(str(pipeline), gpu)
    rows: list[dict[str, Any]] = []
    seen = 0
    docs = nlp.pipe(stream(texts, words))
    for doc in track(docs, "a stream", total=None):
        seen += len(doc.text.split())
        if seen * SAMPLES >= words * (len(rows) + 1):
            there = {"gpu_mb": round(reserved_memory_mb(gpu))} if gpu >= 0 else {}
            rows.append({"words": seen, "resident_mb": round(resident_memory_mb()), **there})
    return rows


def describe_training(pipeline: Path) -> dict[str, Any] | None:
    """How long the training of a pipeline took.

    pipeline (Path): Its folder, beside which its training has left its log.
    RETURNS (dict[str, Any] | None): machine, epochs, seconds, and seconds_to_goal, None
        if F1 on dev did not reach `GOAL` or there is no log; None if it does not say.
    """
    said = read_json(pipeline / "meta.json").get("training")
    if not said:
        return None
    log = pipeline.parent / "log.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    reached = (row["seconds"] for row in map(json.loads, lines) if row["dev"]["ents_f"] >= GOAL)
    kept = {key: said[key] for key in ("machine", "epochs", "seconds")}
    return {**kept, "seconds_to_goal": next(reached, None)}


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


def write_page(record: dict[str, Any], page: Path) -> None:
    """Write the page of a record, and the plot beside it."""
    plot = page.with_suffix(".svg")
    more = {"tenth": first_tenth(record["stream"]), "plot": plot.name, "goal": GOAL}
    with replacing(page) as partial:
        partial.write_text(render({**record, **more}), "utf-8")
    with replacing(plot) as partial:
        partial.write_text(plot_speed(record["rows"]), encoding="utf-8")


def main(
    pipeline: Annotated[Path, typer.Argument(help="The finished pipeline.")],
    int8: Annotated[
        Path | None,
        typer.Argument(help="What bert_ner.packaging.quantize made of it; none on a GPU."),
    ] = None,
    corpus: Annotated[Path, typer.Option(help="Folder of converted corpora.")] = Path("corpus"),
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("metrics/speed.json"),
    page: Annotated[Path, typer.Option(help="The page to write.")] = Path("docs/speed.md"),
    encoder: EncoderOption = "pip",
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each system.")] = 5,
    stream_words: Annotated[int, typer.Option(help="Words of the stream; 0 for none.")] = 1_000_000,
    gpu_id: Annotated[str, typer.Option(help='"auto", a GPU\'s number, or -1.')] = "-1",
) -> None:
    """Measure how fast pipelines are, and exit with 1 if a bar is missed."""
    gpu = choose_gpu(gpu_id)
    if gpu < 0 and int8 is None:
        raise InputError(
            "name what bert_ner.packaging.quantize made of the pipeline, or a GPU with --gpu-id."
        )
    if gpu >= 0 and int8 is not None:
        raise InputError(f"{int8}: is for a CPU. Leave it out with --gpu-id.")
    for path in (pipeline / "meta.json", *([int8 / "optimize.json"] if int8 else [])):
        if not path.exists():
            raise InputError(f"{path}: not found. Run the steps before this one first.")
    chosen = resolve(encoder, gpu=gpu >= 0)
    require_encoder(pipeline, chosen)
    texts = read_texts(corpus, MORE_ON_GPU if gpu >= 0 else 1)
    settings = systems.Settings(str(pipeline), str(int8 or ""), str(chosen.path), gpu=gpu)
    record: dict[str, Any] = {
        "machine": describe_machine(gpu),
        "gpu": gpu >= 0,
        "date": date.today().isoformat(),
        "encoder": chosen.name,
        "corpora": [read_json(corpus / name / "source.json")["title"] for name in READ],
        "words": {kind: count_words(given) for kind, given in texts.items()},
        "matrix_gflops": find_matrix_rate(gpu),
        "rows": measure_inference(settings, texts, rounds),
        "int8": read_json(int8 / "optimize.json") if int8 else None,
        "trained": describe_training(pipeline),
        "training": measure_training(corpus / "conll2003", encoder, rounds, gpu),
        "growth": measure_growth(settings, texts["documents"]),
        "stream": measure_stream(pipeline, texts["documents"], stream_words, gpu),
    }
    # a machine that is shared is slower at times, and the rate is the best it reaches
    record["matrix_gflops"] = max(record["matrix_gflops"], find_matrix_rate(gpu))
    record["bars"] = judge(record)
    write_json(output, record)
    write_page(record, page)
    print(page)
    if missed := [bar for bar in record["bars"] if not bar["met"]]:
        lines = "; ".join(f"{bar['what']}: {bar['found']}, bar {bar['bar']}" for bar in missed)
        raise InputError(f"missed: {lines}")
