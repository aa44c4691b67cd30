"""Every input format gives the same records, and broken records do not end the reading."""

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bert_ner.annotation.inputs import (
    Failure,
    Record,
    count_records,
    find_files,
    read_files,
    read_stream,
)
from bert_ner.annotation.options import InputFormat
from bert_ner.errors import InputError

TEXTS = ["Anna Berg lives in Oslo.", 'a "quoted", text', "two\nlines", "naïve 😀 \u202eשלום", ""]


def write(path: Path, texts: list[str], column: str = "text") -> None:
    rows = [{"id": i, column: text} for i, text in enumerate(texts)]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix in (".csv", ".tsv"):
        with path.open("w", encoding="utf-8", newline="") as file:
            dialect = "excel" if path.suffix == ".csv" else "excel-tab"
            writer = csv.DictWriter(file, ["id", column], dialect=dialect)
            writer.writeheader()
            writer.writerows(rows)
    else:
        path.write_text("".join(json.dumps(row) + "\n\n" for row in rows), encoding="utf-8")


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.tsv", "a.parquet"])
@pytest.mark.parametrize("column", ["text", "body"])
def test_each_format_gives_the_texts_and_keeps_the_other_fields(
    name: str, column: str, tmp_path: Path
) -> None:
    write(tmp_path / name, TEXTS, column)
    sources = find_files(tmp_path / name, None)
    records = [r for r in read_files(sources, column) if isinstance(r, Record)]
    assert [record.text for record in records] == TEXTS
    assert [str(record.fields) for record in records] == [
        str({"id": str(i) if "sv" in name else i}) for i in range(len(TEXTS))
    ]
    assert count_records(sources, column) == len(TEXTS)


def test_plain_text_is_one_record_with_its_line_ends(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeffOslo\r\n\r\nRain\n".encode())
    (found,) = read_files(find_files(tmp_path / "a.txt", None), "text")
    assert found == Record("a.txt", "Oslo\r\n\r\nRain\n")
    lines = list(read_files(find_files(tmp_path / "a.txt", InputFormat.LINES), "text"))
    assert lines == [Record("a.txt:1", "Oslo"), Record("a.txt:3", "Rain")]


def test_a_folder_gives_all_its_files_and_each_record_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "b" / ".hidden").mkdir(parents=True)
    for name in ("b/2.txt", "1.txt", "b/.hidden/3.txt", "b/4.pdf"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    sources = find_files(tmp_path, None)
    records = [r for r in read_files(sources, "text") if isinstance(r, Record)]
    assert [(r.text, r.fields) for r in records] == [
        ("1.txt", {"source": "1.txt"}),
        ("b/2.txt", {"source": "b/2.txt"}),
    ]
    assert count_records(sources, "text") == 2


@pytest.mark.parametrize(
    ("input_format", "line", "error"),
    [
        (InputFormat.JSONL, b'{"text": "a"', "not valid JSON"),
        (InputFormat.JSONL, b"[" * 100_000, "not valid JSON"),
        (InputFormat.JSONL, b'["a"]', 'has no text in a field "text"'),
        (InputFormat.JSONL, b'{"text": "a", "x": NaN}', "not valid JSON: NaN is not a JSON number"),
        (InputFormat.JSONL, b'{"text": 3}', 'has no text in a field "text"'),
        (InputFormat.JSONL, b'{"text": "\xff"}', "not valid JSON"),
        (InputFormat.LINES, b"caf\xe9", "not UTF-8: unexpected end of data at byte 3"),
    ],
)
def test_a_broken_line_is_a_failure_and_reading_continues(
    input_format: InputFormat, line: bytes, error: str
) -> None:
    good = b'{"text": "Oslo"}' if input_format is InputFormat.JSONL else b"Oslo"
    stream = io.BytesIO(b"\n".join([good, line, good]))
    first, broken, last = read_stream(stream, input_format, "a", "text")
    assert (first, last) == (Record("a:1", "Oslo"), Record("a:3", "Oslo"))
    assert isinstance(broken, Failure)
    assert broken.where == "a:2"
    assert broken.error.startswith(error)
    assert broken.given.encode() == line or "\\x" in broken.given


def test_broken_rows_of_tables_are_failures(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text,id\nOslo,1\nRain\nLima,2,3\n\xff,4\nQuito,5\n")
    found = list(read_files(find_files(tmp_path / "a.csv", None), "text"))
    assert [r.text if isinstance(r, Record) else (r.where, r.error) for r in found] == [
        "Oslo",
        ("a.csv:3", "has fewer columns than the header"),
        ("a.csv:4", "has more columns than the header"),
        ("a.csv:5", "not UTF-8"),
        "Quito",
    ]
    pq.write_table(pa.table({"text": ["Oslo", None]}), tmp_path / "a.parquet")
    found = list(read_files(find_files(tmp_path / "a.parquet", None), "text"))
    assert found == [Record("a.parquet:1", "Oslo"), Failure("a.parquet:2", "has no text", "{}")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"id,body\n1,Oslo\n", 'a.csv: expected a column "text", found id, body.'),
        ("a.csv", b"", 'a.csv: expected a column "text", found none.'),
        ("a.parquet", b"PAR1", "a.parquet: not a Parquet file: "),
        ("a.pdf", b"", "does not end in .txt, .md, .jsonl"),
    ],
)
def test_an_unreadable_file_is_refused(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        list(read_files(find_files(tmp_path / name, None), "text"))
    assert message in str(error.value)


def test_an_empty_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="contains no file that ends in"):
        find_files(tmp_path, None)
    with pytest.raises(InputError, match="not found"):
        find_files(tmp_path / "a.jsonl", None)


def test_large_cells_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    long = "x" * 200_000
    (tmp_path / "a.csv").write_text(f"\ufefftext\n{long}\n", encoding="utf-8")
    assert [r.text for r in read_files(find_files(tmp_path / "a.csv", None), "text")] == [long]  # type: ignore[union-attr]


@pytest.mark.parametrize("input_format", [InputFormat.CSV, InputFormat.PARQUET])
def test_a_stream_is_not_a_table(input_format: InputFormat) -> None:
    with pytest.raises(InputError, match=f"cannot be read as {input_format}"):
        list(read_stream(io.BytesIO(b"text"), input_format, "standard input", "text"))


def test_a_folder_of_one_file_names_it_too(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ["Oslo"])
    (found,) = read_files(find_files(tmp_path, None), "text")
    assert isinstance(found, Record)
    assert found.fields == {"id": "0", "source": "a.csv"}
