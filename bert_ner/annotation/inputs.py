"""Reading what is to be annotated: one record after the other, however large the input.

Text as it is, a file or a folder of plain text, JSON lines, CSV or Parquet. What
cannot be read is a `Failure`, and the next record is read.
"""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Literal

from ..errors import InputError, first_line

Kind = Literal["text", "lines", "jsonl", "csv", "parquet"]
SUFFIXES: dict[str, Kind] = {
    ".txt": "text", ".md": "text", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".csv": "csv", ".tsv": "csv", ".parquet": "parquet",
}  # fmt: skip
ROWS = 1024  # of Parquet, that are read together


@dataclass(frozen=True)
class Record:
    """A text, and what else the input says of it."""

    where: str  # such as "a.jsonl:12"
    text: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """A record that could not be read or annotated."""

    where: str
    error: str
    given: str  # the record as it was given


@dataclass(frozen=True)
class Source:
    """A file, and how to read it."""

    path: Path
    kind: Kind
    name: str  # in messages, and in a folder also in the output
    in_folder: bool = False

    def read(self, text_field: str) -> Iterator[Record | Failure]:
        """Its records. See `read_source`."""
        return read_source(self, text_field)


def find_sources(path: Path, kind: Kind | None) -> list[Source]:
    """The files that a path stands for.

    path (Path): A file, or a folder, of which all files of a known kind are taken, sorted.
    kind (Kind | None): How to read them, None to go by their names.
    RETURNS (list[Source]): The files.
    RAISES (InputError): If there is none, or if the name of a file does not say its kind.
    """
    if path.is_dir():
        files = sorted(
            file for file in path.rglob("*") if file.is_file() and not _hidden(file, path)
        )
        known = [
            Source(file, kind or found, file.relative_to(path).as_posix(), in_folder=True)
            for file in files
            if (found := kind_of(file))
        ]
        if not known:
            raise InputError(f"{path}: holds no file that ends in {', '.join(SUFFIXES)}.")
        return known
    found = kind or kind_of(path)
    if not path.exists():
        raise InputError(f"{path}: not found.")
    if found is None:
        raise InputError(
            f"{path}: its name does not end in {', '.join(SUFFIXES)}. "
            "Say how to read it with --input-format."
        )
    return [Source(path, found, path.name)]


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def kind_of(path: Path) -> Kind | None:
    """What a file's name says of its kind."""
    return SUFFIXES.get(path.suffix.lower())


def read_source(source: Source, text_field: str) -> Iterator[Record | Failure]:
    """Read a file's records.

    source (Source): The file.
    text_field (str): The field of JSON or the column that holds the text.
    YIELDS (Record | Failure): The records, and what could not be read.
    RAISES (InputError): If the file as a whole cannot be read, or lacks the column.
    """
    if source.kind == "parquet":
        yield from _read_parquet(source, text_field)
    elif source.kind == "csv":
        with source.path.open(encoding="utf-8-sig", newline="", errors="surrogateescape") as file:
            yield from _read_csv(source, file, text_field)
    else:
        with source.path.open("rb") as file:
            yield from read_stream(file, source.kind, source.name, text_field)


def read_stream(
    stream: IO[bytes], kind: Kind, name: str, text_field: str
) -> Iterator[Record | Failure]:
    """Read records from a stream of bytes.

    stream (IO[bytes]): The stream.
    kind (Kind): "text" is a single record, "lines" and "jsonl" have one in each
        line that is not blank.
    name (str): The stream's name, for messages.
    text_field (str): The field that holds the text.
    YIELDS (Record | Failure): The records, and what could not be read.
    """
    if kind in ("csv", "parquet"):
        raise InputError(f"{name}: is not read as {kind}. Write it to a file, and name that.")
    if kind == "text":
        yield _decoded(stream.read(), name)
        return
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        where, line = f"{name}:{number}", line.rstrip(b"\r\n")
        yield _decoded(line, where) if kind == "lines" else _from_json(line, where, text_field)


def _decoded(content: bytes, where: str) -> Record | Failure:
    try:
        return Record(where, content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return Failure(where, f"not UTF-8: {error.reason} at byte {error.start}", _shown(content))


def _shown(content: bytes) -> str:
    return content.decode("utf-8", errors="backslashreplace")


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _from_json(line: bytes, where: str, text_field: str) -> Record | Failure:
    try:
        found = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return Failure(where, f"not valid JSON: {first_line(error)}", _shown(line))
    text = found.get(text_field) if isinstance(found, dict) else None
    if not isinstance(text, str):
        return Failure(where, f'has no text in a field "{text_field}"', _shown(line))
    return Record(where, text, {key: value for key, value in found.items() if key != text_field})


def _read_csv(source: Source, file: IO[str], text_field: str) -> Iterator[Record | Failure]:
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


def _read_parquet(source: Source, text_field: str) -> Iterator[Record | Failure]:
    with _open_parquet(source, text_field) as file:
        number = 0
        for batch in file.iter_batches(ROWS):
            for row in batch.to_pylist():
                number += 1
                where = f"{source.name}:{number}"
                if isinstance(text := row.pop(text_field), str):
                    yield Record(where, text, row)
                else:
                    yield Failure(where, "has no text", json.dumps(row, default=str))


def check_columns(sources: list[Source], text_field: str) -> None:
    """Say which Parquet file lacks the column of the text, before any is read.

    RAISES (InputError): If one does, or is not Parquet.
    """
    for source in sources:
        with _open_parquet(source, text_field):
            pass


def _open_parquet(source: Source, text_field: str) -> Any:
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


def _check_column(source: Source, text_field: str, columns: Iterable[str]) -> None:
    if text_field not in columns:
        found = ", ".join(columns) or "none"
        raise InputError(
            f'{source.name}: expected a column "{text_field}", found {found}. '
            "Name the one with the text: --text-field."
        )


def read_all(sources: list[Source], text_field: str) -> Iterator[Record | Failure]:
    """The records of all files. Of a folder's files, a record says which: `source`."""
    for source in sources:
        for record in source.read(text_field):
            if source.in_folder and isinstance(record, Record):
                yield replace(record, fields={**record.fields, "source": source.name})
            else:
                yield record


def count_records(sources: list[Source], text_field: str) -> int:
    """How many records there are, with those that cannot be read."""
    return sum(_count(source, text_field) for source in sources)


def _count(source: Source, text_field: str) -> int:
    if source.kind == "text":
        return 1
    if source.kind == "parquet":
        with _open_parquet(source, text_field) as parquet:
            return int(parquet.metadata.num_rows)
    if source.kind in ("lines", "jsonl"):
        with source.path.open("rb") as file:
            return sum(1 for line in file if line.strip())
    return sum(1 for _ in source.read(text_field))
