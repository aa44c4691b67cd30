"""The one exception for a user's mistake."""

import re
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
    shown = re.sub(r"[\r\n]+", " ", found)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    return InputError(f'{path}:{line}: expected {expected}, found "{shown}". {cure}')
