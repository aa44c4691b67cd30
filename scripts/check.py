"""Install a pipeline's wheel in isolation and compare its score."""

from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli


def main(
    package: Annotated[Path, typer.Argument(help="Folder of the package.")],
    corpus: cli.CorpusFolderArgument,
    metrics: Annotated[Path, typer.Option(help="JSON file with the pipeline's scores.")],
    output: Annotated[Path, typer.Option(help="Output JSON file.")],
) -> None:
    """Install a pipeline's wheel in isolation and check that it scores as measured."""
    from bert_ner.packaging.check import check_package

    checked = check_package(package, corpus, metrics, output)
    result = checked.result
    entities = ", ".join(f"{text} ({label})" for text, label in result["entities"])
    f1 = f"F1 {100 * result['f1']:.2f} on test, as measured"
    print(f"{checked.wheel.name} works in isolation: {f1}")
    print(f'"{result["example"]}" -> {entities or "no entity"}')


if __name__ == "__main__":
    cli.run(main)
