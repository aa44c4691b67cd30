"""Find the entities in a text, in files, or in standard input, with their confidence."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli
from bert_ner.annotation.options import Engine, FormatName, InputFormat, RunOptions

InputArgument = Annotated[
    str, typer.Argument(metavar="INPUT", help='Text, file, folder, or "-" for standard input.')
]
PipelineOption = Annotated[str, typer.Option(help="Name or folder of the pipeline.")]
OutputOption = Annotated[Path | None, typer.Option(help="Output file; an interrupted run resumes.")]
FormatOption = Annotated[
    FormatName | None, typer.Option("--format", help="Output format. Default: by the file name.")
]
InputFormatOption = Annotated[
    InputFormat | None, typer.Option(help="Input format. Default: by the file name.")
]
TextFieldOption = Annotated[str, typer.Option(help="Field or column with the text.")]
ConfidenceOption = Annotated[
    float, typer.Option(help="Drop entities below this confidence, from 0 to 1.")
]
ByWordPieceOption = Annotated[bool, typer.Option(help="Add the encoder's word pieces.")]
WorkersOption = Annotated[int, typer.Option(min=1, help="Number of processes.")]
EngineOption = Annotated[Engine, typer.Option(help='"ray" annotates Parquet, also on a cluster.')]
AddressOption = Annotated[str | None, typer.Option(help="Address of a Ray cluster.")]
RestartOption = Annotated[bool, typer.Option(help="Start again instead of resuming.")]


def main(
    text: InputArgument = "-",
    pipeline: PipelineOption = "en_bert_ner",
    output: OutputOption = None,
    output_format: FormatOption = None,
    input_format: InputFormatOption = None,
    text_field: TextFieldOption = "text",
    min_confidence: ConfidenceOption = 0.0,
    by_word_piece: ByWordPieceOption = False,
    workers: WorkersOption = 1,
    gpu_id: cli.GpuOption = "auto",
    engine: EngineOption = Engine.LOCAL,
    address: AddressOption = None,
    restart: RestartOption = False,
) -> None:
    """Find the entities in a text, in files, or in standard input, with their confidence."""
    options = RunOptions(
        input=text,
        pipeline=pipeline,
        output=output,
        output_format=output_format,
        input_format=input_format,
        text_field=text_field,
        min_confidence=min_confidence,
        by_word_piece=by_word_piece,
        workers=workers,
        gpu_id=gpu_id,
        engine=engine,
        address=address,
        restart=restart,
    )
    try:
        failed = _annotate(options)
    except KeyboardInterrupt:
        resume = "; run the same command without --restart to resume"
        print(f"stopped{resume if output and engine is Engine.LOCAL else ''}", file=sys.stderr)
        raise typer.Exit(130) from None
    if failed:
        raise typer.Exit(1)


def _annotate(options: RunOptions) -> int:
    """Annotate, print the result, and return the number of records that failed."""
    from bert_ner.annotation.run import annotate_input

    progress = annotate_input(
        options,
        stdin=sys.stdin.buffer if sys.stdin else None,
        stdout=sys.stdout,
        on_failure=lambda f: print(f"error: {f.where}: {f.error}", file=sys.stderr),
    )
    if options.output:
        print(f"{options.output}: {progress.records - progress.failed:,} records annotated")
        if progress.failed:
            failures = f"{progress.failed:,} records failed: {options.output}.failed*"
            print(f"error: {failures}", file=sys.stderr)
    return progress.failed


if __name__ == "__main__":
    cli.run(main)
