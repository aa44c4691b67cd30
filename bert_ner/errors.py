"""The one exception for a user's mistake."""

from pathlib import Path


class InputError(Exception):
    """Something the user gave is wrong. The message says what, where and the cure.

    Commands print it as one line and exit with 1, without a traceback.
    """


def bad_line(path: Path, line: int, *, expected: str, found: str, cure: str) -> InputError:
    """An `InputError` about one line of a file.

    path (Path): The file.
    line (int): The line's number, from 1.
    expected (str): What should stand there.
    found (str): What stands there, shortened if long.
    cure (str): What the user can do, as a sentence.
    RETURNS (InputError): The error, to be raised.
    """
    shown = found if len(found) <= 80 else found[:77] + "..."
    return InputError(f'{path}:{line}: expected {expected}, found "{printable(shown)}". {cure}')


def printable(text: str) -> str:
    """A text in one line that does nothing to a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def first_line(error: Exception) -> str:
    """The first line of what an exception of a library says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
