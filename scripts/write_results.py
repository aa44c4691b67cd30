"""Write the measured results in docs/results/ into README.md and docs/results.md."""

from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli


def main(
    readme: Annotated[Path, typer.Option(help="Page with the short table.")] = Path("README.md"),
    page: Annotated[Path, typer.Option(help="Page with all tables.")] = Path("docs/results.md"),
    results: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("docs/results"),
) -> None:
    """Write the measured results into README.md and docs/results.md."""
    from bert_ner.evaluation.results_tables import write_results

    write_results(readme, page, results)
    print(readme, page, sep="\n")


if __name__ == "__main__":
    cli.run(main)
