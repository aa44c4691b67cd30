"""How every command of the project starts and fails."""

import sys
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from scripts.errors import InputError


def run(main: Callable[..., Any]) -> None:
    """Run a function as a command line program.

    An `InputError`, or a file or folder that cannot be used, becomes one line on
    standard error and exit code 1.

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
