"""Convert a corpus's native files to corpus/<corpus>/{train,dev,test}.spacy."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer
from wasabi import table

from bert_ner import cli
from bert_ner.corpora.registry import get_corpus

if TYPE_CHECKING:
    from bert_ner.corpora.convert import Conversion, Stats

Count = Literal["documents", "sentences", "tokens", "repaired_tags", "repeated_sentences"]
COUNTS: tuple[Count, ...] = get_args(Count)


def main(
    corpus: cli.CorpusArgument,
    assets: cli.AssetsOption = Path("assets"),
    output: Annotated[Path, typer.Option(help="Folder of the converted corpora.")] = Path("corpus"),
    sentences_per_document: Annotated[
        int | None, typer.Option(min=1, help="Sentences per document if a file marks none.")
    ] = None,
) -> None:
    """Convert a corpus to spaCy's binary format and count its contents."""
    spec = get_corpus(corpus, assets)
    from bert_ner.corpora.convert import convert_corpus  # imports spaCy

    report(
        convert_corpus(spec, assets, output / corpus, sentences_per_document=sentences_per_document)
    )


def report(conversion: "Conversion") -> None:
    """Print a conversion."""
    size = conversion.sentences_per_document
    for file in conversion.files.values():
        unmarked = f"{size} sentence{'s' if size > 1 else ''} each"
        grouping = "marked" if file.marks_documents else unmarked
        print(f"{file.path}: tags are {file.scheme}, documents are {grouping}")
    source = conversion.source
    print(source.line())
    if source.kind == "sample":
        print(f"This is not {source.corpus}. Do not report its scores as scores on that corpus.")
    print_stats(conversion.stats)


def print_stats(stats: "Stats") -> None:
    """Print the counts of each split as a table."""
    splits = stats["splits"]
    labels = sorted({label for split in splits.values() for label in split["entities"]} - {"all"})
    rows: list[tuple[str, ...]] = [
        (key.replace("_", " "), *(f"{split[key]:,}" for split in splits.values())) for key in COUNTS
    ]
    for label in [*labels, "all"]:
        rows.append((label, *(f"{split['entities'].get(label, 0):,}" for split in splits.values())))
    print(table(rows, header=("", *splits), divider=True, aligns=("l", "r", "r", "r")))
    for pair, number in stats["sentences_also_in"].items():
        print(f"sentences of {pair}: {number:,}")


if __name__ == "__main__":
    cli.run(main)
