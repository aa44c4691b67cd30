"""The public sources, replaced by local files and data sets."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Sequence, Value

from bert_ner.corpora.conll2003 import FORMAT, HUB
from bert_ner.corpora.public import HubTable, fetch_hub_table, fetch_urls
from bert_ner.corpora.reader import read
from bert_ner.errors import InputError

TABLE = HubTable(
    name=HUB.name,
    revision=HUB.revision,
    files=HUB.files,
    columns=HUB.columns,
    sentences={"train": 2, "validation": 1, "test": 1},
)


def table_like_the_hub(train_rows: int = 2) -> DatasetDict:
    """Make what `load_dataset` returns for CoNLL-2003: lists of words and of numbered classes."""
    features = Features(
        {
            "id": Value("string"),
            "tokens": Sequence(Value("string")),
            "pos_tags": Sequence(ClassLabel(names=['"', "NNP", "VBZ"])),
            "chunk_tags": Sequence(ClassLabel(names=["O", "B-NP", "B-VP"])),
            "ner_tags": Sequence(ClassLabel(names=["O", "B-PER", "I-PER"])),
        }
    )
    row = {
        "tokens": ["Anna", "sings"],
        "pos_tags": [1, 2],
        "chunk_tags": [1, 2],
        "ner_tags": [1, 0],
    }

    def table(count: int) -> Dataset:
        rows: dict[str, list[Any]] = {"id": [str(i) for i in range(count)]}
        return Dataset.from_dict(rows | {k: [v] * count for k, v in row.items()}, features=features)

    return DatasetDict(train=table(train_rows), validation=table(1), test=table(1))


def test_hub_table_is_written_in_the_native_format(tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []

    def load(name: str, *, revision: str) -> DatasetDict:
        asked.append((name, revision))
        return table_like_the_hub()

    fetch_hub_table(TABLE, tmp_path, load=load)
    assert asked == [(HUB.name, HUB.revision)]
    assert len(HUB.revision) == 40  # a commit: it cannot change
    assert (tmp_path / "train.txt").read_text() == "Anna NNP B-NP B-PER\nsings VBZ B-VP O\n\n" * 2
    documents, marked = read(tmp_path / "valid.txt", FORMAT)
    assert len(documents[0]) == 1
    assert not marked


def test_hub_table_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected 2 sentences in train, found 3"):
        fetch_hub_table(TABLE, tmp_path, load=lambda name, revision: table_like_the_hub(3))


@pytest.mark.parametrize("error", [OSError("down"), ValueError("offline")])
def test_hub_that_fails_is_a_connection_error(tmp_path: Path, error: Exception) -> None:
    def load(name: str, *, revision: str) -> DatasetDict:
        raise error

    with pytest.raises(ConnectionError, match=str(error)):
        fetch_hub_table(TABLE, tmp_path, load=load)


def test_hub_is_not_asked_where_it_is_switched_off(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match="HF_HUB_OFFLINE"):
        fetch_hub_table(TABLE, tmp_path)


def test_urls_are_fetched_and_checked(tmp_path: Path) -> None:
    source = tmp_path / "there.bio"
    source.write_text("O\tone\n")
    checksum = hashlib.sha256(source.read_bytes()).hexdigest()
    folder = tmp_path / "here"
    folder.mkdir()
    fetch_urls({"a.bio": (source.as_uri(), checksum)}, folder)
    assert (folder / "a.bio").read_text() == "O\tone\n"
    with pytest.raises(InputError, match="tampered"):
        fetch_urls({"a.bio": (source.as_uri(), "0" * 64)}, folder)
    with pytest.raises(ConnectionError):
        fetch_urls({"a.bio": ((tmp_path / "nothing").as_uri(), checksum)}, folder)
