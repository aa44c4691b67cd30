"""Every kind of input gives the same records, and what is broken does not end the reading."""

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bert_ner.annotation.inputs import (
    Failure,
    Kind,
    Record,
    count_records,
    find_sources,
    read_all,
    read_stream,
)
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
def test_each_kind_gives_the_texts_and_keeps_the_rest(
    name: str, column: str, tmp_path: Path
) -> None:
    write(tmp_path / name, TEXTS, column)
    sources = find_sources(tmp_path / name, None)
    found = list(read_all(sources, column))
    assert [record.text for record in found if isinstance(record, Record)] == TEXTS
    assert [str(record.fields) for record in found if isinstance(record, Record)] == [
        str({"id": str(i) if "sv" in name else i}) for i in range(len(TEXTS))
    ]
    assert count_records(sources, column) == len(TEXTS)


def test_plain_text_is_one_record_with_its_line_ends(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeffOslo\r\n\r\nRain\n".encode())
    (found,) = read_all(find_sources(tmp_path / "a.txt", None), "text")
    assert found == Record("a.txt", "Oslo\r\n\r\nRain\n")
    lines = list(read_all(find_sources(tmp_path / "a.txt", "lines"), "text"))
    assert lines == [Record("a.txt:1", "Oslo"), Record("a.txt:3", "Rain")]


def test_a_folder_is_all_its_files_and_each_record_says_which(tmp_path: Path) -> None:
    (tmp_path / "b" / ".hidden").mkdir(parents=True)
    for name in ("b/2.txt", "1.txt", "b/.hidden/3.txt", "b/4.pdf"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    sources = find_sources(tmp_path, None)
    found = [r for r in read_all(sources, "text") if isinstance(r, Record)]
    assert [(r.text, r.fields) for r in found] == [
        ("1.txt", {"source": "1.txt"}),
        ("b/2.txt", {"source": "b/2.txt"}),
    ]
    assert count_records(sources, "text") == 2


@pytest.mark.parametrize(
    ("kind", "line", "error"),
    [
        ("jsonl", b'{"text": "a"', "not valid JSON"),
        ("jsonl", b"[" * 100_000, "not valid JSON"),
        ("jsonl", b'["a"]', 'has no text in a field "text"'),
        ("jsonl", b'{"text": "a", "x": NaN}', "not valid JSON: NaN is no number"),
        ("jsonl", b'{"text": 3}', 'has no text in a field "text"'),
        ("jsonl", b'{"text": "\xff"}', "not valid JSON"),
        ("lines", b"caf\xe9", "not UTF-8: unexpected end of data at byte 3"),
    ],
)
def test_a_broken_line_is_said_and_the_next_one_read(kind: Kind, line: bytes, error: str) -> None:
    good = b'{"text": "Oslo"}' if kind == "jsonl" else b"Oslo"
    stream = io.BytesIO(b"\n".join([good, line, good]))
    first, broken, last = read_stream(stream, kind, "a", "text")
    assert (first, last) == (Record("a:1", "Oslo"), Record("a:3", "Oslo"))
    assert isinstance(broken, Failure)
    assert broken.where == "a:2"
    assert broken.error.startswith(error)
    assert broken.given.encode() == line or "\\x" in broken.given


def test_broken_rows_of_tables_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text,id\nOslo,1\nRain\nLima,2,3\n\xff,4\nQuito,5\n")
    found = list(read_all(find_sources(tmp_path / "a.csv", None), "text"))
    assert [r.text if isinstance(r, Record) else (r.where, r.error) for r in found] == [
        "Oslo",
        ("a.csv:3", "has fewer columns than the header"),
        ("a.csv:4", "has more columns than the header"),
        ("a.csv:5", "not UTF-8"),
        "Quito",
    ]
    pq.write_table(pa.table({"text": ["Oslo", None]}), tmp_path / "a.parquet")
    found = list(read_all(find_sources(tmp_path / "a.parquet", None), "text"))
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
def test_a_file_that_cannot_be_read_at_all_is_said(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        list(read_all(find_sources(tmp_path / name, None), "text"))
    assert message in str(error.value)


def test_a_folder_without_files_and_a_file_that_is_not_there_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no file that ends in"):
        find_sources(tmp_path, None)
    with pytest.raises(InputError, match="not found"):
        find_sources(tmp_path / "a.jsonl", None)


def test_large_cells_and_a_byte_order_mark_are_no_trouble(tmp_path: Path) -> None:
    long = "x" * 200_000
    (tmp_path / "a.csv").write_text(f"\ufefftext\n{long}\n", encoding="utf-8")
    assert [r.text for r in read_all(find_sources(tmp_path / "a.csv", None), "text")] == [long]  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_stream_is_no_table(kind: Kind) -> None:
    with pytest.raises(InputError, match=f"is not read as {kind}"):
        list(read_stream(io.BytesIO(b"text"), kind, "standard input", "text"))


def test_a_folder_of_one_file_says_which_too(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ["Oslo"])
    (found,) = read_all(find_sources(tmp_path, None), "text")
    assert isinstance(found, Record)
    assert found.fields == {"id": "0", "source": "a.csv"}
