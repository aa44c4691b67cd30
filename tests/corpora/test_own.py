import tomllib
from pathlib import Path

import pytest

from bert_ner.corpora.formats import ColumnFormat, CsvFormat
from bert_ner.corpora.own import ColumnsDescription, CsvDescription, load
from bert_ner.errors import InputError
from tests.conftest import ROOT


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
        paper = "A paper"
        example = "The Cutty Sark left."
        labels = { SHIP = "ships: Cutty Sark" }
    """
    corpus = load(described(tmp_path, text))
    assert corpus.files == {"train": "a.txt", "dev": "b.txt"}
    assert corpus.shares == {"test": 0.25}
    assert corpus.format == ColumnFormat(
        token=2, tag=0, pos=1, separator="|", encoding="latin-1", document_marker="#doc"
    )
    assert (corpus.title, corpus.licence, corpus.sentences_per_document) == ("My corpus", "mine", 5)
    assert (corpus.paper, corpus.labels) == ("A paper", {"SHIP": "ships: Cutty Sark"})
    assert corpus.example == "The Cutty Sark left."


def test_csv(tmp_path: Path) -> None:
    corpus = load(described(tmp_path, 'train = "a.csv"\nformat = "csv"\ntoken = "w"\ntag = "t"'))
    assert corpus.format == CsvFormat(sentence="Sentence #", token="w", tag="t")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", '"train" is missing'),
        ('trian = "a"', 'unknown key "trian"'),
        ('train = "a"\ntokens = 1', 'unknown key "tokens"'),
        (
            'train = "a"\ntoken = "first"',
            "token: expected a whole number, 0 or more, found 'first'",
        ),
        ('train = "a"\ntoken = -1', "expected a whole number, 0 or more, found -1"),
        ('train = "a"\ntoken = true', "a whole number, 0 or more, found True"),
        ('train = "a"\npos = "x"', "pos: expected a whole number"),
        ('train = "a"\nsentences_per_document = 0', "a whole number, 1 or more, found 0"),
        ('train = "a"\ntest_share = 2', "test_share: expected a number between 0 and 0.5, found 2"),
        ('train = "a"\ndev_share = nan', "between 0 and 0.5, found nan"),
        ('train = "a"\nformat = "xml"', 'Use "columns" or "csv"'),
        ('train = "a"\nformat = ["csv"]', 'Use "columns" or "csv"'),
        ('train = "a"\nformat = "csv"\ntoken = 0', "token: expected a text in quotes, found 0"),
        ('train = "a"\ndev = 3', "dev: expected a text in quotes, found 3"),
        ("train = 3", "train: expected a text in quotes, found 3"),
        ('train = "a"\nlabels = { SHIP = 1 }', "labels.SHIP: expected a table with a text"),
        ('train = "a"\nlabels = "SHIP"', "labels: expected a table with a text for each label"),
        ('train = "a"\ndev = "b"\ndev_share = 0.2', "both dev and dev_share"),
        ('train = "/x/a"\ntest = "/y/a"', "files of the same name"),
        ('train = "a"\ntoken = 1', "name the same column"),
        ('train = "a"\nformat = "csv"\nseparator = ";"', '"separator" cannot be used'),
        ('train = "a"\nsentence = "S"', '"sentence" cannot be used with format = "columns"'),
        ('train = "a"\n"\\u001b[31m" = 1', r"unknown key"),
        ("train = ", "not valid TOML"),
    ],
)
def test_mistakes_are_explained(tmp_path: Path, text: str, message: str) -> None:
    path = described(tmp_path, text)
    with pytest.raises(InputError, match=message) as caught:
        load(path)
    error = str(caught.value)
    assert error.startswith(f"{path}: ")
    assert error.isprintable()  # in one line


def test_no_description(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"assets/README\.md"):
        load(tmp_path / "corpus.toml")


def test_example_of_the_readme_names_every_key(tmp_path: Path) -> None:
    readme = (ROOT / "assets" / "README.md").read_text(encoding="utf-8")
    example = readme.split("```toml\n")[1].split("```")[0]
    corpus = load(described(tmp_path, example))
    assert corpus.title == "Ship logs"
    assert corpus.format == ColumnFormat(
        token=0, tag=1, pos=2, separator="\t", document_marker="-DOCSTART-"
    )
    columns = ColumnsDescription.model_fields.keys() - {"dev_share", "test_share"}
    assert columns == tomllib.loads(example).keys()
    for key in CsvDescription.model_fields.keys() | ColumnsDescription.model_fields.keys():
        assert key in readme
