"""Starts and ends every command, and defines the options that several commands share."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from .errors import InputError

CorpusArgument = Annotated[str, typer.Argument(help="Name of the corpus.", show_default=False)]
CorpusFolderArgument = Annotated[
    Path, typer.Argument(help="Folder of the converted corpus.", show_default=False)
]
PipelineArgument = Annotated[
    Path, typer.Argument(help="Folder of the pipeline, or name of an installed one.")
]
AssetsOption = Annotated[Path, typer.Option(help="Folder of the native files.")]
EncoderOption = Annotated[
    str, typer.Option(help='"auto", "pip", "pip-base", a local folder, or a name on the Hub.')
]
EpochsOption = Annotated[
    str, typer.Option(help='Passes over the train split, or "auto": 5, more for a small corpus.')
]
GpuOption = Annotated[
    str, typer.Option("--gpu-id", help='"auto", a GPU\'s number, or -1 for the CPU.')
]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of every random choice.")]


def run(main: Callable[..., Any]) -> None:
    """Run a function as a command line program.

    An `InputError` or an `OSError` becomes one line on standard error and exit code 1.

    main (Callable): A function with typer's annotations.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    try:
        app()
    except InputError as error:
        _fail(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}.")


def _fail(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(1) from None
