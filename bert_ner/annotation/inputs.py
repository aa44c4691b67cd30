"""Reads records to annotate, one at a time, from inputs of any size.

Inputs are plain text, JSON lines, CSV and Parquet. A record that cannot be read becomes
a `Failure`, and reading continues with the next one.
"""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from ..errors import InputError, first_line
from .options import InputFormat

SUFFIXES = {
    ".txt": InputFormat.TEXT,
    ".md": InputFormat.TEXT,
    ".jsonl": InputFormat.JSONL,
    ".ndjson": InputFormat.JSONL,
    ".csv": InputFormat.CSV,
    ".tsv": InputFormat.CSV,
    ".parquet": InputFormat.PARQUET,
}
PARQUET_ROWS = 1024  # in memory at once


@dataclass(frozen=True)
class Record:
    """A text, its place in the input such as "a.jsonl:12", and the other fields of its row."""

    where: str
    text: str
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """A record that cannot be read or annotated; `given` is the record as in the input."""

    where: str
    error: str
    given: str


@dataclass(frozen=True)
class InputFile:
    """A file to annotate, its format, and its name in messages and outputs."""

    path: Path
    format: InputFormat
    name: str
    in_folder: bool = False


def find_files(path: Path, input_format: InputFormat | None) -> list[InputFile]:
    """Find the input files of a path.

    path (Path): A file, or a folder: all files below it whose suffix is in `SUFFIXES`, sorted.
    input_format (InputFormat | None): Format of the files, None to choose it by their suffixes.
    RETURNS (list[InputFile]): The files.
    RAISES (InputError): If no file is found, or if the format of a file is unknown.
    """
    if path.is_dir():
        files = sorted(
            file for file in path.rglob("*") if file.is_file() and not _hidden(file, path)
        )
        known = [
            InputFile(file, input_format or by_suffix, file.relative_to(path).as_posix(), True)
            for file in files
            if (by_suffix := format_of(file))
        ]
        if not known:
            raise InputError(f"{path}: contains no file that ends in {', '.join(SUFFIXES)}.")
        return known
    file_format = input_format or format_of(path)
    if not path.exists():
        raise InputError(f"{path}: not found.")
    if file_format is None:
        raise InputError(
            f"{path}: its name does not end in {', '.join(SUFFIXES)}. Set --input-format."
        )
    return [InputFile(path, file_format, path.name)]


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def format_of(path: Path) -> InputFormat | None:
    """Choose the format of a file by its suffix, None if the suffix is unknown."""
    return SUFFIXES.get(path.suffix.lower())


def read_file(source: InputFile, text_field: str) -> Iterator[Record | Failure]:
    """Read the records of a file.

    source (InputFile): The file.
    text_field (str): Field or column that holds the text.
    YIELDS (Record | Failure): The records, and those that cannot be read.
    RAISES (InputError): If the file cannot be read at all, or lacks the column.
    """
    if source.format is InputFormat.PARQUET:
        yield from _read_parquet(source, text_field)
    elif source.format is InputFormat.CSV:
        with source.path.open(encoding="utf-8-sig", newline="", errors="surrogateescape") as file:
            yield from _read_csv(source, file, text_field)
    else:
        with source.path.open("rb") as file:
            yield from read_stream(file, source.format, source.name, text_field)


def read_stream(
    stream: IO[bytes], input_format: InputFormat, name: str, text_field: str
) -> Iterator[Record | Failure]:
    """Read records from a stream of bytes.

    stream (IO[bytes]): The stream.
    input_format (InputFormat): `TEXT` is a single record, `LINES` and `JSONL` have one
        in each line that is not blank.
    name (str): Name of the stream in messages.
    text_field (str): Field that holds the text.
    YIELDS (Record | Failure): The records, and those that cannot be read.
    RAISES (InputError): If the format needs a file.
    """
    if input_format in (InputFormat.CSV, InputFormat.PARQUET):
        raise InputError(f"{name}: cannot be read as {input_format}. Write it to a file first.")
    if input_format is InputFormat.TEXT:
        yield _decoded(stream.read(), name)
        return
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        where, line = f"{name}:{number}", line.rstrip(b"\r\n")
        if input_format is InputFormat.LINES:
            yield _decoded(line, where)
        else:
            yield _from_json(line, where, text_field)


