"""Measure the service with many clients, with and without batches."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli
from bert_ner.errors import InputError

SERVE = (sys.executable, "-m", "scripts.serve")


def main(
    pipeline: Annotated[str, typer.Argument(help="An installed pipeline or a folder.")],
    texts: Annotated[
        Path, typer.Option(help="A converted split, or marked-up sentences, one per line.")
    ] = Path("docs/examples.txt"),
    clients: Annotated[int, typer.Option(min=1, help="Number of clients.")] = 64,
    seconds: Annotated[float, typer.Option(min=1, help="Duration of each of the two runs.")] = 60.0,
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("metrics/serve.json"),
) -> None:
    """Measure the service with many clients, and exit with 1 if a target is missed."""
    from bert_ner.benchmark.load_test import LoadOptions, run_load_test
    from bert_ner.benchmark.targets import explain_missed

    options = LoadOptions(pipeline=pipeline, texts=texts, clients=clients, seconds=seconds)
    record = run_load_test(SERVE, options, output)
    for name, run in record["runs"].items():
        print(f"{name}: {run['requests_per_second']} requests a second, {run['latency_ms']} ms")
    print(output)
    if missed := explain_missed(record["bars"]):
        raise InputError(f"missed: {missed}")


if __name__ == "__main__":
    cli.run(main)
