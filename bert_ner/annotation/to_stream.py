"""Annotates records to a text stream, such as standard output."""

from collections.abc import Callable, Iterable
from typing import TextIO

from .inputs import Failure, Record
from .journal import Progress, cut_batches
from .options import WorkerOptions
from .outputs import FORMATS
from .workers import annotate_batches


def annotate_to_stream(
    records: Iterable[Record | Failure],
    stream: TextIO,
    *,
    options: WorkerOptions,
    workers: int = 1,
    on_failure: Callable[[Failure], None],
) -> Progress:
    """Annotate records and write them to a stream, batch by batch.

    records (Iterable[Record | Failure]): The records.
    stream (TextIO): The stream. It is flushed after each batch.
    options (WorkerOptions): The pipeline and the output format.
    workers (int): Number of processes.
    on_failure (Callable[[Failure], None]): Called with each record that cannot be read or
        annotated.
    RETURNS (Progress): Numbers of records and failures.
    RAISES (InputError): If an input or the pipeline cannot be used.
    """
    output_format, progress = FORMATS[options.format], Progress()
    before = output_format.head
    for batch in annotate_batches(cut_batches(records, 0), options, workers):
        for item in batch:
            if isinstance(item, Failure):
                on_failure(item)
                progress.failed += 1
                continue
            stream.write(before + item)
            before = output_format.between
        progress.records += len(batch)
        stream.flush()
    if progress.records == progress.failed:
        stream.write(output_format.head)
    stream.write(output_format.foot)
    return progress
