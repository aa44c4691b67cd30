"""Compare the speed of pipelines with other systems."""

from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli
from bert_ner.errors import InputError


def main(
    pipeline: Annotated[Path, typer.Argument(help="Folder of the calibrated pipeline.")],
    int8: Annotated[
        Path | None, typer.Argument(help="Folder of its int8 variant; none on a GPU.")
    ] = None,
    corpus: Annotated[Path, typer.Option(help="Folder of the converted corpora.")] = Path("corpus"),
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("metrics/speed.json"),
    page: Annotated[Path, typer.Option(help="Page to write.")] = Path("docs/speed.md"),
    encoder: cli.EncoderOption = "pip",
    rounds: Annotated[int, typer.Option(min=1, help="Turns per system.")] = 5,
    stream_words: Annotated[int, typer.Option(help="Words of the stream; 0 for none.")] = 1_000_000,
    gpu_id: cli.GpuOption = "-1",
) -> None:
    """Compare the speed of pipelines with other systems, and exit with 1 if a target is missed."""
    from bert_ner.benchmark.speed import SpeedOptions, run_benchmark
    from bert_ner.benchmark.targets import explain_missed

    options = SpeedOptions(
        pipeline=pipeline,
        int8=int8,
        corpus=corpus,
        encoder=encoder,
        rounds=rounds,
        stream_words=stream_words,
        gpu_id=gpu_id,
    )
    record = run_benchmark(options, output, page)
    print(page)
    if missed := explain_missed(record["bars"]):
        raise InputError(f"missed: {missed}")


if __name__ == "__main__":
    cli.run(main)
