"""Score a pipeline on the dev and test splits of a converted corpus."""

from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli


def main(
    pipeline: cli.PipelineArgument,
    corpus: cli.CorpusFolderArgument,
    output: Annotated[
        Path | None, typer.Option(help="JSON file to write, by default metrics/RECIPE/CORPUS.json.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="HTML report to write. Measures much more than the scores.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="Metrics of another run, to compare with on the page.")
    ] = None,
    run: Annotated[
        list[Path] | None,
        typer.Option(help="Metrics of a run with another seed, for the page. Repeatable."),
    ] = None,
    gpu_id: cli.GpuOption = "auto",
) -> None:
    """Score a pipeline on dev and test, and write the scores and, with --page, a report."""
    from bert_ner.devices import choose_gpu
    from bert_ner.evaluation.evaluate import evaluate

    gpu = choose_gpu(gpu_id)
    result = evaluate(pipeline, corpus, output, page, against=against, runs=run or [], gpu=gpu)
    print(result.text())


if __name__ == "__main__":
    cli.run(main)