def _decoded(content: bytes, where: str) -> Record | Failure:
    try:
        return Record(where, content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return Failure(where, f"not UTF-8: {error.reason} at byte {error.start}", _shown(content))


def _shown(content: bytes) -> str:
    return content.decode("utf-8", errors="backslashreplace")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _from_json(line: bytes, where: str, text_field: str) -> Record | Failure:
    try:
        row = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return Failure(where, f"not valid JSON: {first_line(error)}", _shown(line))
    text = row.get(text_field) if isinstance(row, dict) else None
    if not isinstance(text, str):
        return Failure(where, f'has no text in a field "{text_field}"', _shown(line))
    return Record(where, text, {key: value for key, value in row.items() if key != text_field})


def _read_csv(source: InputFile, file: IO[str], text_field: str) -> Iterator[Record | Failure]:
    csv.field_size_limit(sys.maxsize)
    delimiter = "\t" if source.path.suffix.lower() == ".tsv" else ","
    rows = csv.DictReader(file, delimiter=delimiter)
    _check_column(source, text_field, rows.fieldnames or [])
    for row in rows:
        where = f"{source.name}:{rows.line_num}"
        given = json.dumps(row, ensure_ascii=True, default=str)
        if None in row or None in row.values():
            more = "more" if None in row else "fewer"
            yield Failure(where, f"has {more} columns than the header", given)
        elif any("\udc80" <= c <= "\udcff" for value in row.values() for c in value):
            yield Failure(where, "not UTF-8", given)
        else:
            text = row.pop(text_field)
            yield Record(where, text, dict(row))


def _read_parquet(source: InputFile, text_field: str) -> Iterator[Record | Failure]:
    with _open_parquet(source, text_field) as file:
        number = 0
        for batch in file.iter_batches(PARQUET_ROWS):
            for row in batch.to_pylist():
                number += 1
                where = f"{source.name}:{number}"
                if isinstance(text := row.pop(text_field), str):
                    yield Record(where, text, row)
                else:
                    yield Failure(where, "has no text", json.dumps(row, default=str))


def check_columns(sources: list[InputFile], text_field: str) -> None:
    """Check that each Parquet file has the column of the text, before any is read.

    sources (list[InputFile]): The files.
    text_field (str): Column that holds the text.
    RAISES (InputError): If a file lacks the column or is not Parquet.
    """
    for source in sources:
        with _open_parquet(source, text_field):
            pass


def _open_parquet(source: InputFile, text_field: str) -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InputError("Parquet needs pyarrow. Run `pip install pyarrow`.") from error
    try:
        file = pyarrow.parquet.ParquetFile(source.path)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{source.name}: not a Parquet file: {first_line(error)}.") from error
    _check_column(source, text_field, file.schema_arrow.names)
    return file


def _check_column(source: InputFile, text_field: str, columns: Iterable[str]) -> None:
    if text_field not in columns:
        names = ", ".join(columns) or "none"
        raise InputError(
            f'{source.name}: expected a column "{text_field}", found {names}. '
            "Name the column of the text with --text-field."
        )


def read_files(sources: list[InputFile], text_field: str) -> Iterator[Record | Failure]:
    """Read the records of all files. A record from a folder has the file's name as `source`.

    sources (list[InputFile]): The files.
    text_field (str): Field or column that holds the text.
    YIELDS (Record | Failure): The records, and those that cannot be read.
    RAISES (InputError): See `read_file`.
    """
    for source in sources:
        for record in read_file(source, text_field):
            if source.in_folder and isinstance(record, Record):
                yield replace(record, fields={**record.fields, "source": source.name})
            else:
                yield record


def count_records(sources: list[InputFile], text_field: str) -> int:
    """Count the records of files, including those that cannot be read."""
    return sum(_count(source, text_field) for source in sources)


def _count(source: InputFile, text_field: str) -> int:
    if source.format is InputFormat.TEXT:
        return 1
    if source.format is InputFormat.PARQUET:
        with _open_parquet(source, text_field) as parquet:
            return int(parquet.metadata.num_rows)
    if source.format in (InputFormat.LINES, InputFormat.JSONL):
        with source.path.open("rb") as file:
            return sum(1 for line in file if line.strip())
    return sum(1 for _ in read_file(source, text_field))
