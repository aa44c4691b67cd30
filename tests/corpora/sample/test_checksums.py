from pathlib import Path

import pytest

from bert_ner.corpora.registry import CORPORA
from bert_ner.corpora.sample import checksums


def test_stored_checksums_are_those_of_the_generated_sample() -> None:
    """The docstring of checksums.py says how to update the file."""
    assert checksums.generate() == checksums.STORED.read_text(encoding="utf-8")


def test_stored_checksums_are_used_without_generating() -> None:
    def write(folder: Path) -> None:
        raise AssertionError

    for name in CORPORA:
        assert checksums.sample_checksums(name, write)


def test_another_version_of_faker_generates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert_ner.corpora.sample.checksums.metadata.version", lambda name: "0")
    (checksum,) = checksums.sample_checksums("gmb", lambda folder: _write(folder / "a.csv"))
    assert checksum == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def _write(path: Path) -> None:
    path.write_text("abc")
