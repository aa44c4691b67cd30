"""Description of a corpus."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .formats import Format


@dataclass(frozen=True, kw_only=True)
class Public:
    """The public source of a corpus.

    where (str): The source for people, such as an address.
    fetch (Callable[[Path], None]): Writes the native files into a folder.
        Raises `ConnectionError` if the source cannot be reached, and
        `InputError` if its files are not the expected ones.
    """

    where: str
    fetch: Callable[[Path], None]


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A corpus: its origin, format, splits and licence.

    name (str): The name of its folder in assets/, corpus/, training/ and metrics/.
    title (str): Its name for people.
    pipeline (str): The packaged pipeline's name without the language.
    description (str): One line about the pipeline trained on it.
    licence (str): The licence of the text.
    url (str): The home page.
    paper (str): The publication to cite.
    labels (Mapping[str, str]): The meaning of each label, with an example written
        for this project.
    example (str): A sentence in the corpus's domain to try a pipeline on, written
        for this project.
    format (Format): The format of the native files.
    files (Mapping[str, str]): The native file of each required split.
    optional (Mapping[str, str]): The native file of each optional split.
    corrected (str): The native file with a corrected annotation of the test
        split, the reference for an audit.
    shares (Mapping[str, float]): For each split without a file, its share of the
        train file's documents.
    provided (Mapping[str, str]): The path of each native file in `NER_CORPORA`.
    sentences_per_document (int): The number of sentences in a document if the
        file does not mark documents.
    described_in (Path | None): The file that describes the user's own corpus.
    public (Public | None): The public source, if the project may fetch from it.
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
    described_in: Path | None = None
    public: Public | None = None
    sample: Callable[[Path], None] | None = None

    def present(self, folder: Path) -> dict[str, str]:
        """Name the native file of each required split and of each optional one in a folder."""
        optional = {s: name for s, name in self.optional.items() if (folder / name).exists()}
        return {**self.files, **optional}


def recorded_name(name: str) -> str:
    """Shorten an absolute path to the file's name: records name no folders of this machine."""
    return Path(name).name if Path(name).is_absolute() else name
