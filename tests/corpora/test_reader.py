from pathlib import Path

import pytest

from bert_ner.corpora import conll2003, gmb, mit
from bert_ner.corpora.formats import ColumnFormat, Document, Format
from bert_ner.corpora.reader import read
from bert_ner.errors import InputError

HEADER = "Sentence #,Word,POS,Tag\r\n"


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "native.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def words(documents: list[Document]) -> list[list[list[str]]]:
    return [[[token.word for token in s] for s in document] for document in documents]


@pytest.mark.parametrize(
    "marker", ["-DOCSTART- -X- -X- O", "-DOCSTART- -X- O O", "-DOCSTART-\tO", "-DOCSTART-"]
)
def test_any_document_marker_starts_a_document(tmp_path: Path, marker: str) -> None:
    text = f"{marker}\n\na _ _ O\n\nb _ _ O\n{marker}\nc _ _ B-X\n"
    documents, marked = read(written(tmp_path, text), conll2003.FORMAT)
    assert words(documents) == [[["a"], ["b"]], [["c"]]]
    assert marked


def test_file_without_marker_is_one_unmarked_document(tmp_path: Path) -> None:
    documents, marked = read(written(tmp_path, "a _ _ O\n\n\n\nb _ _ O"), conll2003.FORMAT)
    assert words(documents) == [[["a"], ["b"]]]
    assert not marked


@pytest.mark.parametrize("text", ["\ufeffO\tone\r\n\r\nB-X  two \r\n", "O one\n \t \nB-X\ttwo\n"])
def test_bom_line_ends_and_blanks(tmp_path: Path, text: str) -> None:
    documents, _ = read(written(tmp_path, text), mit.FORMAT)
    assert words(documents) == [[["one"], ["two"]]]


def test_separator_keeps_no_break_space_and_next_line_inside_a_token(tmp_path: Path) -> None:
    documents, _ = read(written(tmp_path, "a\u00a0b\u0085c _ _ O\n"), conll2003.FORMAT)
    assert words(documents) == [[["a\u00a0b\u0085c"]]]


def test_csv_quirks(tmp_path: Path) -> None:
    """Forward-filled sentences, quoted commas and quotes, cp1252, the word None."""
    text = (
        HEADER + 'Sentence: 1,",",",",O\r\n,"""",``,O\r\n,None,NN,O\r\n'
        "Sentence: 2,\u2026,:,O\r\n,Zo\u00eb,NNP,B-per\r\n"
    ).encode("cp1252")
    documents, _ = read(written(tmp_path, text), gmb.CORPUS.format)
    assert words(documents) == [[[",", '"', "None"], ["\u2026", "Zo\u00eb"]]]


def test_csv_may_name_the_sentence_on_every_row(tmp_path: Path) -> None:
    text = "Sentence #,Word,POS,Tag\n1,New,_,B-geo\n1,York,_,I-geo\n2,x,_,O\n2,y,_,O\n"
    documents, _ = read(written(tmp_path, text), gmb.CORPUS.format)
    assert words(documents) == [[["New", "York"], ["x", "y"]]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf_8", "UTF8", "utf-16", "utf-16-le"])
def test_byte_order_mark_is_no_part_of_a_token(tmp_path: Path, encoding: str) -> None:
    data = "\ufeff-DOCSTART- O\nOslo B-LOC\n".encode(encoding)
    form = ColumnFormat(token=0, tag=1, encoding=encoding, document_marker="-DOCSTART-")
    documents, marked = read(written(tmp_path, data), form)
    assert words(documents) == [[["Oslo"]]]
    assert marked


@pytest.mark.parametrize(
    ("text", "form", "line", "message"),
    [
        ("a _ _ O\nb _ O\n", conll2003.FORMAT, 2, "expected 4 columns"),
        ("a _  _ O\n", conll2003.FORMAT, 1, "It has 5"),
        ("a\t_\t_\tO\n", conll2003.FORMAT, 1, "It has 1"),
        ("a _ _ O\n\nb _ _ PER\n", conll2003.FORMAT, 3, 'such as "B-PER"'),
        ("a _ _ b-per\n", conll2003.FORMAT, 1, 'found "b-per"'),
        ("O\n", mit.FORMAT, 1, "expected 2 columns"),
        (b"a _ _ O\n\xff _ _ O\n", conll2003.FORMAT, 2, "encoded as utf-8"),
        ("", conll2003.FORMAT, None, "found none"),
        ("-DOCSTART- -X- O O\n\n", conll2003.FORMAT, None, "found none"),
        ("Sentence #,Word,POS\n", gmb.CORPUS.format, 1, 'missing columns: "Tag"'),
        (HEADER + "Sentence: 1,a,b\r\n", gmb.CORPUS.format, 2, "expected 4 columns"),
        (HEADER + "Sentence: 1,a,b,O,O\r\n", gmb.CORPUS.format, 2, "expected 4 columns"),
        (HEADER + "Sentence: 1,a,b,per\r\n", gmb.CORPUS.format, 2, 'found "per"'),
        (HEADER + "Sentence: 1, ,b,O\r\n", gmb.CORPUS.format, 2, "expected a token"),
        (HEADER + 'Sentence: 1,"a"x,b,O\r\n', gmb.CORPUS.format, 2, "well-formed csv"),
        (HEADER, gmb.CORPUS.format, None, "found none"),
        ('"Sentence #"x,Word,POS,Tag\r\n', gmb.CORPUS.format, 1, "well-formed csv"),
        ("a\x1b[31m _ O\n", conll2003.FORMAT, 1, r"a\x1b[31m"),
        ("a O", ColumnFormat(token=0, tag=1, encoding="undefined"), None, "not an encoding"),
        ("a O", ColumnFormat(token=0, tag=1, encoding="latin-9000"), None, "not an encoding"),
        ("a O", ColumnFormat(token=0, tag=3), 1, "expected 4 columns"),
    ],
)
def test_bad_input_names_the_file_the_line_and_the_cure(
    tmp_path: Path, text: str | bytes, form: Format, line: int | None, message: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read(path, form)
    error = str(caught.value)
    assert message in error
    assert "\n" not in error
    if line:
        assert error.startswith(f"{path}:{line}: ")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "nothing.txt", mit.FORMAT)
