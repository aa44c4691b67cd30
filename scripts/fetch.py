"""Put a corpus's native files into assets/<corpus>/, from the first place that has them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli
from bert_ner.code import write_pipes_digest
from bert_ner.corpora.registry import Name, get_corpus
from bert_ner.corpora.sources import fetch


class Fallback(StrEnum):
    """What to do where the corpus cannot be had."""

    SAMPLE = "sample"
    NONE = "none"


def main(
    corpus: Annotated[Name, typer.Argument(help="The corpus.")],
    assets: Annotated[Path, typer.Option(help="Folder of native files.")] = Path("assets"),
    fallback: Annotated[
        Fallback, typer.Option(help="Use the built-in sample where nothing else is there, or fail.")
    ] = Fallback.SAMPLE,
    strict: Annotated[bool, typer.Option("--strict", help="The same as --fallback none.")] = False,
    digest: Annotated[
        Path, typer.Option(help="File for the digest of the pipes, on which training depends.")
    ] = Path("training/pipes.sha256"),
) -> None:
    """Fetch a corpus: your files, NER_CORPORA, the public source, or the built-in sample."""
    allow_sample = fallback is Fallback.SAMPLE and not strict
    write_pipes_digest(digest)
    print(fetch(get_corpus(corpus, assets), assets, allow_sample=allow_sample).line())


if __name__ == "__main__":
    cli.run(main)
