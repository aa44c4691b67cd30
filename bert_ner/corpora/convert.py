"""Convert a corpus's native files to corpus/<corpus>/{train,dev,test}.spacy."""

import itertools
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from spacy.vocab import Vocab
from wasabi import table

from ..errors import InputError
from ..files import read_json, replacing, write_json
from .docs import Split, convert
from .formats import Document
from .reader import read
from .registry import Name, get_corpus
from .sources import Kind, Source, read_source
from .spec import Corpus
from .splits import cut, group_sentences
from .tags import Scheme, detect_scheme

SPLITS = ("train", "dev", "test")


def convert_corpus(
    corpus: Corpus, assets: Path, output: Path, *, sentences_per_document: int | None = None
) -> dict[str, Any]:
    """Convert a corpus. The output folder appears whole or not at all.

    corpus (Corpus): The corpus.
    assets (Path): The folder with one folder of native files for each corpus.
    output (Path): The folder to write {train,dev,test}.spacy, source.json and
        stats.json into.
    sentences_per_document (int | None): How many sentences make a document
        where a file marks none, if not what the corpus says.
    RETURNS (dict[str, Any]): The contents of stats.json.
    RAISES (InputError): What is wrong with a native file, and on which line.
    """
    folder = assets / corpus.name
    size = sentences_per_document or corpus.sentences_per_document
    source = read_source(corpus, folder)
    _keep_real(source, output)
    files = {
        split: folder / name
        for split, name in corpus.present(folder).items()
        if split in corpus.files or name in source.files
    }
    documents, schemes, marked = {}, {}, {}
    for split, path in files.items():
        documents[split], schemes[split], marked[split] = _read(path, corpus, size)
    shares = {split: share for split, share in corpus.shares.items() if split not in files}
    documents |= cut(documents["train"], shares)
    for split, found in documents.items():
        if not marked.get(split, marked["train"]):
            documents[split] = group_sentences([sentence for (sentence,) in found], size)
    if empty := [split for split in SPLITS if not documents.get(split)]:
        raise InputError(f"{folder}: too few sentences: nothing is left for the {empty[0]} split.")
    vocab = Vocab()
    splits = {
        split: convert(documents[split], schemes.get(split, schemes["train"]), vocab)
        for split in SPLITS
    }
    stats = _stats(splits, schemes)
    with replacing(output) as partial:
        partial.mkdir()
        for split, converted in splits.items():
            converted.docs.to_disk(partial / f"{split}.spacy")
        write_json(partial / "source.json", asdict(source))
        write_json(partial / "stats.json", stats)
    _report(source, stats)
    return stats


def _keep_real(source: Source, output: Path) -> None:
    """Refuse to put the sample in the place of a corpus that was converted elsewhere."""
    there = output / "source.json"
    if source.kind is not Kind.SAMPLE or not there.exists():
        return
    if (found := read_json(there))["kind"] != Kind.SAMPLE:
        raise InputError(
            f"{output}: is {found['title']}, which the {source.title} would replace. "
            f"Go on with the step after this one, or remove the folder."
        )


def _read(path: Path, corpus: Corpus, size: int) -> tuple[list[Document], Scheme, bool]:
    """Read a file; where it marks no documents, every sentence is one until splits are cut."""
    documents, marked = read(path, corpus.format)
    scheme = detect_scheme([t.tag for t in sentence] for doc in documents for sentence in doc)
    grouping = "marked" if marked else f"{size} sentence{'s' if size > 1 else ''} each"
    print(f"{path}: tags are {scheme}, documents are {grouping}")
    if not marked:
        documents = [[sentence] for sentence in documents[0]]
    return documents, scheme, marked


def _stats(splits: dict[str, Split], schemes: dict[str, Scheme]) -> dict[str, Any]:
    pairs = itertools.combinations(splits, 2)
    return {
        "schemes": {split: str(scheme) for split, scheme in schemes.items()},
        "splits": {name: split.stats() for name, split in splits.items()},
        "sentences_also_in": {
            f"{second} in {first}": _shared(splits[first].texts, splits[second].texts.elements())
            for first, second in pairs
        },
    }


def _shared(known: Iterable[str], sentences: Iterable[str]) -> int:
    known = set(known)
    return sum(sentence in known for sentence in sentences)


def _report(source: Source, stats: dict[str, Any]) -> None:
    print(source.line())
    if source.kind is Kind.SAMPLE:
        print(f"This is not {source.corpus}: no score on it may be called one on that corpus.")
    splits = stats["splits"]
    labels = sorted({label for split in splits.values() for label in split["entities"]} - {"all"})
    rows: list[tuple[str, ...]] = [
        (key.replace("_", " "), *(f"{split[key]:,}" for split in splits.values()))
        for key in ("documents", "sentences", "tokens", "repaired_tags", "repeated_sentences")
    ]
    for label in [*labels, "all"]:
        rows.append((label, *(f"{split['entities'].get(label, 0):,}" for split in splits.values())))
    print(table(rows, header=("", *splits), divider=True, aligns=("l", "r", "r", "r")))
    for pair, number in stats["sentences_also_in"].items():
        print(f"sentences of {pair}: {number:,}")


def main(
    corpus: Annotated[Name, typer.Argument(help="The corpus.")],
    assets: Annotated[Path, typer.Option(help="Folder of native files.")] = Path("assets"),
    output: Annotated[Path, typer.Option(help="Folder of converted corpora.")] = Path("corpus"),
    sentences_per_document: Annotated[
        int | None, typer.Option(min=1, help="Sentences in a document where a file marks none.")
    ] = None,
) -> None:
    """Convert a corpus to spaCy's binary format, and count what is in it."""
    convert_corpus(
        get_corpus(corpus, assets),
        assets,
        output / corpus,
        sentences_per_document=sentences_per_document,
    )
