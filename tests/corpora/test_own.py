from pathlib import Path

import pytest

from bert_ner.corpora.formats import ColumnFormat, CsvFormat
from bert_ner.corpora.own import load
from bert_ner.errors import InputError


def described(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "corpus.toml"
    path.write_text(text)
    return path


def test_defaults(tmp_path: Path) -> None:
    corpus = load(described(tmp_path, 'train = "mine.tsv"'))
    assert corpus.files == {"train": "mine.tsv"}
    assert corpus.shares == {"dev": 0.1, "test": 0.1}
    assert corpus.format == ColumnFormat(token=0, tag=1, document_marker="-DOCSTART-")


def test_everything_can_be_told(tmp_path: Path) -> None:
    text = """
        train = "a.txt"
        dev = "b.txt"
        test_share = 0.25
        token = 2
        tag = 0
        pos = 1
        separator = "|"
        encoding = "latin-1"
        document_marker = "#doc"
        sentences_per_document = 5
        title = "My corpus"
        licence = "mine"
        url = "https://example.org"
        paper = "Whom to cite"
        labels = { SHIP = "ships: Cutty Sark" }
    """
    corpus = load(described(tmp_path, text))
    assert corpus.files == {"train": "a.txt", "dev": "b.txt"}
    assert corpus.shares == {"test": 0.25}
    assert corpus.format == ColumnFormat(
        token=2, tag=0, pos=1, separator="|", encoding="latin-1", document_marker="#doc"
    )
    assert (corpus.title, corpus.licence, corpus.sentences_per_document) == ("My corpus", "mine", 5)
    assert (corpus.paper, corpus.labels) == ("Whom to cite", {"SHIP": "ships: Cutty Sark"})


def test_csv(tmp_path: Path) -> None:
    corpus = load(described(tmp_path, 'train = "a.csv"\nformat = "csv"\ntoken = "w"\ntag = "t"'))
    assert corpus.format == CsvFormat(sentence="Sentence #", token="w", tag="t")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", '"train" is missing'),
        ('train = "a"\ntokens = 1', 'unknown key "tokens"'),
        ('train = "a"\ntoken = "first"', "token = 'first' must be a whole number"),
        ('train = "a"\ntoken = -1', "0 or more"),
        ('train = "a"\ntest_share = 2', "between 0 and 0.5"),
        ('train = "a"\nformat = "xml"', 'Use "columns" or "csv"'),
        ('train = "a"\nformat = "csv"\ntoken = 0', "must be a text"),
        ("train = 3", "must be a text"),
        ('train = "a"\ndev = "b"\ndev_share = 0.2', "both dev and dev_share"),
        ('train = "/x/a"\ntest = "/y/a"', "files of the same name"),
        ('train = "a"\ntoken = 1', "name the same column"),
        ('train = "a"\nformat = "csv"\nseparator = ";"', '"separator" has no meaning'),
        ("train = ", "not valid TOML"),
    ],
)
def test_mistakes_are_explained(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(described(tmp_path, text))


def test_no_description(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"assets/README\.md"):
        load(tmp_path / "corpus.toml")
