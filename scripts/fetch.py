"""Put a corpus's native files into assets/<corpus>/, from the first source that has them.

Every workflow starts with this command, so it also writes the digests of the code that the steps
after it depend on: see `bert_ner.digests`.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli
from bert_ner.corpora.registry import get_corpus
from bert_ner.corpora.sources import fetch
from bert_ner.digests import write_digests


class Fallback(StrEnum):
    """The last source to try."""

    SAMPLE = "sample"
    NONE = "none"


def main(
    corpus: cli.CorpusArgument,
    assets: cli.AssetsOption = Path("assets"),
    fallback: Annotated[
        Fallback,
        typer.Option(help="Use the built-in sample if no source has the corpus, or fail."),
    ] = Fallback.SAMPLE,
    strict: Annotated[bool, typer.Option("--strict", help="The same as --fallback none.")] = False,
) -> None:
    """Fetch a corpus: your files, NER_CORPORA, the public source, or the built-in sample."""
    spec = get_corpus(corpus, assets)
    write_digests(assets / ".code")
    allow_sample = fallback is Fallback.SAMPLE and not strict
    print(fetch(spec, assets, allow_sample=allow_sample).line())


if __name__ == "__main__":
    cli.run(main)
