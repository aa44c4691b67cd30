"""Find the entities of a text, of files, or of what comes in, with how sure they are."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer
from spacy.util import get_package_path, is_package
from tqdm import tqdm

from ..devices import choose_gpu
from ..errors import InputError
from . import inputs
from .inputs import Failure, Record, Source
from .journal import Output, Progress, cut_batches
from .outputs import FORMATS
from .workers import Done, Settings, work_through

FormatChoice = StrEnum("FormatChoice", ["table", "json", "jsonl", "conll", "html"])
Engine = StrEnum("Engine", ["local", "ray"])
KindChoice = StrEnum("KindChoice", ["text", "lines", "jsonl", "csv", "parquet"])
BY_SUFFIX = {".json": "json", ".html": "html", ".conll": "conll", ".txt": "table"}
Input = Iterator[Record | Failure] | list[Source]


def annotate_files(
    sources: list[Source],
    output: Path,
    *,
    settings: Settings,
    text_field: str = "text",
    workers: int = 1,
    restart: bool = False,
) -> Progress:
    """Annotate all records of files, from where an earlier run ended.

    sources (list[Source]): The files.
    output (Path): The file to write. What fails stands beside it.
    settings (Settings): How.
    text_field (str): The field or column of the text.
    workers (int): How many processes.
    restart (bool): Begin anew, whatever an earlier run has done.
    RETURNS (Progress): How many records were read, and how many failed.
    RAISES (InputError): If an input, the pipeline or the output cannot be used, or
        if the files changed while they were read.
    """
    if output.resolve() in [source.path.resolve() for source in sources]:
        raise InputError(f"{output}: is an input, too. Name another output.")
    job = {
        **asdict(settings),
        "pipeline": _fingerprint(_files_of(settings.pipeline)),
        "text_field": text_field,
        "input": _fingerprint([source.path for source in sources]),
    }
    file = Output(output, job, FORMATS[settings.format])
    with file.opened(restart=restart):
        if not file.progress.complete:
            total = inputs.count_records(sources, text_field)
            batches = cut_batches(inputs.read_all(sources, text_field), file.progress.records)
            with closing(work_through(batches, settings, workers)) as work:
                for done in _show(work, total, file.progress.records):
                    file.add(done)
            if file.progress.records != total:
                raise InputError(
                    f"expected {total} records, read {file.progress.records}: the input changed "
                    "meanwhile. Say --restart to begin anew."
                )
        file.finish()
    return file.progress


def _files_of(pipeline: str) -> list[Path]:
    """The files of a pipeline, installed or in a folder."""
    folder = Path(pipeline) if Path(pipeline).is_dir() else None
    if folder is None and is_package(pipeline):
        folder = get_package_path(pipeline)
    return sorted(folder.rglob("*")) if folder else []


def _fingerprint(files: list[Path]) -> str:
    """What tells files from others, and from what they were before a change."""
    found = [(str(f.resolve()), (state := f.stat()).st_size, state.st_mtime_ns) for f in files]
    return sha256(json.dumps(found).encode()).hexdigest()


def _show(work: Iterable[Done], total: int, start: int) -> Iterator[Done]:
    """Show on a terminal how many records are done, how fast, and how long the rest takes."""
    with tqdm(total=total, initial=start, unit=" records", disable=None, leave=False) as bar:
        for done in work:
            yield done
            bar.update(len(done))


def annotate_stream(found: Iterable[Record | Failure], settings: Settings, workers: int) -> bool:
    """Annotate records to standard output.

    RETURNS (bool): Whether all could be. What could not is said on standard error.
    """
    how = FORMATS[settings.format]
    before, good = how.head, True
    for done in work_through(cut_batches(found, 0), settings, workers):
        for item in done:
            if isinstance(item, Failure):
                print(f"error: {item.where}: {item.error}", file=sys.stderr)
                good = False
                continue
            sys.stdout.write(before + item)
            before = how.between
        sys.stdout.flush()
    sys.stdout.write((how.head if before is how.head else "") + how.foot)
    return good


def read_input(given: str, kind: inputs.Kind | None, text_field: str) -> Input:
    """What an argument stands for: files, standard input, or a text as it is."""
    if given == "-":
        if sys.stdin is None:
            raise InputError("standard input is closed. Give a text, a file or a folder.")
        return inputs.read_stream(sys.stdin.buffer, kind or "text", "standard input", text_field)
    path = Path(given)
    try:
        exists = given != "" and path.exists()
    except (OSError, ValueError):  # a text that is too long for a name, or no name at all
        exists = False
    looks_like_path = inputs.kind_of(path) is not None and not any(c.isspace() for c in given)
    if exists or looks_like_path:
        return inputs.find_sources(path, kind)
    return iter([Record("the text", given)])


def main(
    given: Annotated[
        str,
        typer.Argument(metavar="INPUT", help="A text, a file, a folder, or - for standard input"),
    ] = "-",
    pipeline: Annotated[
        str, typer.Option(help="An installed pipeline or a folder")
    ] = "en_bert_ner",
    output: Annotated[
        Path | None, typer.Option(help="The file to write; a run that ended goes on")
    ] = None,
    output_format: Annotated[
        FormatChoice | None, typer.Option("--format", help="Of what is written")
    ] = None,
    input_format: Annotated[
        KindChoice | None, typer.Option(help="If the name does not say it")
    ] = None,
    text_field: Annotated[str, typer.Option(help="The field or column of the text")] = "text",
    min_confidence: Annotated[
        float, typer.Option(help="Drop what is less sure, from 0 to 1")
    ] = 0.0,
    by_word_piece: Annotated[bool, typer.Option(help="Show how the encoder saw it")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes, which share the cores")] = 1,
    gpu_id: Annotated[str, typer.Option(help="A GPU's number, -1 for the CPU, or auto")] = "auto",
    engine: Annotated[Engine, typer.Option(help="ray annotates Parquet, on a cluster too")] = (
        Engine.local
    ),
    address: Annotated[str | None, typer.Option(help="Of a Ray cluster")] = None,
    restart: Annotated[bool, typer.Option(help="Begin anew instead of going on")] = False,
) -> None:
    """Find the entities of a text, of files, or of what comes in, with how sure they are."""
    kind: Any = input_format.value if input_format else None
    cluster = engine is Engine.ray
    if cluster and (output_format or restart or by_word_piece):
        raise InputError("--engine ray has no --format, --restart and --by-word-piece.")
    if address and not cluster:
        raise InputError("--address is for --engine ray.")
    found = _leave_out(output, read_input(given, kind, text_field))
    chosen: Any = output_format.value if output_format else _choose_format(given, found, output)
    # a cluster's machines have GPUs of their own
    gpu = choose_gpu(gpu_id) if not cluster else 0 if gpu_id.isdecimal() else -1
    settings = Settings(pipeline, chosen, min_confidence, by_word_piece, gpu)
    try:
        if output and isinstance(found, list):
            options: Any = {"settings": settings, "text_field": text_field, "workers": workers}
            if cluster:
                from .ray import annotate_on_cluster

                progress = annotate_on_cluster(found, output, address=address, **options)
            else:
                progress = annotate_files(found, output, restart=restart, **options)
            good = _report(progress, output)
        elif output or cluster:
            raise InputError("--output and --engine ray go with a file or a folder to read.")
        else:
            stream = inputs.read_all(found, text_field) if isinstance(found, list) else found
            good = annotate_stream(stream, settings, workers)
    except KeyboardInterrupt:
        goes_on = "; the same command, without --restart, goes on" if output and not cluster else ""
        print(f"stopped{goes_on}", file=sys.stderr)
        raise typer.Exit(130) from None
    if not good:
        raise typer.Exit(1)


def _leave_out(output: Path | None, found: Input) -> Input:
    """Leave what an earlier run has written out of a folder that is read."""
    if output is None or not isinstance(found, list):
        return found
    written = (output.resolve(), output.with_name(f"{output.name}.failed.jsonl").resolve())
    return [s for s in found if not s.in_folder or s.path.resolve() not in written]


def _choose_format(given: str, found: object, output: Path | None) -> str:
    if output:
        if output.suffix.lower() in (".csv", ".tsv", ".parquet"):
            raise InputError(f"{output}: is written as JSON lines. Name it .jsonl.")
        return BY_SUFFIX.get(output.suffix.lower(), "jsonl")
    return "jsonl" if isinstance(found, list) or given == "-" else "table"


def _report(progress: Progress, output: Path) -> bool:
    print(f"{output}: {progress.records - progress.failed:,} records annotated")
    if progress.failed:
        print(f"error: {progress.failed:,} records failed: {output}.failed*", file=sys.stderr)
    return not progress.failed
