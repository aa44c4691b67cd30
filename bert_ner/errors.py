"""The exception for a user's mistakes."""

from pathlib import Path


class InputError(Exception):
    """Raised for bad input. The message says what is wrong, where, and how to fix it.

    Commands print it as one line and exit with code 1, without a traceback.
    """


def bad_line(path: Path, line: int, *, expected: str, found: str, cure: str) -> InputError:
    """Make an `InputError` about one line of a file.

    path (Path): The file.
    line (int): The line's number, from 1.
    expected (str): The expected content.
    found (str): The actual content; a long one is shortened.
    cure (str): The way to fix it, as a sentence.
    RETURNS (InputError): The error to raise.
    """
    shown = found if len(found) <= 80 else found[:77] + "..."
    return InputError(f'{path}:{line}: expected {expected}, found "{printable(shown)}". {cure}')


def printable(text: str) -> str:
    """Escape line breaks and control characters of a text."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def first_line(error: Exception) -> str:
    """Return the first line of an exception's message, its class name if there is none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
