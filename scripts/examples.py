"""Annotate marked-up sentences and record correct, wrong and missed entities."""

from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli


def main(
    pipeline: cli.PipelineArgument,
    sentences: Annotated[
        Path, typer.Argument(help="File with one sentence per line, such as: [Oslo|LOC] shines.")
    ],
    output: Annotated[Path, typer.Option(help="JSON file to write.")],
) -> None:
    """Annotate marked-up sentences and record correct, wrong and missed entities."""
    from bert_ner.evaluation.examples import record_examples

    record_examples(str(pipeline), sentences, output)
    print(output)


if __name__ == "__main__":
    cli.run(main)
