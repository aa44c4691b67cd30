"""The soak test: kills and resumes a long annotation, measures its memory, and adds workers."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from ..devices import describe_machine
from ..files import remove, replacing, sha256, write_json
from ..templates import markdown_template
from .annotate_runs import AnnotateRun, run_killed, run_to_end
from .records import ProjectedRow, ScalingRow, SoakRecord
from .texts import count_words, read_texts, stream

TENTHS = 8  # of ten, in which memory must have been measured
GROWTH = 1.1  # maximum memory as a multiple of that in the first tenth
RUNS = (("local", 1), ("local", 2), ("ray", 1), ("ray", 2))
PROJECTED = (4, 16, 64)  # workers
Spans = list[dict[str, str | int | float]]


@dataclass(frozen=True, kw_only=True)
class SoakOptions:
    """Options of the soak test.

    pipeline (Path): The pipeline's folder.
    corpus (Path): Folder of the converted corpora, for texts.
    words (int): Number of words to annotate. A fifth of them is timed with each engine.
    kills (int): Number of times that a run is killed.
    seed (int): Seed for the times of the kills.
    """

    pipeline: Path
    corpus: Path = Path("corpus")
    words: int = 1_000_000
    kills: int = 3
    seed: int = 1


def run_soak_test(
    command: tuple[str, ...], options: SoakOptions, output: Path, page: Path
) -> SoakRecord:
    """Run the soak test, and write its record and page.

    command (tuple[str, ...]): The program that annotates a file; options of
        `scripts.annotate` are added.
    options (SoakOptions): The options.
    output (Path): JSON file to write. Temporary files are next to it during the test.
    page (Path): Markdown file to write.
    RETURNS (SoakRecord): The record.
    RAISES (InputError): If a run fails.
    """
    folder = output.with_name(f"{output.stem}.work")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    record = measure(command, options, folder)
    shutil.rmtree(folder)
    write_json(output, record)
    write_page(record, page)
    return record


def measure(command: tuple[str, ...], options: SoakOptions, folder: Path) -> SoakRecord:
    """Annotate the same records uninterrupted, killed, and with every engine.

    command (tuple[str, ...]): The program that annotates a file.
    options (SoakOptions): The options.
    folder (Path): Folder for inputs and outputs.
    RETURNS (SoakRecord): The measurements.
    RAISES (InputError): If a run fails.
    """
    texts = list(stream(read_texts(options.corpus)["documents"], options.words))
    records = folder / "records.jsonl"
    with records.open("w", encoding="utf-8") as file:
        for i, text in enumerate(texts):
            file.write(json.dumps({"id": i, "text": text}) + "\n")
    run = AnnotateRun(command, options.pipeline, records, folder / "whole.jsonl")
    killed = AnnotateRun(command, options.pipeline, records, folder / "killed.jsonl")
    whole = run_to_end(run)
    killed_at = run_killed(killed, options.kills, options.seed)
    scaling = _scale(command, options.pipeline, texts[: max(1, len(texts) // 5)], folder)
    return {
        "pipeline": options.pipeline.name,
        "machine": describe_machine(),
        "date": date.today().isoformat(),
        "records": len(texts),
        "words": count_words(texts),
        "seconds": round(whole.seconds),
        "killed_at": killed_at,
        "equal": sha256(run.output) == sha256(killed.output),
        "complete": _ids(killed.output) == list(range(len(texts))),
        "memory_mb": whole.memory_mb,
        "scaling": scaling,
        "ray_equal": _ray_spans(folder / "part-ray-2") == _local_spans(folder / "part-local-2"),
        "projection": project(scaling),
    }


def _ids(path: Path) -> list[int]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line)["id"] for line in file]


def _scale(
    command: tuple[str, ...], pipeline: Path, texts: list[str], folder: Path
) -> list[ScalingRow]:
    """Time each engine with one and two workers, including loading."""
    records = folder / "part.parquet"
    pa.parquet.write_table(pa.table({"id": range(len(texts)), "text": texts}), records)
    words = count_words(texts)
    rows: list[ScalingRow] = []
    for engine, workers in RUNS:
        output = folder / f"part-{engine}-{workers}"
        remove(output)
        extra = ("--engine", engine, "--workers", str(workers))
        seconds = run_to_end(AnnotateRun(command, pipeline, records, output, extra)).seconds
        speed = round(words / seconds)
        rows.append({"engine": engine, "workers": workers, "words_per_second": speed})
    return rows


def _local_spans(path: Path) -> Mapping[int, Spans]:
    """Read the entities of each record in the output of the local engine."""
    with path.open(encoding="utf-8") as file:
        return {row["id"]: row["spans"] for row in map(json.loads, file)}


def _ray_spans(folder: Path) -> Mapping[int, Spans]:
    """Read the entities of each record in the output of Ray."""
    rows = pa.parquet.read_table(folder, columns=["id", "spans"]).to_pylist()
    return {
        row["id"]: [{k: v for k, v in span.items() if v is not None} for span in row["spans"]]
        for row in rows
    }


def project(scaling: list[ScalingRow]) -> list[ProjectedRow]:
    """Project the speed with more Ray workers if each adds as much as the second one.

    scaling (list[ScalingRow]): The measured speeds.
    RETURNS (list[ProjectedRow]): The projection, empty if the second worker added nothing.
    """
    one, two = (row["words_per_second"] for row in scaling if row["engine"] == "ray")
    if two <= one:  # the machine had no core for the second one
        return []
    return [
        {"workers": n, "words_per_second": round(one + (n - 1) * (two - one))} for n in PROJECTED
    ]


def judge(record: SoakRecord) -> list[str]:
    """List the faults in a record, one line each."""
    memory, killed_at = record["memory_mb"], record["killed_at"]
    growth = max(memory) / memory[0] if memory else 0.0
    ascending = killed_at == sorted(set(killed_at))
    midway = ascending and all(0 < done < record["records"] for done in killed_at)
    faults = {
        "the killed run wrote another file than the uninterrupted one": not record["equal"],
        "the killed run lacks or repeats records": not record["complete"],
        "Ray found other entities": not record["ray_equal"],
        f"memory grew to {growth:.2f} times that of the first tenth": growth > GROWTH,
        "memory was not measured in most tenths": len(memory) < TENTHS,
        "not every kill came midway": not midway,
    }
    return [fault for fault, is_true in faults.items() if is_true]


def write_page(record: SoakRecord, page: Path) -> None:
    """Write the page of a record.

    record (SoakRecord): The record.
    page (Path): Markdown file to write.
    """
    template = markdown_template(Path(__file__).with_name("soak_test.md"))
    with replacing(page) as partial:
        partial.write_text(template.render(**record), encoding="utf-8")
