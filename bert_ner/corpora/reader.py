"""Readers of native files: one for columns, one for comma-separated tables."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError, bad_line
from .formats import ColumnFormat, CsvFormat, Document, Format, Sentence, Token
from .tags import TAG

BLANK = " \t\r"


def read(path: Path, form: Format) -> tuple[list[Document], bool]:
    """Read a native file, strictly.

    path (Path): The file.
    form (Format): Its format.
    RETURNS (tuple[list[Document], bool]): The documents, and whether the file
        marks documents. If it does not, all sentences are in one document.
    RAISES (InputError): For the first mistake in the file, with its line.
    """
    text = _decode(path, form.encoding)
    if isinstance(form, CsvFormat):
        documents, marked = [_read_csv(path, text, form)], False
    else:
        documents, marked = _read_columns(path, text, form)
    if not any(documents):
        raise InputError(f"{path}: expected sentences, found none. Is it the right file?")
    return documents, marked


def _decode(path: Path, encoding: str) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from error
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except (LookupError, UnicodeError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise _undecodable(path, data, error) from error
        raise InputError(f'"{encoding}" is not an encoding Python knows.') from error


def _undecodable(path: Path, data: bytes, error: UnicodeDecodeError) -> InputError:
    return bad_line(
        path,
        data.count(b"\n", 0, error.start) + 1,
        expected=f"text encoded as {error.encoding}",
        found=data[error.start : error.start + 10].decode("latin-1"),
        cure="Convert the file, or name its encoding.",
    )


def _read_columns(path: Path, text: str, form: ColumnFormat) -> tuple[list[Document], bool]:
    documents: list[Document] = [[]]
    sentence: Sentence = []
    columns = form.columns
    marked = False
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.rstrip("\r")
        if not line.strip(BLANK):
            _close(documents[-1], sentence)
            sentence = []
            continue
        cells = (
            line.split(form.separator) if form.separator else re.split("[ \t]+", line.strip(BLANK))
        )
        if form.document_marker and line.split(maxsplit=1)[:1] == [form.document_marker]:
            _close(documents[-1], sentence)
            sentence = []
            marked = True
            documents.append([])
            continue
        columns = columns or max(len(cells), 2)
        sentence.append(_token(path, number, line, cells, columns, form))
    _close(documents[-1], sentence)
    return [document for document in documents if document], marked


def _close(document: Document, sentence: Sentence) -> None:
    if sentence:
        document.append(sentence)


def _token(
    path: Path, number: int, line: str, cells: list[str], columns: int, form: ColumnFormat
) -> Token:
    needed = max(form.token, form.tag, form.pos or 0) + 1
    if len(cells) != columns or columns < needed:
        between = "spaces or tabs" if form.separator is None else repr(form.separator)
        raise bad_line(
            path,
            number,
            expected=f"{max(columns, needed)} columns separated by {between}",
            found=line,
            cure=f"It has {len(cells)}. Fix the row, or correct the description of the format.",
        )
    pos = cells[form.pos] if form.pos is not None else ""
    return _checked(path, number, Token(cells[form.token], cells[form.tag], pos, number))


def _checked(path: Path, number: int, token: Token) -> Token:
    if not token.word.strip():
        raise bad_line(
            path, number, expected="a token", found=token.word, cure="Remove the row or fill it."
        )
    if not TAG.fullmatch(token.tag):
        raise bad_line(
            path,
            number,
            expected='the tag "O" or one such as "B-PER" (schemes IOB1, IOB2, BILUO, IOBES)',
            found=token.tag,
            cure="Fix the tag, or name the column with the tags.",
        )
    return token


def _read_csv(path: Path, text: str, form: CsvFormat) -> Document:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    names = [form.sentence, form.token, form.tag] + ([form.pos] if form.pos else [])
    try:
        missing = [name for name in names if name not in (rows.fieldnames or [])]
    except csv.Error as error:
        raise _malformed(path, 1, error) from error
    if missing:
        raise bad_line(
            path,
            1,
            expected="the columns " + ", ".join(f'"{name}"' for name in names),
            found=",".join(rows.fieldnames or []),
            cure="Add the missing columns: " + ", ".join(f'"{name}"' for name in missing) + ".",
        )
    document: Document = []
    current = ""
    for line, row in _numbered(path, rows):
        if None in row or None in row.values():
            raise bad_line(
                path,
                line,
                expected=f"{len(rows.fieldnames or [])} columns",
                found=",".join(str(cell) for cell in row.values() if cell is not None),
                cure="Fix the row: a comma or a quote inside a cell must be quoted.",
            )
        if not document or row[form.sentence] not in ("", current):
            document.append([])
            current = row[form.sentence]
        pos = row[form.pos] if form.pos else ""
        document[-1].append(_checked(path, line, Token(row[form.token], row[form.tag], pos, line)))
    return document


def _numbered(path: Path, rows: "csv.DictReader[str]") -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row with the line on which it ends. Turn quoting errors into `InputError`."""
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise _malformed(path, rows.line_num + 1, error) from error
        yield rows.line_num, row


def _malformed(path: Path, line: int, error: csv.Error) -> InputError:
    return bad_line(
        path,
        line,
        expected="a well-formed csv row",
        found=str(error),
        cure="Fix the quotes of the row.",
    )
