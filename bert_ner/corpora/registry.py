"""The corpora by name. A new one is a module here and its commands in project.yml."""

from enum import StrEnum
from pathlib import Path

from . import conll2003, gmb, mit_movie, mit_trivia, own
from .spec import Corpus

CORPORA = {c.name: c for c in (conll2003.CORPUS, mit_movie.CORPUS, mit_trivia.CORPUS, gmb.CORPUS)}
Name = StrEnum("Name", {name.upper(): name for name in (*CORPORA, "own")})  # type: ignore[misc]


def get_corpus(name: str, assets: Path = Path("assets")) -> Corpus:
    """Look up a corpus.

    name (str): One of `Name`; `own` is read from assets/own/corpus.toml.
    assets (Path): The folder with one folder of native files for each corpus.
    RETURNS (Corpus): The corpus.
    RAISES (InputError): If the description of the user's own corpus is wrong.
    """
    return own.load(assets / "own" / "corpus.toml") if name == "own" else CORPORA[name]
