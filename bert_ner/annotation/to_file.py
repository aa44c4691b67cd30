"""Annotates files into one output file, with a progress bar, and resumes interrupted runs."""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from spacy.util import get_package_path, is_package
from tqdm import tqdm

from ..errors import InputError
from .inputs import InputFile, count_records, read_files
from .journal import Output, Progress, cut_batches
from .options import WorkerOptions
from .outputs import FORMATS
from .workers import BatchOutput, annotate_batches


def annotate_to_file(
    sources: list[InputFile],
    output: Path,
    *,
    options: WorkerOptions,
    text_field: str = "text",
    workers: int = 1,
    restart: bool = False,
) -> Progress:
    """Annotate all records of files, or the rest if an earlier run was interrupted.

    sources (list[InputFile]): The files.
    output (Path): Output file. Failures are written to `<output>.failed.jsonl`.
    options (WorkerOptions): The pipeline and the output format.
    text_field (str): Field or column that holds the text.
    workers (int): Number of processes.
    restart (bool): Start again even if an interrupted run can be resumed.
    RETURNS (Progress): Numbers of records and failures.
    RAISES (InputError): If an input, the pipeline or the output cannot be used, or if an
        input changed during the run.
    """
    if output.resolve() in [source.path.resolve() for source in sources]:
        raise InputError(f"{output}: is also an input. Name another output.")
    job = {
        **asdict(options),
        "pipeline": _fingerprint(_pipeline_files(options.pipeline)),
        "text_field": text_field,
        "input": _fingerprint([source.path for source in sources]),
    }
    file = Output(output, job, FORMATS[options.format])
    with file.opened(restart=restart):
        if not file.progress.complete:
            _annotate_rest(file, sources, options, text_field, workers)
        file.finish()
    return file.progress


def _annotate_rest(
    file: Output,
    sources: list[InputFile],
    options: WorkerOptions,
    text_field: str,
    workers: int,
) -> None:
    total = count_records(sources, text_field)
    batches = cut_batches(read_files(sources, text_field), file.progress.records)
    with closing(annotate_batches(batches, options, workers)) as outputs:
        for batch in _show_progress(outputs, total, file.progress.records):
            file.add(batch)
    if file.progress.records != total:
        raise InputError(
            f"expected {total} records, read {file.progress.records}: the input changed during "
            "the run. Set --restart to start again."
        )


def _pipeline_files(pipeline: str) -> list[Path]:
    """List the files of a pipeline, installed or in a folder."""
    folder = Path(pipeline) if Path(pipeline).is_dir() else None
    if folder is None and is_package(pipeline):
        folder = get_package_path(pipeline)
    return sorted(folder.rglob("*")) if folder else []


def _fingerprint(files: list[Path]) -> str:
    """Hash the paths, sizes and times of files, to see whether they changed."""
    states = [(str(f.resolve()), (state := f.stat()).st_size, state.st_mtime_ns) for f in files]
    return sha256(json.dumps(states).encode()).hexdigest()


def _show_progress(outputs: Iterable[BatchOutput], total: int, start: int) -> Iterator[BatchOutput]:
    """Show on a terminal the number of records done, the speed and the time left."""
    with tqdm(total=total, initial=start, unit=" records", disable=None, leave=False) as bar:
        for batch in outputs:
            yield batch
            bar.update(len(batch))
