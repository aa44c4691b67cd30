"""What a native file looks like, as data."""

from dataclasses import dataclass
from typing import NamedTuple


class Token(NamedTuple):
    """One token as it stands in a native file."""

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
    columns (int | None): How many columns every line has. If not given, as
        many as the first line.
    separator (str | None): What stands between columns. If not given, any run
        of spaces and tabs.
    encoding (str): The file's encoding.
    document_marker (str | None): The first column of a line that starts a
        document, where the format has documents.
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

    sentence (str): The column whose value changes where a sentence starts; may be
        empty on its other rows.
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
