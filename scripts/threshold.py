"""Pick min_confidence for a required precision, and print the loss in recall."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bert_ner import cli

if TYPE_CHECKING:
    from bert_ner.calibration.threshold import PickedThreshold


def main(
    pipeline: Annotated[Path, typer.Argument(help="Folder of the calibrated pipeline.")],
    data: cli.CorpusFolderArgument,
    precision: Annotated[float, typer.Option(min=0, max=1, help="Required precision.")] = 0.97,
    output: Annotated[
        Path | None, typer.Option(help="Output folder for the pipeline with the threshold.")
    ] = None,
) -> None:
    """Pick on dev the lowest min_confidence for a precision; print its effect on dev and test."""
    from bert_ner.calibration.threshold import pick_threshold, write_pipeline

    threshold = pick_threshold(pipeline, data, precision)
    _print(threshold)
    if output:
        write_pipeline(pipeline, output, threshold.value)
        print(output)
    else:
        print(
            f"to use it: min_confidence = {threshold.value:.4f} in the pipeline's config, "
            f"or --output"
        )


def _print(threshold: "PickedThreshold") -> None:
    from wasabi import table

    rows = [
        (
            effect.split,
            f"{value:.4f}",
            f"{100 * scores['precision']:.2f}",
            f"{100 * scores['recall']:.2f}",
        )
        for effect in threshold.effects
        for value, scores in ((0.0, effect.without), (threshold.value, effect.above))
    ]
    header = ("", "min_confidence", "P", "R")
    print(table(rows, header=header, divider=True, aligns=("l", "r", "r", "r")))


if __name__ == "__main__":
    cli.run(main)
