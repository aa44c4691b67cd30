"""Where a corpus's native files come from: the first place that has them."""

import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from scripts.corpora.spec import Corpus
from scripts.errors import InputError
from scripts.files import read_json, remove, replacing, sha256, write_json

MARKER = ".source.json"
PROVIDED = "NER_CORPORA"


class Kind(StrEnum):
    """The places, in the order in which they are tried."""

    USER = "user"
    PROVIDED = "provided"
    PUBLIC = "public"
    SAMPLE = "sample"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where native files came from.

    corpus (str): The corpus's name.
    title (str): Its name for people; says so if it is the sample.
    kind (Kind): The place.
    where (str): The place for people: a folder, an address.
    licence (str): What one may do with the text.
    url (str): Where one reads about the corpus.
    files (dict[str, str]): The SHA-256 of each native file.
    """

    corpus: str
    title: str
    kind: Kind
    where: str
    licence: str
    url: str
    files: dict[str, str]

    def line(self) -> str:
        """One line for people."""
        return f"{self.corpus}: {self.title}, from {self.where}"


def fetch(corpus: Corpus, assets: Path, *, allow_sample: bool = True) -> Source:
    """Put a corpus's native files into its folder, from the first place that has them.

    Those are: files the user put there; the folder named by the environment
    variable `NER_CORPORA`; the public source; the built-in sample. What this
    function itself put there is listed in a marker file and is never taken for
    the user's.

    corpus (Corpus): The corpus.
    assets (Path): The folder with one folder of native files for each corpus.
    allow_sample (bool): Whether the built-in sample may be used.
    RETURNS (Source): What is there now; also written to the marker file.
    RAISES (InputError): If no place has the files, or one has the wrong ones.
    """
    folder = assets / corpus.name
    source = _user(corpus, folder)
    if source is None:
        with tempfile.TemporaryDirectory() as name:
            temporary = Path(name)
            kind, where = _gather(corpus, temporary, allow_sample=allow_sample)
            source = _describe(corpus, temporary, kind, where)
            if source != read_source(corpus, folder):
                _replace(corpus, source, temporary, folder)
    write_json(folder / MARKER, asdict(source))
    return source


def read_source(corpus: Corpus, folder: Path) -> Source:
    """Tell where the native files in a folder came from.

    corpus (Corpus): The corpus.
    folder (Path): The folder with its native files.
    RETURNS (Source): From the marker where it fits the files, else the user's.
    """
    marked = _marker(folder)
    files = _checksums(corpus, folder)
    if marked.get("kind") in list(Kind) and marked.get("files") == files:
        return Source(**{**marked, "kind": Kind(marked["kind"])})
    return _describe(corpus, folder, Kind.USER, str(folder))


def _user(corpus: Corpus, folder: Path) -> Source | None:
    """The user's own files, if there are any."""
    fetched = {} if _marker(folder).get("kind") == Kind.USER else _marker(folder).get("files", {})
    there = [name for name in corpus.present(folder).values() if (folder / name).exists()]
    mine = [name for name in there if sha256(folder / name) != fetched.get(name)]
    missing = [name for name in corpus.files.values() if name not in mine]
    if corpus.name == "own" and missing:
        raise InputError(f"{folder / missing[0]}: not found, but {folder}/corpus.toml names it.")
    if mine and missing:
        raise InputError(
            f"{folder}: {', '.join(mine)} is yours, but {', '.join(missing)} is not there or was "
            f"fetched earlier. Add your own, or remove yours."
        )
    return _describe(corpus, folder, Kind.USER, str(folder)) if mine else None


def _marker(folder: Path) -> dict[str, Any]:
    try:
        marker = read_json(folder / MARKER)
    except (OSError, ValueError):
        return {}
    return marker if isinstance(marker, dict) else {}


def _describe(corpus: Corpus, folder: Path, kind: Kind, where: str) -> Source:
    sample = kind is Kind.SAMPLE
    return Source(
        corpus=corpus.name,
        title=f"built-in sample in the format of {corpus.title}" if sample else corpus.title,
        kind=kind,
        where=where,
        licence="generated, as the project's" if sample else corpus.licence,
        url="" if sample else corpus.url,
        files=_checksums(corpus, folder),
    )


def _checksums(corpus: Corpus, folder: Path) -> dict[str, str]:
    names = corpus.present(folder).values()
    return {name: sha256(folder / name) for name in names if (folder / name).exists()}


def _gather(corpus: Corpus, folder: Path, *, allow_sample: bool) -> tuple[Kind, str]:
    """Write the native files into a folder, from the first place but the user's."""
    unreachable = ""
    if provided := _provided(corpus):
        for name, path in provided.items():
            shutil.copyfile(path, folder / name)
        return Kind.PROVIDED, f"the folder in {PROVIDED}"
    if corpus.public:
        try:
            corpus.public.fetch(folder)
            return Kind.PUBLIC, corpus.public.where
        except ConnectionError as error:
            unreachable = f"{corpus.public.where} cannot be reached"
            print(f"{corpus.name}: {unreachable}: {error}")
    if corpus.sample and allow_sample:
        corpus.sample(folder)
        return Kind.SAMPLE, "the project's generator"
    raise InputError(
        f"no {corpus.title} here: put {', '.join(corpus.files.values())} into "
        f"assets/{corpus.name}/, or set {PROVIDED} to a folder that has "
        f"{', '.join(corpus.provided.values())}" + (f" ({unreachable})." if unreachable else ".")
    )


def _provided(corpus: Corpus) -> dict[str, Path]:
    """The files under `NER_CORPORA`, if it is set and has any of them."""
    if not os.environ.get(PROVIDED):
        return {}
    root = Path(os.environ[PROVIDED])
    if not root.is_dir():
        raise InputError(f"{PROVIDED} is set to {root}, which is not a folder. Fix or unset it.")
    paths = {name: root / place for name, place in corpus.provided.items()}
    missing = [path for path in paths.values() if not path.exists()]
    if missing and len(missing) < len(paths):
        raise InputError(
            f"{missing[0]}: not found, though {PROVIDED} has others of {corpus.title}."
        )
    return {} if missing else paths


def _replace(corpus: Corpus, source: Source, temporary: Path, folder: Path) -> None:
    """Replace fetched files. A run killed at any point leaves none that look like the user's."""
    for name in [*corpus.files.values(), *corpus.optional.values()]:
        remove(folder / name)
    write_json(folder / MARKER, asdict(source))
    for name in source.files:
        with replacing(folder / name) as partial:
            shutil.copyfile(temporary / name, partial)
