"""Runs an annotation: opens the input, chooses format and device, and writes the output."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from ..devices import choose_gpu
from ..errors import InputError
from .inputs import Failure, InputFile, Record, find_files, format_of, read_files, read_stream
from .journal import Progress
from .options import Engine, FormatName, InputFormat, RunOptions, WorkerOptions
from .to_file import annotate_to_file
from .to_stream import annotate_to_stream

OUTPUT_FORMATS = {
    ".json": FormatName.JSON,
    ".html": FormatName.HTML,
    ".conll": FormatName.CONLL,
    ".txt": FormatName.TABLE,
}
Input = Iterator[Record | Failure] | list[InputFile]


def annotate_input(
    options: RunOptions,
    *,
    stdin: BinaryIO | None,
    stdout: TextIO,
    on_failure: Callable[[Failure], None],
) -> Progress:
    """Annotate an input as the options say.

    options (RunOptions): The options.
    stdin (BinaryIO | None): Read if the input is "-". None is closed.
    stdout (TextIO): Written if the options name no output.
    on_failure (Callable[[Failure], None]): Called with each record that fails, if the
        options name no output. An output has a file of failures.
    RETURNS (Progress): Numbers of records and failures.
    RAISES (InputError): If options contradict each other, or the input, the pipeline or
        the output cannot be used.
    """
    _check(options)
    source = _without_output(_open_input(options, stdin), options.output)
    worker_options = WorkerOptions(
        pipeline=options.pipeline,
        format=options.output_format or _choose_format(options, source),
        min_confidence=options.min_confidence,
        by_word_piece=options.by_word_piece,
        gpu=_choose_gpu(options),
    )
    if options.output and isinstance(source, list):
        return _annotate_files(source, options.output, options, worker_options)
    if options.output or options.engine is Engine.RAY:
        raise InputError("--output and --engine ray need a file or a folder as input.")
    records = read_files(source, options.text_field) if isinstance(source, list) else source
    return annotate_to_stream(
        records, stdout, options=worker_options, workers=options.workers, on_failure=on_failure
    )


def _annotate_files(
    sources: list[InputFile], output: Path, options: RunOptions, worker_options: WorkerOptions
) -> Progress:
    if options.engine is Engine.RAY:
        from .ray import annotate_on_cluster

        return annotate_on_cluster(
            sources,
            output,
            options=worker_options,
            text_field=options.text_field,
            workers=options.workers,
            address=options.address,
        )
    return annotate_to_file(
        sources,
        output,
        options=worker_options,
        text_field=options.text_field,
        workers=options.workers,
        restart=options.restart,
    )


def _check(options: RunOptions) -> None:
    cluster = options.engine is Engine.RAY
    if cluster and (options.output_format or options.restart or options.by_word_piece):
        raise InputError("--engine ray does not support --format, --restart or --by-word-piece.")
    if options.address and not cluster:
        raise InputError("--address is for --engine ray.")


def _open_input(options: RunOptions, stdin: BinaryIO | None) -> Input:
    """Open the input: files, standard input, or the text itself."""
    if options.input == "-":
        if stdin is None:
            raise InputError("standard input is closed. Give a text, a file or a folder.")
        input_format = options.input_format or InputFormat.TEXT
        return read_stream(stdin, input_format, "standard input", options.text_field)
    path = Path(options.input)
    try:
        exists = options.input != "" and path.exists()
    except (OSError, ValueError):  # too long or not valid as a name, so it is a text
        exists = False
    has_space = any(c.isspace() for c in options.input)
    if exists or (format_of(path) is not None and not has_space):
        return find_files(path, options.input_format)
    return iter([Record("the text", options.input)])


def _without_output(source: Input, output: Path | None) -> Input:
    """Omit the files that an earlier run has written from an input folder."""
    if output is None or not isinstance(source, list):
        return source
    written = (output.resolve(), output.with_name(f"{output.name}.failed.jsonl").resolve())
    return [file for file in source if not file.in_folder or file.path.resolve() not in written]


def _choose_format(options: RunOptions, source: Input) -> FormatName:
    if options.output:
        suffix = options.output.suffix.lower()
        if suffix in (".csv", ".tsv", ".parquet"):
            raise InputError(f"{options.output}: is written as JSON lines. Name it .jsonl.")
        return OUTPUT_FORMATS.get(suffix, FormatName.JSONL)
    is_text = not isinstance(source, list) and options.input != "-"
    return FormatName.TABLE if is_text else FormatName.JSONL


def _choose_gpu(options: RunOptions) -> int:
    if options.engine is Engine.RAY:  # the machines of a cluster have other GPUs than this one
        return 0 if options.gpu_id.isdecimal() else -1
    return choose_gpu(options.gpu_id)
