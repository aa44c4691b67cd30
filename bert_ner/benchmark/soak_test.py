"""Measure `python -m scripts.annotate` at length: kills, memory, and workers of each engine."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet
import typer

from ..devices import describe_machine
from ..errors import InputError
from ..files import read_json, remove, replacing, sha256, write_json
from ..templates import markdown_template
from .texts import count_words, read_texts, stream

TENTHS = 8  # in which memory must have been seen, of ten
GROWTH = 1.1  # memory at most, after the first tenth
RUNS = (("local", 1), ("local", 2), ("ray", 1), ("ray", 2))
JITTER = 1.0  # seconds, in which a run is killed after a record that was drawn
PROJECTED = (4, 16, 64)  # workers


def measure(
    pipeline: Path, corpus: Path, folder: Path, *, words: int, kills: int, seed: int
) -> dict[str, Any]:
    """Annotate the same records in one go, killed, and with every engine.

    pipeline (Path): The pipeline.
    corpus (Path): The folder of converted corpora, for texts.
    folder (Path): Where inputs and outputs are written, and left.
    words (int): How many words to annotate. A fifth of them is timed with each engine.
    kills (int): How often a run is killed.
    seed (int): Decides when.
    RETURNS (dict[str, Any]): What was found, for a JSON file.
    RAISES (InputError): If a run fails.
    """
    texts = list(stream(read_texts(corpus)["documents"], words))
    fifth = texts[: max(1, len(texts) // 5)]
    given = folder / "records.jsonl"
    with given.open("w", encoding="utf-8") as file:
        for i, text in enumerate(texts):
            file.write(json.dumps({"id": i, "text": text}) + "\n")
    whole = _annotate(pipeline, given, folder / "whole.jsonl")
    killed_at = _annotate_killed(pipeline, given, folder / "killed.jsonl", kills, seed)
    return {
        "pipeline": pipeline.name,
        "machine": describe_machine(),
        "date": date.today().isoformat(),
        "records": len(texts),
        "words": count_words(texts),
        "seconds": round(whole["seconds"]),
        "killed_at": killed_at,
        "equal": sha256(folder / "whole.jsonl") == sha256(folder / "killed.jsonl"),
        "complete": _ids(folder / "killed.jsonl") == list(range(len(texts))),
        "memory_mb": whole["memory_mb"],
        "scaling": _scale(pipeline, fifth, folder),
        "ray_equal": _spans_of_ray(folder / "part-ray-2") == _spans(folder / "part-local-2"),
    }


def _annotate(pipeline: Path, given: Path, output: Path, *options: str) -> dict[str, Any]:
    """Run the command to its end, and watch how much memory it has in each tenth."""
    started = time.perf_counter()
    process = _begin(pipeline, given, output, *options)
    memory: dict[int, float] = {}
    total = _count_lines(given)
    while process.poll() is None:
        if (done := _records_done(output)) and (resident := _resident_mb(process.pid)):
            tenth = min(9, 10 * done // total)
            memory[tenth] = max(memory.get(tenth, 0), resident)
        time.sleep(0.2)
    if process.returncode:
        said = _log(output).read_text(encoding="utf-8").strip().splitlines()
        raise InputError(f"{given}: annotating it failed: {said[-1] if said else 'without a word'}")
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "memory_mb": [round(memory[tenth]) for tenth in sorted(memory)]}


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _begin(pipeline: Path, given: Path, output: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-W", "ignore", "-m", "scripts.annotate", str(given)]
    command += ["--pipeline", str(pipeline), "--output", str(output), *options]
    with _log(output).open("w", encoding="utf-8") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def _log(output: Path) -> Path:
    return output.with_name(f"{output.name}.log")


def _records_done(output: Path) -> int:
    journal = output.with_name(f"{output.name}.progress")
    try:
        return int(read_json(journal)["progress"]["records"])
    except OSError:
        return 0


def _resident_mb(process: int) -> float:
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="utf-8").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1024**2


def _annotate_killed(pipeline: Path, given: Path, output: Path, kills: int, seed: int) -> list[int]:
    """Kill a run so often in its first nine tenths, at random, and let it end.

    Returns how many records were done each time.
    """
    total = _count_lines(given)
    drawn = random.Random(seed)
    at = []
    for least in sorted(drawn.sample(range(1, max(kills + 1, total * 9 // 10)), kills)):
        process = _begin(pipeline, given, output)
        while process.poll() is None and _records_done(output) < least:
            time.sleep(0.05)
        time.sleep(JITTER * drawn.random())
        with suppress(ProcessLookupError):  # it had come to its end
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        at.append(_records_done(output))
    _annotate(pipeline, given, output)
    return at


def _ids(path: Path) -> list[int]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line)["id"] for line in file]


def _scale(pipeline: Path, texts: list[str], folder: Path) -> list[dict[str, Any]]:
    """Time each engine with one and two workers, loading included."""
    given = folder / "part.parquet"
    pa.parquet.write_table(pa.table({"id": range(len(texts)), "text": texts}), given)
    words = count_words(texts)
    rows = []
    for engine, workers in RUNS:
        output = folder / f"part-{engine}-{workers}"
        remove(output)
        options = ("--engine", engine, "--workers", str(workers))
        seconds = _annotate(pipeline, given, output, *options)["seconds"]
        speed = round(words / seconds)
        rows.append({"engine": engine, "workers": workers, "words_per_second": speed})
    return rows


def _spans(path: Path) -> dict[int, list[dict[str, Any]]]:
    """The entities of each record that the local engine has written."""
    with path.open(encoding="utf-8") as file:
        return {row["id"]: row["spans"] for row in map(json.loads, file)}


def _spans_of_ray(folder: Path) -> dict[int, list[dict[str, Any]]]:
    rows = pa.parquet.read_table(folder, columns=["id", "spans"]).to_pylist()
    return {
        row["id"]: [{k: v for k, v in span.items() if v is not None} for span in row["spans"]]
        for row in rows
    }


def project(scaling: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What more workers of Ray would do if each added what the second one did.

    scaling (list[dict[str, Any]]): engine, workers and words_per_second of each run.
    RETURNS (list[dict[str, Any]]): workers and words_per_second.
    """
    one, two = (r["words_per_second"] for r in scaling if r["engine"] == "ray")
    if two <= one:  # the machine had no core for the second one
        return []
    return [
        {"workers": n, "words_per_second": round(one + (n - 1) * (two - one))} for n in PROJECTED
    ]


