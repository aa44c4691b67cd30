"""MIT Movie: what its two corpora, eng and trivia10k13, have in common."""

from functools import partial

from .formats import ColumnFormat
from .public import fetch_urls
from .spec import Public

FORMAT = ColumnFormat(tag=0, token=1, columns=2)
URL = "https://groups.csail.mit.edu/sls/downloads/movie/"
PAPER = (
    "Liu, Pasupat, Wang, Cyphers and Glass, Query Understanding Enhanced by Hierarchical "
    "Parsing Structures, ASRU 2013"
)
LICENCE = "no licence stated: not redistributable"


def published(checksums: dict[str, str]) -> Public:
    """The download page's files, by name and SHA-256."""
    urls = {name: (URL + name, checksum) for name, checksum in checksums.items()}
    return Public(where=URL, fetch=partial(fetch_urls, urls))
