"""What the project knows about a corpus."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .formats import Format


@dataclass(frozen=True, kw_only=True)
class Public:
    """Where a corpus is published.

    where (str): The place, for the line that says where files came from.
    fetch (Callable[[Path], None]): Writes the native files into a folder.
        Raises `ConnectionError` if the place cannot be reached, and
        `InputError` if what it sends is not what the project knows.
    """

    where: str
    fetch: Callable[[Path], None]


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A corpus: where it comes from, its format, its splits, its licence.

    name (str): The folder's name under assets/, corpus/, training/, metrics/.
    title (str): Its name for people.
    pipeline (str): The packaged pipeline's name without the language.
    description (str): One line about the pipeline trained on it.
    licence (str): What one may do with the text.
    url (str): Where one reads about it.
    paper (str): What to cite.
    labels (Mapping[str, str]): What each label stands for, with an example of the
        project's own.
    example (str): A sentence of the project's own in the corpus's domain, to try a
        pipeline on.
    format (Format): What the native files look like.
    files (Mapping[str, str]): The native file of each split that has one.
    optional (Mapping[str, str]): The native file of each split that may have one.
    corrected (str): The native file with a corrected annotation of the test
        split, to judge an audit by.
    shares (Mapping[str, float]): The share of the train file's documents that
        is cut off for each split without a file.
    provided (Mapping[str, str]): Where each native file is under `NER_CORPORA`.
    sentences_per_document (int): How many sentences make a document where the
        file marks none.
    public (Public | None): Where it is published, if the project may fetch it.
    sample (Callable[[Path], None] | None): Writes the built-in sample's
        native files into a folder.
    """

    name: str
    title: str
    pipeline: str
    description: str
    licence: str
    url: str
    format: Format
    files: Mapping[str, str]
    paper: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    example: str = ""
    optional: Mapping[str, str] = field(default_factory=dict)
    corrected: str = ""
    shares: Mapping[str, float] = field(default_factory=dict)
    provided: Mapping[str, str] = field(default_factory=dict)
    sentences_per_document: int = 1
    public: Public | None = None
    sample: Callable[[Path], None] | None = None

    def present(self, folder: Path) -> dict[str, str]:
        """The native file of each split: all that must be there, and what may be and is."""
        there = {s: name for s, name in self.optional.items() if (folder / name).exists()}
        return {**self.files, **there}


def recorded_name(name: str) -> str:
    """A native file's name in records: without the folders of this machine."""
    return Path(name).name if Path(name).is_absolute() else name
