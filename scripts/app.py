"""Start the demo, a page that shows the entities a pipeline finds in your text."""

from typing import Annotated

import typer

from bert_ner import cli
from bert_ner.demo.launch import run_demo


def main(
    pipeline: Annotated[
        list[str] | None,
        typer.Option(help="Name or folder of a pipeline; may be repeated. Default: all."),
    ] = None,
    port: Annotated[int, typer.Option(min=1024, max=65535, help="Port of the page.")] = 8501,
) -> None:
    """Start a page that shows the entities a pipeline finds in your text. Ctrl-C stops it."""
    run_demo(
        pipeline or [],
        port,
        on_start=lambda url: print(f"{url} (Ctrl-C stops it)", flush=True),
    )


if __name__ == "__main__":
    cli.run(main)
