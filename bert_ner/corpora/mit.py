"""MIT Movie: format, licence and addresses of its two corpora, eng and trivia10k13."""

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
    """Describe files of the download page.

    checksums (dict[str, str]): The SHA-256 of each file.
    RETURNS (Public): The public source.
    """
    urls = {name: (URL + name, checksum) for name, checksum in checksums.items()}
    return Public(where=URL, fetch=partial(fetch_urls, urls))
