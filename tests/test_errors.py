from pathlib import Path

import pytest

from bert_ner.errors import bad_line, first_line, printable


def test_bad_line_names_the_place_and_shortens_the_line() -> None:
    error = bad_line(Path("a.txt"), 7, expected="2 columns", found="x" * 99, cure="Fix it.")
    assert str(error) == f'a.txt:7: expected 2 columns, found "{"x" * 77}...". Fix it.'


@pytest.mark.parametrize(
    ("text", "expected"), [("Zoë", "Zoë"), ("a\nb", r"a\nb"), ("\x1b[31m", r"\x1b[31m")]
)
def test_printable(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_first_line() -> None:
    assert first_line(ValueError("\n\n  first \nsecond")) == "first"
    assert first_line(KeyError()) == "KeyError"
