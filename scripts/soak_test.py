"""Annotate many words: kill and resume runs, measure memory, and add workers."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli
from bert_ner.errors import InputError

ANNOTATE = (sys.executable, "-W", "ignore", "-m", "scripts.annotate")


def main(
    pipeline: Annotated[Path, typer.Argument(help="Folder of the pipeline.")],
    corpus: Annotated[Path, typer.Option(help="Folder of the converted corpora.")] = Path("corpus"),
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("metrics/scale.json"),
    page: Annotated[Path, typer.Option(help="Page to write.")] = Path("docs/soak_test.md"),
    words: Annotated[int, typer.Option(min=1000, help="Words to annotate.")] = 1_000_000,
    kills: Annotated[int, typer.Option(min=0, help="Times that a run is killed.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed for the times of the kills.")] = 1,
) -> None:
    """Annotate many words, and exit with 1 if a kill changes the output or memory grows."""
    from bert_ner.benchmark.soak_test import SoakOptions, judge, run_soak_test

    options = SoakOptions(pipeline=pipeline, corpus=corpus, words=words, kills=kills, seed=seed)
    record = run_soak_test(ANNOTATE, options, output, page)
    print(f"{output}, {page}")
    if faults := judge(record):
        raise InputError("; ".join(faults) + ".")


if __name__ == "__main__":
    cli.run(main)
