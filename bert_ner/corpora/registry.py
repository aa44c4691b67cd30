"""The corpora by name. A new corpus is one module in this folder and one entry here."""

from pathlib import Path

from ..errors import InputError, printable
from . import conll2003, gmb, mit_movie, mit_trivia
from .spec import Corpus

CORPORA = {c.name: c for c in (conll2003.CORPUS, mit_movie.CORPUS, mit_trivia.CORPUS, gmb.CORPUS)}
OWN = "own"  # described by the user in assets/own/corpus.toml


def get_corpus(name: str, assets: Path = Path("assets")) -> Corpus:
    """Look up a corpus.

    name (str): A name in `CORPORA`, or `OWN`.
    assets (Path): The folder with one folder of native files for each corpus.
    RETURNS (Corpus): The corpus.
    RAISES (InputError): If the name is unknown, or the description of the user's
        own corpus is wrong.
    """
    if name == OWN:
        from . import own  # imports pydantic

        return own.load(assets / OWN / "corpus.toml")
    if name not in CORPORA:
        names = ", ".join((*CORPORA, OWN))
        raise InputError(f'corpus "{printable(name)}": expected one of {names}.')
    return CORPORA[name]
