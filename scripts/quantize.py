"""Make an int8 variant of a pipeline for CPUs."""

from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli


def main(
    model: Annotated[Path, typer.Argument(help="Folder of the calibrated pipeline.")],
    corpus: cli.CorpusFolderArgument,
    output: Annotated[Path, typer.Option(help="Output folder.")],
) -> None:
    """Make an int8 variant of a pipeline, and compare the two on test."""
    from bert_ner.packaging.quantize import quantize_pipeline

    record = quantize_pipeline(model, corpus / "test.spacy", output)
    f1 = {key: f"{100 * value:.2f}" for key, value in record["f1"].items()}
    print(
        f"{output}: {record['mentions']:,} mentions on test, agreement "
        f"{100 * record['agreement']:.2f}; F1 {f1['before']} before, {f1['after']} after; "
        f"agreement with itself, one document at a time, {100 * record['agreement_alone']:.2f}"
    )


if __name__ == "__main__":
    cli.run(main)
