"""Build the wheel of a trained pipeline."""

from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli


def main(
    model: Annotated[Path, typer.Argument(help="Folder of the pipeline.")],
    metrics: Annotated[Path, typer.Option(help="JSON file with its scores.")],
    output: Annotated[Path, typer.Option(help="Output folder.")],
    version: Annotated[str, typer.Option(help="Version of the package.")] = "0.1.0",
) -> None:
    """Build the wheel of a trained pipeline."""
    from bert_ner.packaging.build import package

    print(package(model, metrics, output, version=version))


if __name__ == "__main__":
    cli.run(main)
