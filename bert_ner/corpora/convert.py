"""Converts a corpus's native files to {train,dev,test}.spacy."""

import itertools
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

from spacy.vocab import Vocab

from ..errors import InputError
from ..files import read_json, replacing, write_json
from .docs import Split, SplitStats, convert
from .formats import Document
from .reader import read
from .sources import Kind, Source, read_source
from .spec import Corpus
from .splits import cut, group_sentences
from .tags import Scheme, detect_scheme

SPLITS = ("train", "dev", "test")


class Stats(TypedDict):
    """Contents of stats.json. The keys of `sentences_also_in` are such as "dev in train"."""

    schemes: dict[str, str]
    splits: dict[str, SplitStats]
    sentences_also_in: dict[str, int]


@dataclass(frozen=True)
class NativeFile:
    """A native file, its documents and the conventions detected in it.

    If it marks no documents, every sentence is a document until splits are cut.
    """

    path: Path
    documents: list[Document]
    scheme: Scheme
    marks_documents: bool


@dataclass(frozen=True)
class Conversion:
    """A finished conversion.

    source (Source): The origin of the native files.
    files (dict[str, NativeFile]): The native file of each split that has one.
    sentences_per_document (int): The number of sentences in a document if a file
        does not mark documents.
    stats (Stats): The contents of stats.json.
    """

    source: Source
    files: dict[str, NativeFile]
    sentences_per_document: int
    stats: Stats


def convert_corpus(
    corpus: Corpus, assets: Path, output: Path, *, sentences_per_document: int | None = None
) -> Conversion:
    """Convert a corpus. The output folder appears complete or not at all.

    corpus (Corpus): The corpus.
    assets (Path): The folder with one folder of native files for each corpus.
    output (Path): The folder to write {train,dev,test}.spacy, source.json and
        stats.json to.
    sentences_per_document (int | None): The number of sentences in a document if a
        file does not mark documents. None means the corpus's own number.
    RETURNS (Conversion): The conversion.
    RAISES (InputError): For the first mistake in a native file, with its line, or if
        the sample would replace a real corpus.
    """
    folder = assets / corpus.name
    size = sentences_per_document or corpus.sentences_per_document
    source = read_source(corpus, folder)
    _keep_real(source, output)
    files = {
        split: _read(folder / name, corpus)
        for split, name in corpus.present(folder).items()
        if split in corpus.files or name in source.files
    }
    documents = _split_documents(corpus, files, size)
    if empty := [split for split in SPLITS if not documents.get(split)]:
        raise InputError(
            f"{folder}: too few sentences: the {empty[0]} split is empty. Add sentences."
        )
    vocab = Vocab()
    splits = {
        split: convert(documents[split], files.get(split, files["train"]).scheme, vocab)
        for split in SPLITS
    }
    conversion = Conversion(source, files, size, _count(splits, files))
    _write(conversion, splits, output)
    return conversion


def _write(conversion: Conversion, splits: dict[str, Split], output: Path) -> None:
    with replacing(output) as partial:
        partial.mkdir()
        for split, converted in splits.items():
            converted.docs.to_disk(partial / f"{split}.spacy")
        write_json(partial / "source.json", asdict(conversion.source))
        write_json(partial / "stats.json", conversion.stats)


def _keep_real(source: Source, output: Path) -> None:
    """Check that the sample does not replace a real corpus that was converted before."""
    previous = output / "source.json"
    if source.kind is not Kind.SAMPLE or not previous.exists():
        return
    if (record := read_json(previous))["kind"] != Kind.SAMPLE:
        raise InputError(
            f"{output}: contains {record['title']}, and the {source.title} would replace it. "
            f"Continue with the next step, or remove the folder."
        )


def _read(path: Path, corpus: Corpus) -> NativeFile:
    documents, marked = read(path, corpus.format)
    scheme = detect_scheme([t.tag for t in sentence] for doc in documents for sentence in doc)
    if not marked:
        documents = [[sentence] for sentence in documents[0]]
    return NativeFile(path, documents, scheme, marked)


def _split_documents(
    corpus: Corpus, files: dict[str, NativeFile], size: int
) -> dict[str, list[Document]]:
    """Cut the missing splits off train, then group sentences where documents are not marked."""
    documents = {split: file.documents for split, file in files.items()}
    shares = {split: share for split, share in corpus.shares.items() if split not in files}
    documents |= cut(documents["train"], shares)
    for split, singles in documents.items():
        if not files.get(split, files["train"]).marks_documents:
            documents[split] = group_sentences([sentence for (sentence,) in singles], size)
    return documents


def _count(splits: dict[str, Split], files: dict[str, NativeFile]) -> Stats:
    pairs = itertools.combinations(splits, 2)
    return {
        "schemes": {split: str(file.scheme) for split, file in files.items()},
        "splits": {name: split.stats() for name, split in splits.items()},
        "sentences_also_in": {
            f"{second} in {first}": _shared(splits[first].texts, splits[second].texts.elements())
            for first, second in pairs
        },
    }


def _shared(known: Iterable[str], sentences: Iterable[str]) -> int:
    known = set(known)
    return sum(sentence in known for sentence in sentences)
