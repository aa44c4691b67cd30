"""Formats of native files, as data."""

from dataclasses import dataclass
from typing import NamedTuple


class Token(NamedTuple):
    """One token of a native file, with its line number from 1."""

    word: str
    tag: str
    pos: str
    line: int


Sentence = list[Token]
Document = list[Sentence]


@dataclass(frozen=True, kw_only=True)
class ColumnFormat:
    """One token a line in columns, a blank line between sentences.

    token (int): The token's column, from 0.
    tag (int): The entity tag's column, from 0.
    pos (int | None): The part-of-speech column, if there is one.
    columns (int | None): The number of columns in every line. None means as many
        as in the first line.
    separator (str | None): The text between columns. None means any run of spaces
        and tabs.
    encoding (str): The file's encoding.
    document_marker (str | None): The first column of a line that starts a
        document. None means that the format has no documents.
    """

    token: int
    tag: int
    pos: int | None = None
    columns: int | None = None
    separator: str | None = None
    encoding: str = "utf-8"
    document_marker: str | None = None


@dataclass(frozen=True, kw_only=True)
class CsvFormat:
    """A comma-separated table with a header, one token a row.

    sentence (str): The column whose value changes where a sentence starts. It may
        be empty on the other rows of the sentence.
    token (str): The token's column.
    tag (str): The entity tag's column.
    pos (str | None): The part-of-speech column, if there is one.
    encoding (str): The file's encoding.
    """

    sentence: str
    token: str
    tag: str
    pos: str | None = None
    encoding: str = "utf-8"


Format = ColumnFormat | CsvFormat