def judge(record: dict[str, Any]) -> list[str]:
    """What of the record is not as it must be, a line each."""
    memory, at = record["memory_mb"], record["killed_at"]
    growth = max(memory) / memory[0] if memory else 0.0
    midway = at == sorted(set(at)) and all(0 < records < record["records"] for records in at)
    faults = {
        "the output of the killed run differs from that of one go": not record["equal"],
        "the killed run lacks records or has some twice": not record["complete"],
        "Ray found other entities": not record["ray_equal"],
        f"memory grew to {growth:.2f} times after the first tenth": growth > GROWTH,
        "memory was not seen in most tenths": len(memory) < TENTHS,
        "not every kill came midway": not midway,
    }
    return [fault for fault, found in faults.items() if found]


def main(
    pipeline: Annotated[Path, typer.Argument(help="The pipeline's folder.")],
    corpus: Annotated[Path, typer.Option(help="Folder of converted corpora.")] = Path("corpus"),
    output: Annotated[Path, typer.Option(help="The JSON file.")] = Path("metrics/scale.json"),
    page: Annotated[Path, typer.Option(help="The page.")] = Path("docs/scale.md"),
    words: Annotated[int, typer.Option(min=1000, help="To annotate.")] = 1_000_000,
    kills: Annotated[int, typer.Option(min=0)] = 3,
    seed: Annotated[int, typer.Option(help="Decides when a run is killed.")] = 1,
) -> None:
    """Measure annotation at length, and fail where it is not as it must be."""
    folder = output.with_name(f"{output.stem}.work")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    record = measure(pipeline, corpus, folder, words=words, kills=kills, seed=seed)
    shutil.rmtree(folder)
    record["projection"] = project(record["scaling"])
    write_json(output, record)
    template = markdown_template(Path(__file__).with_name("endurance.md"))
    with replacing(page) as partial:
        partial.write_text(template.render(**record), encoding="utf-8")
    print(f"{output}, {page}")
    if faults := judge(record):
        raise InputError("; ".join(faults) + ".")
